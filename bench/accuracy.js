/**
 * Word error rate of one-shot and streamed decoding, by kind of speech, and words said over clips without speech.
 *
 *   node bench/accuracy.js [--models tiny,base] [--live 3] [--every 1] [--delay 2000] [--show]
 *
 * Streams are fed through the engine at the pace of speech, `--live` of them at a time, as live speakers are; a clip
 * longer than 30 s has no one-shot figure, for the model was not made for it. `--every n` takes every n-th clip,
 * `--delay` lets words wait so many milliseconds in live streams, `--show` prints what was misheard.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLocalEngine } from '@kikitori/engine-local';
import { oneShot } from './lib/one-shot.js';
import { argument, collection, englishClips, nonSpeechClips, samplesOf, table } from './lib/speech.js';
import { wordErrors } from './lib/wer.js';

const CHUNK = 1280;
const ONE_SHOT_SECONDS_MAX = 30;

const models = argument('models', 'tiny,base').split(',');
const live = Number(argument('live', '3'));
const every = Number(argument('every', '1'));
const delay = argument('delay', undefined);
const shows = process.argv.includes('--show');

/** Text of a clip heard live: 80 ms every 80 ms, then the flush. As a file: as fast as it goes. */
async function streamed(engine, samples, mode) {
  const stream = await engine.open({ mode, ...(delay === undefined ? {} : { delayMs: Number(delay) }) });
  const words = [];
  const reading = (async () => {
    for await (const said of stream.hypotheses) {
      if (said.type === 'words') words.push(...said.words.map(({ text }) => text));
      if (said.type === 'flushed') return;
    }
  })();
  const start = performance.now();
  for (let at = 0; at < samples.length; at += CHUNK) {
    await stream.write(samples.subarray(at, at + CHUNK));
    const aheadMs = mode === 'live' ? (at + CHUNK) / 16 - (performance.now() - start) : 0;
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  stream.flush(1);
  await reading;
  await stream.close();
  return words.join(' ');
}

/** Runs `work` over the items, `width` at a time. */
async function together(items, width, work) {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

const clips = englishClips().filter((_, i) => i % every === 0);
const nonSpeech = nonSpeechClips();
const samples = new Map();
for (const clip of [...clips, ...nonSpeech]) samples.set(clip.file, await samplesOf(clip.path));

const rows = [];
const ghosts = [];
const loops = [];
for (const model of models) {
  // The engine runs in this process: whatever blocks its event loop shows here. One each, for the time between two
  // models would count as a delay.
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loops.push(loop);
  const engine = await createLocalEngine({ model, streamsMax: live });
  const sums = new Map();
  const add = (kind, column, { errors, words }) => {
    const row = sums.get(kind) ?? {
      clips: 0,
      words: 0,
      oneShot: 0,
      oneShotWords: 0,
      batch: 0,
      live: 0,
      liveShort: 0,
    };
    row[column] += errors;
    if (column === 'live') {
      row.clips += 1;
      row.words += words;
    }
    if (column === 'oneShot') row.oneShotWords += words;
    sums.set(kind, row);
  };
  const reference = await oneShot(model);
  for (const clip of clips) {
    if (clip.seconds > ONE_SHOT_SECONDS_MAX) continue;
    const errors = wordErrors(clip.text, await reference.text(samples.get(clip.file)));
    add(clip.kind, 'oneShot', errors);
    add('all', 'oneShot', errors);
  }
  await reference.dispose();
  for (const mode of ['batch', 'live']) {
    if (mode === 'live') loop.enable();
    await together(clips, live, async (clip) => {
      const text = await streamed(engine, samples.get(clip.file), mode);
      const errors = wordErrors(clip.text, text);
      if (shows && errors.errors > 0)
        process.stderr.write(
          `${model} ${mode} ${errors.errors}/${errors.words} ${clip.file}\n   ${clip.text}\n   ${text}\n`,
        );
      for (const kind of [clip.kind, 'all']) {
        add(kind, mode, errors);
        if (mode === 'live' && clip.seconds <= ONE_SHOT_SECONDS_MAX) add(kind, 'liveShort', errors);
      }
    });
  }
  loop.disable();
  await together(nonSpeech, live, async (clip) => {
    const text = await streamed(engine, samples.get(clip.file), 'live');
    if (text !== '') ghosts.push([model, clip.file, text]);
  });
  await engine.close();
  const percent = (errors, words) => (words === 0 ? '–' : `${((100 * errors) / words).toFixed(1)} %`);
  for (const [kind, sum] of sums) {
    rows.push([
      model,
      kind,
      sum.clips,
      sum.words,
      percent(sum.oneShot, sum.oneShotWords),
      percent(sum.liveShort, sum.oneShotWords),
      percent(sum.live, sum.words),
      percent(sum.batch, sum.words),
    ]);
  }
}

process.stdout.write(`Word error rate, ${collection}, ${live} live streams at a time\n\n`);
table(
  ['model', 'kind', 'clips', 'words', 'one-shot (≤ 30 s)', 'live (≤ 30 s)', 'live, all', 'file, all'],
  rows,
);
process.stdout.write(
  `\nWords over ${nonSpeech.length} clips without speech: ${ghosts.length === 0 ? 'none' : ''}\n`,
);
const late = (of) => (Math.max(...loops.map(of)) / 1e6).toFixed(0);
process.stdout.write(
  `Event loop of the engine's process: p99 ${late((loop) => loop.percentile(99))} ms late, worst ${late((loop) => loop.max)} ms\n`,
);
if (ghosts.length > 0) table(['model', 'clip', 'said'], ghosts);
