/**
 * What a dialect costs beside the native one: processor time for a message of 80 ms of audio and what it is answered, through the
 * whole session, in one process and over a line in memory, so that no socket hides it.
 *
 *   node bench/dialects.js [--messages 20000] [--rounds 5]
 *
 * The recogniser is one that says a word every 400 ms and costs next to nothing. Ratios are of one round, and the median counts.
 * Audio of 24 kHz, OpenAI's usual rate, has to be resampled, which the native dialect leaves to its clients: it stands for itself.
 */
import { createScriptedEngine } from '@kikitori/engine';
import { DIALECTS } from '@kikitori/server';
import { createMemoryPair } from '@kikitori/transport';
import { startSession } from '../packages/server/dist/session/serve-connection.js';
import { argument, header, median, row, say } from './lib/table.js';

const messages = Number(argument('messages', '20000'));
const rounds = Number(argument('rounds', '5'));
const FRAME_S = 0.08;
/** Read and answered before more is sent, as at the pace of speech. */
const BATCH = 50;
const NATIVE = 'vllm (native)';

const script = Array.from({ length: 5 }, (_, index) => {
  return { text: `word${index}`, startMs: index * 400, endMs: index * 400 + 300 };
});

/** Noise of that rate, base64 or as it is. */
function frame(rateHz) {
  const pcm = new Int16Array(Math.round(rateHz * FRAME_S));
  for (let at = 0; at < pcm.length; at += 1) pcm[at] = (Math.random() - 0.5) * 8_000;
  return Buffer.from(pcm.buffer);
}

const json = (event) => JSON.stringify(event);
const base64 = (type, rateHz) => json({ type, audio: frame(rateHz).toString('base64') });
const openAiUpdate = (rate) => {
  const input = { format: { type: 'audio/pcm', rate }, turn_detection: { type: 'server_vad' } };
  return json({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
};
const appendOf = (rateHz) => base64('input_audio_buffer.append', rateHz);
const ways = [
  {
    name: NATIVE,
    path: '/v1/realtime',
    hello: [
      json({ type: 'session.update', model: '', kikitori: { words: true, onsets: true } }),
      json({ type: 'input_audio_buffer.commit' }),
    ],
    audio: appendOf(16_000),
  },
  ...[16_000, 24_000].map((rateHz) => ({
    name: `openai, ${rateHz / 1_000} kHz`,
    path: '/v1/realtime',
    query: 'intent=transcription',
    hello: [openAiUpdate(rateHz)],
    audio: appendOf(rateHz),
  })),
  {
    name: 'mistral, 16 kHz',
    path: '/v1/audio/transcriptions/realtime',
    hello: [],
    audio: base64('input_audio.append', 16_000),
  },
  {
    name: 'deepgram, 16 kHz, binary',
    path: '/v1/listen',
    query: 'encoding=linear16&sample_rate=16000&interim_results=true&vad_events=true',
    hello: [],
    audio: frame(16_000),
  },
  {
    name: 'deepgram flux, 16 kHz, binary',
    path: '/v2/listen',
    query: 'model=flux-general-en&encoding=linear16&sample_rate=16000',
    hello: [],
    audio: frame(16_000),
  },
  {
    name: 'assemblyai, 16 kHz, binary',
    path: '/v3/ws',
    query: 'sample_rate=16000',
    hello: [],
    audio: frame(16_000),
  },
  {
    name: 'wyoming, 16 kHz, without its framing',
    path: 'wyoming:',
    hello: [],
    audio: [json({ type: 'audio-chunk', data: { rate: 16_000, width: 2, channels: 1 } }), frame(16_000)],
  },
];

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Processor time for a message, µs. */
async function cost({ path, query = '', hello, audio }) {
  const request = { path, query, headers: {}, protocols: [] };
  const dialect = DIALECTS.find((each) => each.claims(request));
  if (dialect === undefined) return undefined;
  const engine = createScriptedEngine({
    script: [{ words: script }],
    afterScript: 'repeat',
    roundMs: 4_000,
    model: 'scripted',
  });
  const { near, far } = createMemoryPair();
  const session = startSession(far, { engine, claimed: { dialect, request } });
  let answers = 0;
  const reading = (async () => {
    for await (const message of near.messages) answers += message.length > 0 ? 1 : 0;
  })().catch(() => undefined);
  for (const message of hello) await near.send(message);
  let before = process.cpuUsage();
  for (let sent = -messages / 10; sent < messages; sent += 1) {
    if (sent === 0) before = process.cpuUsage();
    for (const message of [audio].flat()) await near.send(message);
    if (sent % BATCH === 0) await turn();
  }
  while (session.backlogMs > 1_000) await turn();
  const { user, system } = process.cpuUsage(before);
  if (answers < messages / 100) throw new Error(`${path} was answered ${answers} times`);
  await near.close();
  await session.ended;
  await reading;
  await engine.close();
  return (user + system) / messages;
}

const costs = new Map(ways.map(({ name }) => [name, []]));
for (let round = -1; round < rounds; round += 1) {
  for (const way of ways) {
    const us = await cost(way);
    // The first one compiles.
    if (us !== undefined && round >= 0) costs.get(way.name).push(us);
  }
}
say(`\nProcessor time for 80 ms of audio and its answers, ${messages} messages, µs\n`);
header(['dialect', 'CPU µs', 'of the native one']);
for (const [name, values] of costs) {
  if (values.length === 0) continue;
  const ratio = median(values.map((us, round) => us / costs.get(NATIVE)[round]));
  row([name, median(values).toFixed(1), ratio.toFixed(2)]);
}
