/**
 * Clients who send as fast as they are let, in a process of their own: `node pour.js URL MODEL COUNT`. They send the
 * collection's clips as sessions of ten minutes, one after the other; a line on stdin ends them, and the answer is how
 * many milliseconds of their audio were recognised.
 */
import { connect } from '@kikitori/client';
import { englishClips, samplesOf } from './speech.js';

const SESSION_SAMPLES = 600 * 16_000;
const CHUNK = 16_000;
const [url, model, count] = process.argv.slice(2);

const clips = await Promise.all(
  englishClips()
    .filter(({ seconds }) => seconds > 4 && seconds < 20)
    .slice(0, 12)
    .map(({ path }) => samplesOf(path)),
);
let settledMs = 0;
let isOver = false;

async function read(session) {
  let ownMs = 0;
  for await (const event of session) {
    if (event.type !== 'progress') continue;
    settledMs += event.settledMs - ownMs;
    ownMs = event.settledMs;
  }
}

async function pour(index) {
  while (!isOver) {
    const session = await connect({ url, model, words: true });
    const reading = read(session);
    let sent = 0;
    for (let i = index; sent < SESSION_SAMPLES && !isOver; i += 1) {
      const clip = clips[i % clips.length];
      for (let at = 0; at < clip.length; at += CHUNK) await session.send(clip.subarray(at, at + CHUNK));
      sent += clip.length;
    }
    await session.finish();
    await session.close();
    await reading;
  }
}

/** A busy server may not answer in time: another try is what such a client does. */
async function pourOn(index) {
  while (!isOver) await pour(index).catch(() => undefined);
}

for (let i = 0; i < Number(count); i += 1) void pourOn(i * 3);
process.stdout.write('pouring\n');
process.stdin.once('data', () => {
  isOver = true;
  process.stdout.write(`${settledMs}\n`, () => process.exit());
});
