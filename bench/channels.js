/**
 * Whether two channels are rightly heard apart or as one: pairs of channels made of the collection's clips, one kind after the
 * other; for each kind how many were heard apart, and how near the measures of the judge come to their bounds.
 *   node bench/channels.js [--count 12] [--seconds 30]
 */
import { CHANNEL_RULES, ChannelJudge } from '@kikitori/audio/channels';
import {
  argument,
  collection,
  englishClips,
  nonSpeechClips,
  percentile,
  samplesOf,
  table,
} from './lib/speech.js';

const RATE_HZ = 16_000;
const count = Number(argument('count', '12'));
const seconds = Number(argument('seconds', '30'));
const length = seconds * RATE_HZ;

let state = 1;
/** 0…1, the same in each run (mulberry32). */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

const gain = (db) => 10 ** (db / 20);
const scaled = (samples, db) => samples.map((sample) => sample * gain(db));
const silence = () => new Float32Array(length);

function mixed(...parts) {
  const out = silence();
  for (const part of parts) for (let i = 0; i < out.length; i++) out[i] += part[i] ?? 0;
  return out;
}

function delayed(samples, ms) {
  const by = Math.round((ms * RATE_HZ) / 1000);
  const out = silence();
  out.set(samples.subarray(0, length - by), by);
  return out;
}

function noise(db) {
  return silence().map(() => (random() + random() - 1) * 2.4 * gain(db));
}

/** A room: an echo that dies away by 60 dB in `ms`, another one at each place; `direct` dB is how much louder the straight way is. */
function inRoom(samples, { ms, direct }) {
  const taps = Array.from({ length: 120 }, () => {
    const at = 2 + random() * ms * 0.8;
    return { by: Math.round((at * RATE_HZ) / 1000), weight: (random() - 0.5) * gain((-60 * at) / ms) };
  });
  const power = taps.reduce((sum, { weight }) => sum + weight * weight, 0);
  const wet = gain(-direct) / Math.sqrt(power);
  const out = samples.slice();
  for (const { by, weight } of taps)
    for (let i = by; i < length; i++) out[i] += samples[i - by] * weight * wet;
  return out;
}

function hum(hz, db) {
  return silence().map((_, i) => {
    let sum = 0;
    for (let k = 1; k <= 20; k++) sum += Math.sin((2 * Math.PI * hz * k * i) / RATE_HZ) / k;
    return sum * gain(db);
  });
}

/** Notes that are struck and die away, two voices. */
function melody(db, hzs = [262, 330, 392, 523, 440, 349]) {
  const out = silence();
  for (let at = 0; at < length; at += Math.round(0.3 * RATE_HZ)) {
    const hz = hzs[Math.floor(random() * hzs.length)];
    for (let i = 0; i < RATE_HZ && at + i < length; i++) {
      const t = i / RATE_HZ;
      const tone =
        Math.sin(2 * Math.PI * hz * t) +
        0.5 * Math.sin(4 * Math.PI * hz * t) +
        0.3 * Math.sin(6 * Math.PI * hz * t);
      out[at + i] += tone * Math.exp(-4 * t) * gain(db) * Math.min(1, i / 80);
    }
  }
  return out;
}

/** Brought to about −26 dB. */
function levelled(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return power === 0 ? samples : scaled(samples, -26 - 10 * Math.log10(power));
}

const clips = englishClips().filter(
  ({ kind, seconds: s }) => /read|sample|conversation|noisy/.test(kind) && !/derived/.test(kind) && s > 4,
);
const voices = [];
for (const clip of clips.slice(0, 4 * count)) voices.push(levelled(await samplesOf(clip.path)));
const others = [];
for (const clip of nonSpeechClips()) others.push(levelled(await samplesOf(clip.path)));

/** A speech of the wanted length: clips one behind the other, with pauses. */
function voice(from) {
  const out = silence();
  for (let at = 0, n = from; at < length; n++) {
    const clip = voices[n % voices.length];
    out.set(clip.subarray(0, length - at), at);
    at += clip.length + Math.round((0.3 + random()) * RATE_HZ);
  }
  return out;
}

function sound(n) {
  const clip = others[n % others.length];
  return silence().map((_, i) => clip[i % clip.length]);
}

/** Two speakers who take turns of some seconds. */
function turns(n) {
  const [a, b] = [voice(2 * n), voice(2 * n + 1)];
  let isFirst = true;
  let left = 0;
  for (let i = 0; i < length; i++) {
    if (left-- === 0) {
      isFirst = !isFirst;
      left = Math.round((1 + 5 * random()) * RATE_HZ);
    }
    if (isFirst) b[i] = 0;
    else a[i] = 0;
  }
  return [a, b];
}

const bleeding = (pair, db, ms) => [
  mixed(pair[0], scaled(delayed(pair[1], ms), db), noise(-66)),
  mixed(pair[1], scaled(delayed(pair[0], ms), db), noise(-66)),
];

/** What is made of the n-th voice, and whether it is to be heard apart. */
const KINDS = {
  'the same on both': ['mix', (n) => [voice(n), voice(n)]],
  'the same, one 12 dB quieter and inverted': [
    'mix',
    (n) => [voice(n), scaled(voice(n), -12).map((x) => -x)],
  ],
  'the same, each in noise 20 dB below': [
    'mix',
    (n) => [mixed(voice(n), noise(-46)), mixed(voice(n), noise(-46))],
  ],
  'the same, each in noise 6 dB below': [
    'mix',
    (n) => [mixed(voice(n), noise(-32)), mixed(voice(n), noise(-32))],
  ],
  'two microphones, 3 ms, 6 dB': [
    'mix',
    (n) => [mixed(voice(n), noise(-60)), mixed(scaled(delayed(voice(n), 3), -6), noise(-60))],
  ],
  'two microphones, 20 ms, 15 dB': [
    'mix',
    (n) => [mixed(voice(n), noise(-60)), mixed(scaled(delayed(voice(n), 20), -15), noise(-60))],
  ],
  'two microphones, 90 ms, 6 dB': [
    'mix',
    (n) => [mixed(voice(n), noise(-60)), mixed(scaled(delayed(voice(n), 90), -6), noise(-60))],
  ],
  'two microphones, 400 ms, 6 dB': [
    'mix',
    (n) => [mixed(voice(n), noise(-60)), mixed(scaled(delayed(voice(n), 400), -6), noise(-60))],
  ],
  'one room, each its echo as loud': [
    'mix',
    (n) => [inRoom(voice(n), { ms: 400, direct: 0 }), inRoom(delayed(voice(n), 6), { ms: 400, direct: 0 })],
  ],
  'one room, each its echo 6 dB louder': [
    'mix',
    (n) => [inRoom(voice(n), { ms: 600, direct: -6 }), inRoom(delayed(voice(n), 9), { ms: 600, direct: -6 })],
  ],
  'the last, in noise 15 dB below': [
    'mix',
    (n) => [
      mixed(inRoom(voice(n), { ms: 600, direct: -6 }), noise(-40)),
      mixed(inRoom(delayed(voice(n), 9), { ms: 600, direct: -6 }), noise(-40)),
    ],
  ],
  'turns, each 10 dB quieter in the other': ['mix', (n) => bleeding(turns(n), -10, 4)],
  'turns, each 20 dB quieter in the other': ['mix', (n) => bleeding(turns(n), -20, 4)],
  'a voice in the middle of wide music 6 dB below': [
    'mix',
    (n) => [mixed(voice(n), melody(-30)), mixed(voice(n), melody(-30))],
  ],
  'a voice in the middle of wide music as loud': [
    'mix',
    (n) => [mixed(voice(n), melody(-22)), mixed(voice(n), melody(-22))],
  ],
  'wide music alone': ['any', () => [melody(-22), melody(-22, [131, 165, 196])]],
  'a voice and silence': ['one', (n) => [voice(n), silence()]],
  'a voice and a hum': ['one', (n) => [voice(n), hum(50, -30)]],
  'a voice and noise': ['one', (n) => [voice(n), noise(-50)]],
  'a voice and a melody': ['any', (n) => [voice(n), melody(-22)]],
  'a voice and another sound': ['any', (n) => [voice(n), sound(n)]],
  'two voices, turns': ['two', (n) => turns(n)],
  'two voices, turns, noise on the line': ['two', (n) => turns(n).map((each) => mixed(each, noise(-56)))],
  'two voices, turns, 15 dB apart': ['two', (n) => [turns(n)[0], scaled(turns(n)[1], -15)]],
  'two voices at once': ['two', (n) => [voice(2 * n), voice(2 * n + 1)]],
  'two voices, an echo 35 dB below after 200 ms': ['two', (n) => bleeding(turns(n), -35, 200)],
  'one voice for long, another at the end': [
    'two',
    (n) => [voice(2 * n), voice(2 * n + 1).map((x, i) => (i > 0.8 * length ? x : 0))],
  ],
};

function judge(pair) {
  const judging = new ChannelJudge({ sampleRateHz: RATE_HZ });
  const [a, b] = pair;
  const both = new Float32Array(2 * length);
  for (let i = 0; i < length; i++) {
    both[2 * i] = a[i];
    both[2 * i + 1] = b[i];
  }
  const before = process.cpuUsage();
  judging.push(both);
  const { user, system } = process.cpuUsage(before);
  return { lanes: judging.lanes({ isWhole: true }), ...judging.measures, ms: (user + system) / 1000 };
}

const wanted = argument('kinds', '');
const rows = [];
let computedMs = 0;
let heardS = 0;
for (const [name, [right, make]] of Object.entries(KINDS)) {
  if (!name.includes(wanted)) continue;
  const found = Array.from({ length: count }, (_, n) => judge(make(n)));
  const kindOf = ({ lanes }) => (lanes.length > 1 ? 'two' : lanes[0].length > 1 ? 'mix' : 'one');
  const tally = ['mix', 'one', 'two'].map((kind) => found.filter((each) => kindOf(each) === kind).length);
  const wrong = right === 'any' ? 0 : found.filter((each) => kindOf(each) !== right).length;
  const spread = (values) => [0, 0.5, 1].map((p) => percentile(values, p).toFixed(2)).join(' ');
  rows.push([
    name,
    right,
    ...tally,
    wrong === 0 ? '' : `${wrong} wrong`,
    spread(found.map(({ share }) => share)),
    spread(found.map(({ parallel }) => parallel)),
  ]);
  computedMs += found.reduce((sum, { ms }) => sum + ms, 0);
  heardS += found.length * seconds;
}
process.stdout.write(`${collection}, ${count} of each, ${seconds} s. ${JSON.stringify(CHANNEL_RULES)}\n\n`);
table(['channels', 'right', 'mixed', 'one', 'apart', '', 'in common', 'parallel'], rows);
process.stdout.write(`\n${(computedMs / heardS).toFixed(2)} ms of computing for a second of sound.\n`);
