/**
 * How well speech in other languages is told from English, and how soon: every clip of both through the recogniser, live
 * in virtual time, with the evidence of `recognition/doubt.ts` and the curve over its threshold.
 *
 *   node bench/languages.js [--models tiny,base] [--seconds 60] [--mode batch] [--interval 320] [--token-entropy 1]
 *                           [--word-max 2] [--early-share 0.3] [--list]
 *
 * `--seconds` leaves out longer clips, `--mode batch` hears them as files, `--interval` is the audio between two live
 * decodes, `--token-entropy`, `--word-max` and `--early-share` try other numbers than the model's rule, `--list` prints
 * each utterance. What the models answered is remembered in the temporary folder, so another rule costs nothing.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Doubt, evidenceOf as wordEvidenceOf } from '../packages/engine/dist/recognition/doubt.js';
import { traitsOf } from '../packages/engine-local/dist/families/index.js';
import { argument, collection, englishClips, foreignClips, samplesOf, table } from './lib/speech.js';
import { virtualEngine } from './lib/virtual-stream.js';

const SOON_MS = 6_000;
const THRESHOLDS = [1, 1.5, 2, 2.25, 3, 4, 5.25, 7];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const models = argument('models', 'tiny,base').split(',');
const secondsMax = Number(argument('seconds', '60'));
const intervalMs = Number(argument('interval', '320'));
const mode = argument('mode', 'live');
const lists = process.argv.includes('--list');

/** The evidence of each utterance of a clip: the most of it, and the most within six seconds of its beginning. */
async function evidenceOf(engine, clip, rule) {
  let evidence = [];
  const utterances = [];
  // What the doubt is told just before the words are said.
  const add = Doubt.prototype.add;
  let told = [];
  Doubt.prototype.add = function noting(words, edgeMs) {
    told.push(...words.map((word) => ({ word, edgeMs })));
    return add.call(this, words, edgeMs);
  };
  const onSaid = (said, atMs) => {
    if (said.type !== 'words' && said.type !== 'utterance') return;
    evidence.push(...told.map((each) => ({ atMs, ...each })));
    told = [];
    if (said.type !== 'utterance') return;
    let [sum, most, soon] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { atMs: when, word, edgeMs } of evidence) {
      sum += wordEvidenceOf(word, rule, edgeMs);
      most = Math.max(most, sum);
      if (when - said.startMs <= SOON_MS) soon = most;
    }
    evidence = [];
    utterances.push({ clip, most, soon, text: said.words.map(({ text }) => text).join(' ') });
  };
  try {
    await engine.hear(await samplesOf(clip.path), { mode, policy: { intervalMs }, doubt: rule, onSaid });
  } finally {
    Doubt.prototype.add = add;
  }
  return utterances;
}

/** A share with its 95 % interval (Wilson). */
function share(count, of) {
  const z = 1.96;
  const p = count / of;
  const middle = (p + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((p * (1 - p)) / of + z ** 2 / (4 * of ** 2));
  const percent = (value) => (100 * Math.max(0, value)).toFixed(1);
  return `${percent(p)} % (${count} of ${of}; ${percent(middle - half)}–${percent(Math.min(1, middle + half))})`;
}

for (const model of models) {
  const known = traitsOf(model).doubt;
  const rule = {
    ...known,
    tokenEntropy: Number(argument('token-entropy', String(known.tokenEntropy))),
    wordEvidenceMax: Number(argument('word-max', String(known.wordEvidenceMax))),
    earlyShare: Number(argument('early-share', String(known.earlyShare))),
  };
  const engine = await virtualEngine(model, root);
  const hear = async (clips) => {
    const heard = [];
    for (const clip of clips.filter(({ seconds }) => seconds <= secondsMax)) {
      heard.push(...(await evidenceOf(engine, clip, rule)));
    }
    return heard;
  };
  const others = await hear(foreignClips());
  const english = await hear(englishClips());
  await engine.dispose();
  const hard = english.filter(({ clip }) => /noisy|telephony/.test(clip.kind));
  const count = (utterances, member, threshold) =>
    share(utterances.filter((each) => each[member] > threshold).length, utterances.length);
  process.stdout.write(`\n${model}, ${mode}, ${collection}, ${JSON.stringify(rule)}\n\n`);
  table(
    ['evidence above', 'English flagged', 'noisy and telephone alone', 'others flagged', 'within 6 s'],
    THRESHOLDS.map((threshold) => [
      threshold,
      count(english, 'most', threshold),
      count(hard, 'most', threshold),
      count(others, 'most', threshold),
      count(others, 'soon', threshold),
    ]),
  );
  if (!lists) continue;
  for (const { clip, most, soon, text } of [...others, ...english]) {
    process.stderr.write(`${most.toFixed(2)} ${soon.toFixed(2)} ${clip.lang ?? 'en'} ${clip.file} ${text}\n`);
  }
}
