/**
 * What everybody else notices of large uploads: how long `/health` takes to answer while files with many channels at an
 * extreme rate are decoded, beside how long it takes with nobody there.
 *
 *   node bench/uploads.js [--model tiny] [--files 10] [--channels 8] [--rate 655360] [--megabytes 5.4] [--checkout DIR]
 *
 * `--checkout` measures another checkout that was built, to compare two versions in one run.
 */
import { encodeWav } from '@kikitori/audio';
import { startServer } from './lib/server.js';
import { argument, percentile, table } from './lib/speech.js';

const files = Number(argument('files', '10'));
const channels = Number(argument('channels', '8'));
const rateHz = Number(argument('rate', '655360'));
const bytes = Number(argument('megabytes', '5.4')) * 1e6;
const model = argument('model', 'tiny');
const checkout = argument('checkout', undefined);
const EVERY_MS = 20;
const QUIET_MS = 3_000;

/** Noise, different in each channel, so that no shortcut is taken. */
function sound() {
  let state = 1;
  const samples = Float32Array.from({ length: Math.floor(bytes / (2 * channels)) * channels }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.2;
  });
  return encodeWav(samples, { sampleRateHz: rateHz, channels });
}

/** How long `/health` takes, again and again until the signal fires. Milliseconds. */
async function watch(origin, signal) {
  const took = [];
  while (!signal.aborted) {
    const at = performance.now();
    await (await fetch(`${origin}/health`)).arrayBuffer();
    took.push(performance.now() - at);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  return took;
}

async function upload(origin, body) {
  const form = new FormData();
  form.set('file', new Blob([body]), 'noise.wav');
  const answer = await fetch(`${origin}/v1/audio/transcriptions`, { method: 'POST', body: form });
  await answer.arrayBuffer();
  return answer.status;
}

const body = sound();
const server = await startServer(['--model', model], checkout);
const origin = server.http;
const quiet = await watch(origin, AbortSignal.timeout(QUIET_MS));
const done = new AbortController();
const watching = watch(origin, done.signal);
const at = performance.now();
const answers = await Promise.all(Array.from({ length: files }, () => upload(origin, body)));
const seconds = (performance.now() - at) / 1000;
done.abort();
const busy = await watching;
await server.stop();

const row = (name, took) => [
  name,
  took.length,
  ...[0.5, 0.95, 1].map((share) => percentile(took, share).toFixed(1)),
];
process.stdout.write(
  `\n${files} files of ${(body.length / 1e6).toFixed(1)} MB, ${channels} channels at ${rateHz} Hz: ${seconds.toFixed(1)} s; answers ${answers.join(' ')}\n\n`,
);
table(
  ['/health', 'asked', 'p50 (ms)', 'p95 (ms)', 'longest (ms)'],
  [row('nobody else', quiet), row('beside the files', busy)],
);
