/**
 * What our server costs in front of a model server that speaks as vLLM does, against one that carries every message as it is:
 * processor time for a message, and how much later the first delta and `done` come.
 *
 *   node bench/relay.js [--sessions 40] [--seconds 10] [--rounds 3]
 *
 * Each session sends 80 ms of audio every 80 ms, speech and pauses, and is answered by one delta. Ours decodes the audio, keeps it
 * until its words have come, counts deltas, and writes the events anew; for clients that ask for words it also hears when somebody
 * speaks (Silero where it is there), ends utterances, and places the words. The model server looks at the length of audio alone, so that what is
 * between counts. Processor time is user and system time of the process between, by message and its answer. Ratios are of one
 * round, and the median of the rounds counts.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { startOurs, startUpstream, startWsRelay } from './lib/bridge/peers.js';
import { cpuSeconds } from './lib/processes.js';
import { startServer } from './lib/server.js';
import { argument, header, median, row, say } from './lib/table.js';

const here = dirname(fileURLToPath(import.meta.url));
const sessions = Number(argument('sessions', '40'));
const seconds = Number(argument('seconds', '10'));
const rounds = Number(argument('rounds', '3'));
const FRAME_MS = 80;
const FRAME_SAMPLES = 1_280;
const WARM_UP_S = 4;
const TRIES = 12;
const PLAIN = 'carries messages as they are';

/** Three seconds of noise that comes and goes as syllables do, and one of silence; base64 of each frame. */
const FRAMES = Array.from({ length: 50 }, (_, index) => {
  const pcm = new Int16Array(FRAME_SAMPLES);
  const isSpeech = index < 38;
  for (let at = 0; at < pcm.length; at += 1) {
    const swell = Math.sin((Math.PI * ((index * FRAME_SAMPLES + at) % 4_000)) / 4_000);
    pcm[at] = (Math.random() - 0.5) * (isSpeech ? 12_000 * swell : 20);
  }
  return JSON.stringify({
    type: 'input_audio_buffer.append',
    audio: Buffer.from(pcm.buffer).toString('base64'),
  });
});

/** One speaker, from now on; `close` ends him. */
async function speak(url, update, from) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let answers = 0;
  await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  socket.on('message', (data) => {
    if (data.length > 0) answers += 1;
  });
  socket.send(JSON.stringify({ type: 'session.update', model: '', ...update }));
  socket.send('{"type":"input_audio_buffer.commit"}');
  let sent = 0;
  const startedAtMs = performance.now() - from;
  const timer = setInterval(() => {
    while (startedAtMs + sent * FRAME_MS <= performance.now()) {
      socket.send(FRAMES[sent % FRAMES.length]);
      sent += 1;
    }
  }, FRAME_MS / 4);
  return {
    get sent() {
      return sent;
    },
    get answers() {
      return answers;
    },
    close: () => {
      clearInterval(timer);
      socket.close();
    },
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Processor time for a message, µs. */
async function cost({ url, pid, update = {} }) {
  const speakers = [];
  for (let index = 0; index < sessions; index += 1) {
    speakers.push(await speak(url, update, 0));
    await pause(FRAME_MS / 8);
  }
  await pause(WARM_UP_S * 1_000);
  const count = () => speakers.reduce((sum, { sent }) => sum + sent, 0);
  const [sentBefore, cpuBefore] = [count(), cpuSeconds(pid)];
  await pause(seconds * 1_000);
  const us = ((cpuSeconds(pid) - cpuBefore) * 1e6) / (count() - sentBefore);
  if (speakers.some(({ answers }) => answers === 0)) throw new Error('a speaker was not answered');
  for (const speaker of speakers) speaker.close();
  await pause(500);
  return us;
}

/** One utterance of a second at the pace of speech: when the first text came after it could, and `done` behind `final`; milliseconds. */
async function delays({ url }) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const events = [];
  let wake = () => undefined;
  socket.on('message', (data) => {
    events.push({ atMs: performance.now(), event: JSON.parse(data) });
    wake();
  });
  const until = async (isIt) => {
    for (;;) {
      const found = events.find(({ event }) => isIt(event));
      if (found !== undefined) return found.atMs;
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  };
  await until(({ type }) => type === 'session.created');
  socket.send('{"type":"session.update","model":""}');
  socket.send('{"type":"input_audio_buffer.commit"}');
  const startedAtMs = performance.now();
  for (let frame = 0; frame < 25; frame += 1) {
    const earlyMs = startedAtMs + frame * FRAME_MS - performance.now();
    if (earlyMs > 0) await pause(earlyMs);
    socket.send(FRAMES[frame]);
  }
  const endedAtMs = performance.now();
  socket.send('{"type":"input_audio_buffer.commit","final":true}');
  const doneMs = (await until(({ type }) => type === 'transcription.done')) - endedAtMs;
  const firstMs =
    (await until(({ type, delta }) => type === 'transcription.delta' && delta !== '')) - startedAtMs;
  socket.close();
  return { firstMs, doneMs };
}

const model = await startUpstream(join(here, 'lib', 'relay', 'vllm.js'));
const relay = await startWsRelay(model.url);
const bridge = await startOurs(model.url);
const ours = await startServer(['--upstream', model.url, '--max-sessions', String(sessions + 2)]);
const words = { kikitori: { words: true, replay: true } };
const ways = [
  { name: PLAIN, url: relay.url, pid: relay.pid },
  { name: 'our bridge', url: bridge.url, pid: bridge.pid },
  { name: 'our server, client asks for text', url: ours.url, pid: ours.pid },
  { name: 'our server, client asks for words', url: ours.url, pid: ours.pid, update: words },
];

const costs = new Map(ways.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const way of ways) costs.get(way.name).push(await cost(way));
}
say(`\nProcessor time for a message and its answer, ${sessions} speakers, µs\n`);
header(['between', 'CPU µs', 'of the plain one']);
for (const [name, values] of costs) {
  const ratio = median(values.map((us, round) => us / costs.get(PLAIN)[round]));
  row([name, median(values).toFixed(0), ratio.toFixed(2)]);
}

say(`\nOne speaker, ${TRIES} times: the first text after the first audio, and "done" after "final"; ms\n`);
header(['between', 'first text p50', 'added', 'done p50', 'added']);
let direct;
for (const way of [{ name: 'nothing', url: model.url }, ...ways.slice(0, 3)]) {
  const tries = [];
  for (let count = 0; count < TRIES; count += 1) tries.push(await delays(way));
  const here = {
    firstMs: median(tries.map(({ firstMs }) => firstMs)),
    doneMs: median(tries.map(({ doneMs }) => doneMs)),
  };
  direct ??= here;
  const added = (figure) => (here[figure] - direct[figure]).toFixed(1);
  row([way.name, here.firstMs.toFixed(1), added('firstMs'), here.doneMs.toFixed(1), added('doneMs')]);
}
for (const each of [ours, bridge, relay, model]) await each.stop();
