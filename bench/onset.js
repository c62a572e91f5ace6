/**
 * How soon it is told that somebody begins to speak, and how well the place is met, on real speech with a second of silence in front.
 *
 *   node bench/onset.js [--clips 40]
 *
 * The truth is where the clip's own sound first stays above -35 dB of its loudest 20 ms for 60 ms. Audio comes in pieces of 20 ms, and the
 * next one when the recogniser has heard the last: so the delay is audio that had to be heard, without the machine's own time.
 */
import { decodeFile } from '@kikitori/audio/file';
import { createLocalEngine } from '@kikitori/engine-local';
import { collection, englishClips } from './lib/speech.js';
import { argument, header, median, row, say } from './lib/table.js';

const RATE = 16_000;
const STEP = 320;
const BELOW_PEAK_DB = 35;
const LEAD_MS = 1_000;
const HEARD_MS = 12;
const count = Number(argument('clips', '40'));

/** Where sound begins, milliseconds. */
function beginning(samples) {
  const levels = [];
  for (let at = 0; at + STEP <= samples.length; at += STEP) {
    let sum = 0;
    for (let i = at; i < at + STEP; i += 1) sum += samples[i] ** 2;
    levels.push(10 * Math.log10(sum / STEP + 1e-12));
  }
  const least = Math.max(...levels) - BELOW_PEAK_DB;
  const first = levels.findIndex((_, at) => levels.slice(at, at + 3).every((level) => level > least));
  return (first * STEP * 1_000) / RATE;
}

const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const engine = await createLocalEngine({ model: 'tiny', threads: 2, streamsMax: 2 });
const found = [];
let missed = 0;
for (const { path } of englishClips().slice(0, count)) {
  const parts = [];
  for await (const part of await decodeFile(path)) parts.push(...part);
  const samples = Float32Array.from(parts.slice(0, 8 * RATE));
  const truthMs = LEAD_MS + beginning(samples);
  const audio = new Float32Array((LEAD_MS / 1_000) * RATE + samples.length);
  audio.set(samples, (LEAD_MS / 1_000) * RATE);
  const stream = await engine.open({ onsets: true });
  let onset;
  void (async () => {
    for await (const said of stream.hypotheses) if (said.type === 'onset') onset ??= said;
  })();
  let at = 0;
  for (; at < audio.length && onset === undefined; at += STEP) {
    await stream.write(audio.slice(at, at + STEP));
    await new Promise((resolve) => setTimeout(resolve, HEARD_MS));
  }
  await stream.close();
  if (onset === undefined) missed += 1;
  else found.push({ errorMs: onset.startMs - truthMs, delayMs: (at * 1_000) / RATE - onset.startMs });
}
await engine.close();

say(`\nOnset of speech, ${found.length} clips of ${collection}, ${missed} without one; ms\n`);
header(['figure', 'p5', 'p50', 'p95']);
for (const [name, figure] of [
  ['the place that is told, behind the true one', 'errorMs'],
  ['told behind that place', 'delayMs'],
]) {
  const values = found.map((each) => each[figure]);
  row([
    name,
    percentile(values, 0.05).toFixed(0),
    median(values).toFixed(0),
    percentile(values, 0.95).toFixed(0),
  ]);
}
