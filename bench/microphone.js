/**
 * What Chromium's filters for calls do to a recogniser: the same speech from a fake microphone, opened at the same time with each
 * set of filters, as loud as it was recorded, quieter, and in noise. Needs Chromium and a model.
 *   node bench/microphone.js [--model tiny] [--seconds 60] [--rooms 0,1,2,3] [--filters none,gain,noise,echo,all]
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav, resample } from '@kikitori/audio';
import { createLocalEngine } from '@kikitori/engine-local';
import { chromium } from 'playwright-core';
import { argument, collection, englishClips, samplesOf, table } from './lib/speech.js';
import { wordErrors } from './lib/wer.js';

const RATE_HZ = 48_000;
const PAUSE_SAMPLES = 16_000;
const model = argument('model', 'tiny');
const seconds = Number(argument('seconds', '60'));
const chosen = argument('rooms', '0,1,2,3').split(',').map(Number);

const wanted = argument('filters', 'none,gain,noise,echo,all').split(',');

const OFF = { autoGainControl: false, noiseSuppression: false, echoCancellation: false };
const FILTERS_ALL = {
  none: OFF,
  gain: { ...OFF, autoGainControl: true },
  noise: { ...OFF, noiseSuppression: true },
  echo: { ...OFF, echoCancellation: true },
  all: { autoGainControl: true, noiseSuppression: true, echoCancellation: true },
};
const FILTERS = Object.fromEntries(Object.entries(FILTERS_ALL).filter(([name]) => wanted.includes(name)));
const ROOMS = {
  'as recorded': (sample) => sample,
  '20 dB quieter': (sample) => sample * 0.1,
  '40 dB quieter, 16 bits': (sample) => Math.round(sample * 0.01 * 32_768) / 32_768,
  'noise 20 dB below': (sample) => sample * 0.5 + (Math.random() - 0.5) * 0.03,
};

// In the page: takes the microphone in with each set of filters at once, and gives PCM as base64.
const RECORDER = `async (filters, ms) => {
  const worklet = 'registerProcessor("tap", class extends AudioWorkletProcessor { process([[mono]]) { if (mono) this.port.postMessage(mono.slice()); return true; } })';
  const url = URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' }));
  const context = new AudioContext({ sampleRate: ${RATE_HZ} });
  await context.audioWorklet.addModule(url);
  const taps = await Promise.all(Object.entries(filters).map(async ([name, audio]) => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const parts = [];
    const node = new AudioWorkletNode(context, 'tap', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    node.port.onmessage = ({ data }) => parts.push(data);
    return { name, stream, parts, node, source: context.createMediaStreamSource(stream) };
  }));
  for (const { source, node } of taps) source.connect(node);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const out = {};
  for (const { name, stream, parts } of taps) {
    for (const track of stream.getTracks()) track.stop();
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    out[name] = btoa(text);
  }
  await context.close();
  return out;
}`;

/** Clips of read speech, one after the other with a second between them, and their text. */
async function speech() {
  const parts = [];
  const texts = [];
  let length = 0;
  for (const clip of englishClips().filter(({ kind }) => kind === 'read' || kind === 'sample')) {
    const samples = await samplesOf(clip.path);
    if (length + samples.length + PAUSE_SAMPLES > seconds * 16_000) continue;
    parts.push(samples, new Float32Array(PAUSE_SAMPLES));
    texts.push(clip.text);
    length += samples.length + PAUSE_SAMPLES;
  }
  const whole = new Float32Array(length);
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return { samples: whole, text: texts.join(' ') };
}

async function heard(engine, samples) {
  const stream = await engine.open({ mode: 'batch' });
  const words = [];
  const reading = (async () => {
    for await (const said of stream.hypotheses) {
      if (said.type === 'words') words.push(...said.words.map(({ text }) => text));
      if (said.type === 'flushed') return;
    }
  })();
  for (let at = 0; at < samples.length; at += 1_280) await stream.write(samples.subarray(at, at + 1_280));
  stream.flush(1);
  await reading;
  await stream.close();
  return words.join(' ');
}

async function record(path, lengthMs) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${path}%noloop`,
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/`);
    return await page.evaluate(`(${RECORDER})(${JSON.stringify(FILTERS)}, ${lengthMs})`);
  } finally {
    await browser.close();
  }
}

const server = createServer((_, response) =>
  response.setHeader('content-type', 'text/html').end('<!doctype html>'),
);
await once(server.listen(0, '127.0.0.1'), 'listening');
const folder = await mkdtemp(join(tmpdir(), 'kikitori-bench-'));
const engine = await createLocalEngine({ model, threads: 2, streamsMax: 1 });
try {
  const { samples, text } = await speech();
  const rows = [];
  for (const [room, make] of Object.entries(ROOMS).filter((_, index) => chosen.includes(index))) {
    const path = join(folder, 'microphone.wav');
    const played = resample(samples.map(make), { inputRateHz: 16_000, outputRateHz: RATE_HZ });
    await writeFile(path, encodeWav(played, { sampleRateHz: RATE_HZ }));
    const recordings = await record(path, samples.length / 16 + 3_000);
    const row = [room];
    for (const name of Object.keys(FILTERS)) {
      const bytes = Buffer.from(recordings[name], 'base64');
      const recorded = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
      );
      const spoken = resample(recorded, { inputRateHz: RATE_HZ, outputRateHz: 16_000 });
      const { errors, words } = wordErrors(text, await heard(engine, spoken));
      row.push(`${((100 * errors) / words).toFixed(1)} %`);
    }
    rows.push(row);
    process.stderr.write(`${row.join('  ')}\n`);
  }
  process.stdout.write(
    `Word error rate of ${model}, ${collection}, ${Math.round(samples.length / 16_000)} s a cell\n\n`,
  );
  table(['', ...Object.keys(FILTERS)], rows);
} finally {
  await engine.close();
  server.close();
  await rm(folder, { recursive: true, force: true });
}
