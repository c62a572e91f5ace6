/**
 * Memory over time: several speakers talk to one server for half an hour, and the server's resident memory is read
 * all the while.
 *
 *   node bench/soak.js [--model tiny] [--speakers 3] [--minutes 30]
 *
 * Speakers come and go: each ends its session after a few minutes and opens the next one. Flat means: the mean of the
 * last third is not above the mean of the second third by more than noise. The first third warms up (allocator,
 * compiled code) and is left out.
 */
import { connect } from '@kikitori/client';
import { residentBytes } from './lib/processes.js';
import { startServer } from './lib/server.js';
import { argument, englishClips, samplesOf, table } from './lib/speech.js';

const model = argument('model', 'tiny');
const speakers = Number(argument('speakers', '3'));
const minutes = Number(argument('minutes', '30'));
const SESSION_SECONDS = 200;
const CHUNK = 1280;
const SAMPLE_EVERY_MS = 5000;

const clips = [];
for (const clip of englishClips()
  .filter(({ seconds }) => seconds < 20)
  .slice(0, 40))
  clips.push(await samplesOf(clip.path));

const server = await startServer(['--model', model, '--max-sessions', String(speakers)]);
const startedAt = performance.now();
const elapsedMs = () => performance.now() - startedAt;
let sessions = 0;
let words = 0;

/** Sessions one after the other until the time is over. */
async function speak(index) {
  for (let clip = index; elapsedMs() < minutes * 60_000; ) {
    const session = await connect({ url: server.url, model: `moonshine-${model}`, words: true });
    sessions += 1;
    const start = performance.now();
    let sent = 0;
    while (sent < SESSION_SECONDS * 16_000 && elapsedMs() < minutes * 60_000) {
      const samples = clips[clip++ % clips.length];
      for (let at = 0; at < samples.length; at += CHUNK) {
        const piece = samples.subarray(at, at + CHUNK);
        sent += piece.length;
        const waitMs = sent / 16 - (performance.now() - start);
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        await session.send(piece);
      }
    }
    words += (await session.finish()).text.split(' ').length;
    await session.close();
  }
}

const memory = [];
const timer = setInterval(
  () => memory.push({ atMs: elapsedMs(), mb: residentBytes(server.pid) / 2 ** 20 }),
  SAMPLE_EVERY_MS,
);
await Promise.all(Array.from({ length: speakers }, (_, i) => speak(i * 7)));
clearInterval(timer);
await server.stop();

const third = (n) =>
  memory
    .filter(({ atMs }) => atMs >= (n * minutes * 60_000) / 3 && atMs < ((n + 1) * minutes * 60_000) / 3)
    .map(({ mb }) => mb);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
process.stdout.write(
  `Memory, moonshine-${model}, ${speakers} speakers, ${minutes} minutes, ${sessions} sessions, ${words} words\n\n`,
);
table(
  ['minutes', 'mean resident', 'most'],
  [0, 1, 2].map((n) => [
    `${Math.round((n * minutes) / 3)}–${Math.round(((n + 1) * minutes) / 3)}`,
    `${mean(third(n)).toFixed(0)} MB`,
    `${Math.max(...third(n)).toFixed(0)} MB`,
  ]),
);
process.stdout.write(`\nLast third against the second: ${(mean(third(2)) - mean(third(1))).toFixed(1)} MB\n`);
