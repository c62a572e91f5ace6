/**
 * Speech that no word covers, and words that a stream loses by the moment at which it was decoded: every English clip,
 * live in virtual time, begun at eight moments 40 ms apart; and a session that begins anew in the middle of speech.
 *
 *   node bench/coverage.js [--models tiny,base] [--phases 0,4,2,6,1,3,5,7] [--kinds telephony,noisy] [--every 1]
 *                          [--mode batch] [--gain -35] [--derived] [--against CHECKOUT] [--list]
 *   node bench/coverage.js --anew [--models tiny] [--against CHECKOUT] [--list]
 *
 * `--gain` makes the clips so many dB louder or quieter, in steps of 16 bits; `--kinds` takes only kinds of speech that begin so, `--derived` the clips too that were made from others; `--against`
 * compares with another checkout that was built, `--list` prints each stretch and each loss. It can be
 * broken off and begun again: what the models answered is remembered in the temporary folder. The table is printed anew
 * after each phase.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fates, lostRuns } from './lib/lost-words.js';
import { argument, collection, englishClips, percentile, samplesOf, table } from './lib/speech.js';
import { virtualEngine } from './lib/virtual-stream.js';

const SAMPLES_PER_MS = 16;
const FRAME_MS = 32;
const PHASE_MS = 40;
/** More speech than this between the ends of two words, beyond what the second one takes, is covered by none. */
const UNCOVERED_MS = 900;
/** What a slow speaker needs for a letter; a digit is a word of five. */
const LETTER_MS = 60;
const LOST_WORDS = 3;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const models = argument('models', process.argv.includes('--anew') ? 'tiny' : 'tiny,base').split(',');
const phases = argument('phases', '0,4,2,6,1,3,5,7').split(',').map(Number);
const every = Number(argument('every', '1'));
const against = argument('against', undefined);
const kinds = argument('kinds', '').split(',');
const mode = argument('mode', 'live');
const gain = 10 ** (Number(argument('gain', '0')) / 20);
const lists = process.argv.includes('--list');
const builds = [
  ...(against === undefined ? [] : [['before', resolve(against)]]),
  [against === undefined ? 'now' : 'after', root],
];

function atGain(samples) {
  if (gain === 1) return samples;
  return samples.map((sample) => Math.max(-1, Math.min(1, Math.round(sample * gain * 32_768) / 32_768)));
}

/** Speech of each frame as the engine tells it: from 0.5 on, until below 0.35; bursts of less than three frames are clicks. */
function speechFrames(voice) {
  const frames = [];
  let isSpeech = false;
  for (const probability of voice) {
    isSpeech = probability >= 0.5 || (isSpeech && probability >= 0.35);
    frames.push(isSpeech);
  }
  let burst = [];
  let silence = 0;
  const drop = () => {
    if (burst.length < 3) for (const i of burst) frames[i] = false;
    burst = [];
  };
  for (const [i, speaks] of frames.entries()) {
    silence = speaks ? 0 : silence + 1;
    if (speaks) burst.push(i);
    else if (silence === 20) drop();
  }
  drop();
  return frames;
}

/** Stretches of speech between the ends of two words (or none) that hold too much of it. Milliseconds. */
function uncovered(words, voice) {
  const frames = speechFrames(voice);
  // Words that were placed in the wrong order are said to end together.
  const ends = [];
  for (const { text, endMs } of words) {
    if (ends.at(-1)?.endMs === endMs) ends.at(-1).text += text;
    else ends.push({ text, endMs });
  }
  const holes = [];
  let frame = 0;
  for (const { text, endMs } of [...ends, { text: '', endMs: frames.length * FRAME_MS }]) {
    let speechMs = 0;
    const fromMs = frame * FRAME_MS;
    for (; (frame + 0.5) * FRAME_MS < endMs && frame < frames.length; frame += 1)
      if (frames[frame]) speechMs += FRAME_MS;
    const letters = text.replace(/\p{N}/gu, 'digit').match(/\p{L}/gu)?.length ?? 0;
    const withoutMs = speechMs - letters * LETTER_MS;
    if (withoutMs > UNCOVERED_MS) holes.push({ fromMs, toMs: endMs, speechMs: withoutMs });
  }
  return { holes, speechMs: frames.filter(Boolean).length * FRAME_MS };
}

/** One run, and what is wrong with it. */
async function run(engine, samples, text, options) {
  const { words, voice, spent } = await engine.hear(samples, options);
  const said = words.map((word) => word.text).join(' ');
  const lagsMs = words.map(({ saidMs, endMs }) => saidMs - endMs);
  return {
    said,
    spent,
    lagsMs,
    seconds: samples.length / 16_000,
    ...uncovered(words, voice),
    ...fates(text, said),
  };
}

/** The runs of one group (a clip, or a beginning) are compared with each other: a Map from a group's name to its runs. */
function report(model, groupsOf, isLast) {
  const rows = [];
  for (const [build, groups] of groupsOf) {
    const sum = {
      runs: 0,
      words: 0,
      errors: 0,
      speechMs: 0,
      uncoveredMs: 0,
      holes: 0,
      decodes: 0,
      ms: 0,
      seconds: 0,
    };
    const lost = [];
    const lagsMs = [...groups.values()].flat().flatMap((one) => one.lagsMs);
    for (const [name, runs] of groups) {
      for (const one of runs) {
        sum.runs += 1;
        sum.words += one.words.length;
        sum.errors += one.errors;
        sum.speechMs += one.speechMs;
        sum.uncoveredMs += one.holes.reduce((total, { speechMs }) => total + speechMs, 0);
        sum.holes += one.holes.length;
        sum.decodes += one.spent.decodes;
        sum.ms += one.spent.ms;
        sum.seconds += one.seconds;
        const own = lostRuns(
          one,
          runs.filter((other) => other !== one),
          LOST_WORDS,
        );
        lost.push(...own);
        if (isLast && lists)
          for (const words of own)
            process.stderr.write(`${model} ${build} ${name} ${one.label}: lost "${words}"\n`);
      }
    }
    rows.push([
      model,
      build,
      sum.runs,
      `${((100 * sum.uncoveredMs) / sum.speechMs).toFixed(2)} %`,
      sum.holes,
      lost.length,
      `${((100 * sum.errors) / sum.words).toFixed(2)} % of ${sum.words}`,
      sum.decodes,
      (sum.ms / 1000 / sum.seconds).toFixed(3),
      [0.5, 0.95].map((p) => (percentile(lagsMs, p) / 1000).toFixed(2)).join(', '),
    ]);
  }
  table(
    [
      'model',
      'build',
      'runs',
      'speech without a word',
      'stretches',
      'three words lost',
      'errors',
      'decodes',
      'cores a speaker',
      'lag p50, p95 (s)',
    ],
    rows,
  );
}

async function hearAll(engines, groupsOf, name, samples, text, options, label) {
  for (const [build, engine] of engines) {
    const groups = groupsOf.get(build) ?? new Map();
    groupsOf.set(build, groups.set(name, groups.get(name) ?? []));
    const one = { label, ...(await run(engine, samples, text, options)) };
    groups.get(name).push(one);
    if (lists)
      for (const { fromMs, toMs, speechMs } of one.holes)
        process.stderr.write(
          `${build} ${name} ${label}: ${speechMs} ms of speech without a word, ${fromMs}–${toMs}\n`,
        );
  }
}

/** Every clip, begun so much later. */
async function measurePhases(model, engines) {
  const clips = englishClips()
    .filter(({ kind }) => process.argv.includes('--derived') || !kind.includes('(derived)'))
    .filter(({ kind }) => kinds.some((begin) => kind.startsWith(begin)))
    .filter((_, i) => i % every === 0);
  const groupsOf = new Map();
  for (const [count, phase] of phases.entries()) {
    for (const { file, path, text } of clips) {
      const clip = atGain(await samplesOf(path));
      const samples = new Float32Array(clip.length + phase * PHASE_MS * SAMPLES_PER_MS);
      samples.set(clip, samples.length - clip.length);
      await hearAll(engines, groupsOf, file, samples, text, { mode }, `phase ${phase}`);
    }
    process.stdout.write(`\n${model}, ${collection}, ${clips.length} clips at ${count + 1} phases\n\n`);
    report(model, groupsOf, count + 1 === phases.length);
  }
}

/** A session that begins anew: somewhere in the first sentence, with what was said meanwhile at once. */
async function measureAnew(model, engines) {
  const parts = await Promise.all(
    ['ferry', 'kitchen', 'ferry'].map((name) => samplesOf(join(root, 'samples', `${name}.flac`))),
  );
  const whole = Float32Array.from(parts.flatMap((part) => [...part]));
  const text =
    'Good morning. The ferry to the island leaves at nine fifteen from pier four. Please have your tickets ready. The crossing takes forty minutes. ' +
    'Heat two cups of milk in a small pan, but do not let it boil. Add three spoons of sugar and wait until it is warm. ' +
    'Good morning. The ferry to the island leaves at nine fifteen from pier four. Please have your tickets ready. The crossing takes forty minutes.';
  const groupsOf = new Map();
  for (const beginMs of [1500, 2200, 2900, 3600]) {
    for (let atOnceMs = 6000; atOnceMs <= 13_500; atOnceMs += 1500) {
      const samples = whole.subarray(beginMs * SAMPLES_PER_MS);
      await hearAll(
        engines,
        groupsOf,
        `from ${beginMs}`,
        samples,
        text,
        { atOnceMs },
        `${atOnceMs} ms at once`,
      );
    }
  }
  process.stdout.write(`\n${model}, a session that begins anew\n\n`);
  report(model, groupsOf, true);
}

for (const model of models) {
  const engines = [];
  for (const [build, checkout] of builds) {
    if (!existsSync(join(checkout, 'packages', 'engine-local', 'dist')))
      throw new Error(`There is no build in ${checkout}; run npm run build there.`);
    engines.push([build, await virtualEngine(model, checkout)]);
  }
  if (process.argv.includes('--anew')) await measureAnew(model, engines);
  else await measurePhases(model, engines);
  for (const [, engine] of engines) await engine.dispose();
}
