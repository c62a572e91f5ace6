/**
 * Speed of @kikitori/audio beside the libraries one would take instead, in one run: resampler, G.711, base64, WAV.
 * Prints a Markdown document. CPU time of this process, median of the rounds; what matters is the ratio between two rows.
 *
 *   npm run build && node bench/audio.js
 */
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import * as audio from '@kikitori/audio';

// Oracles of the workspace; two of them have an ESM entry that Node cannot load.
const require = createRequire(import.meta.url);
const alawmulaw = require('alawmulaw');
const libsamplerate = require('@alexanderolsen/libsamplerate-js');
const { WaveFile } = require('wavefile');

const ROUNDS = 5;
const OUTPUT_RATE_HZ = 16_000;

/** Keeps results alive, so that no work can be optimised away. */
let sink = 0;

/** Seconds of CPU of one `run`: median over the rounds, each of about `roundSeconds`. */
function cpuSeconds(run, roundSeconds = 0.25) {
  const once = () => {
    const before = process.cpuUsage();
    sink += run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  once();
  const repeats = Math.max(1, Math.ceil(roundSeconds / Math.max(once(), 1e-5)));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < repeats; i++) sink += run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6 / repeats;
  });
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const sine = (hz, rateHz, length) =>
  Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz));
const levelDb = (samples, edge) => {
  const inner = samples.subarray(edge, samples.length - edge);
  return (
    10 * Math.log10((2 * inner.reduce((sum, sample) => sum + sample * sample, 0)) / inner.length + 1e-20)
  );
};

// --- resampler ------------------------------------------------------------------------------------------------------

async function resamplers(inputRateHz) {
  const rates = { inputRateHz, outputRateHz: OUTPUT_RATE_HZ };
  const oracle = async (name) => {
    const converterType = libsamplerate.ConverterType[`SRC_SINC_${name}`];
    const create = () => libsamplerate.create(1, inputRateHz, OUTPUT_RATE_HZ, { converterType });
    const [whole, stream] = [await create(), await create()];
    return { whole: (samples) => whole.simple(samples), push: (samples) => stream.full(samples) };
  };
  const ours = new audio.Resampler(rates);
  return {
    '@kikitori/audio': {
      whole: (samples) => audio.resample(samples, rates),
      push: (samples) => ours.push(samples),
    },
    'libsamplerate best': await oracle('BEST_QUALITY'),
    'libsamplerate medium': await oracle('MEDIUM_QUALITY'),
    'libsamplerate fast': await oracle('FASTEST'),
  };
}

/** Gain of single tones: ripple up to 0.9 of the band, where the band ends, and the worst alias from its end on. */
function quality(whole, inputRateHz) {
  const nyquistHz = Math.min(inputRateHz, OUTPUT_RATE_HZ) / 2;
  const length = inputRateHz / 4;
  const edge = Math.ceil((600 * OUTPUT_RATE_HZ) / Math.min(inputRateHz, OUTPUT_RATE_HZ));
  const gainDb = (hz) => levelDb(whole(sine(hz, inputRateHz, length)), edge);
  let rippleDb = 0;
  let bandShare = 0;
  for (let step = 1; step <= 49; step++) {
    const gain = Math.abs(gainDb((nyquistHz * step) / 50));
    if (step <= 45) rippleDb = Math.max(rippleDb, gain);
    if (gain < 0.1 && bandShare === (step - 1) / 50) bandShare = step / 50;
  }
  let aliasDb = Number.NEGATIVE_INFINITY;
  for (let step = 0; inputRateHz > OUTPUT_RATE_HZ && step <= 40; step++) {
    aliasDb = Math.max(aliasDb, gainDb(nyquistHz + (inputRateHz / 2 - nyquistHz) * 0.999 * (step / 40) ** 3));
  }
  return { rippleDb, bandShare, aliasDb };
}

async function resamplerRows(inputRateHz) {
  const seconds = 10;
  const block = sine(440, inputRateHz, inputRateHz / 50);
  const rows = [];
  for (const [name, { whole, push }] of Object.entries(await resamplers(inputRateHz))) {
    const { rippleDb, bandShare, aliasDb } = quality(whole, inputRateHz);
    const cpu = cpuSeconds(() => {
      let length = 0;
      for (let i = 0; i < 50 * seconds; i++) length += push(block).length;
      if (Math.abs(length / (seconds * OUTPUT_RATE_HZ) - 1) > 0.01)
        throw new Error(`${name} gave ${length} samples`);
      return length;
    });
    const perHour = (cpu / seconds) * 3600;
    const alias = Number.isFinite(aliasDb) ? `${aliasDb.toFixed(0)} dB` : '—';
    const quietly = `${rippleDb < 0.001 ? '< 0.001' : rippleDb.toFixed(3)} dB`;
    rows.push([
      `${inputRateHz} → ${OUTPUT_RATE_HZ}`,
      name,
      perHour.toFixed(1),
      `${(seconds / cpu).toFixed(0)} ×`,
      quietly,
      `${(bandShare * 100).toFixed(0)} %`,
      alias,
    ]);
  }
  return rows;
}

async function reportResampler() {
  const rows = [];
  for (const rateHz of [48_000, 44_100, 24_000, 8_000]) rows.push(...(await resamplerRows(rateHz)));
  const head = [
    'rates, Hz',
    'resampler',
    'CPU s per hour',
    'real time',
    'ripple to 0.9',
    'band (0.1 dB)',
    'worst alias',
  ];
  console.log('## Resampler\n');
  console.log(
    'Streamed in 20 ms blocks. Ripple: up to 0.9 of the lower Nyquist frequency. Band: share of it that passes',
  );
  console.log('within 0.1 dB. Worst alias: of any tone from the output’s Nyquist frequency on.\n');
  console.log(`${table(head, rows)}\n`);
  const built = [48_000, 44_100, 11_025, 44_101].map((inputRateHz) => {
    const cpu = cpuSeconds(
      () => new audio.Resampler({ inputRateHz, outputRateHz: OUTPUT_RATE_HZ }).lookaheadSamples,
    );
    const { lookaheadSamples } = new audio.Resampler({ inputRateHz, outputRateHz: OUTPUT_RATE_HZ });
    return [
      `${inputRateHz} → 16000`,
      (cpu * 1e3).toFixed(2),
      ((lookaheadSamples / inputRateHz) * 1e3).toFixed(1),
    ];
  });
  console.log(`${table(['constructor', 'CPU ms', 'delay of live output, ms'], built)}\n`);
}

// --- bytes ----------------------------------------------------------------------------------------------------------

/** Megabytes of `bytes` a second. */
const speed = (bytes, run) => `${(bytes / 1e6 / cpuSeconds(run)).toFixed(0)} MB/s`;

const pcm = Int16Array.from(
  { length: 16_000 * 60 },
  (_, i) => 12_000 * Math.sin(i / 9) + 4_000 * Math.sin(i / 131),
);
const floats = audio.int16ToFloat32(pcm);
const pcmBytes = audio.int16ToPcm16(pcm);

function reportG711() {
  const mu = audio.encodeMuLaw(pcm);
  const a = audio.encodeALaw(pcm);
  const { mulaw, alaw } = alawmulaw;
  const rows = [
    ['µ-law decode', () => audio.decodeMuLaw(mu).length, () => mulaw.decode(mu).length],
    ['µ-law encode', () => audio.encodeMuLaw(pcm).length, () => mulaw.encode(pcm).length],
    ['A-law decode', () => audio.decodeALaw(a).length, () => alaw.decode(a).length],
    ['A-law encode', () => audio.encodeALaw(pcm).length, () => alaw.encode(pcm).length],
  ].map(([name, ours, theirs]) => [name, speed(pcm.length, ours), speed(pcm.length, theirs)]);
  console.log('## G.711\n\nMillions of samples a second (one byte each).\n');
  console.log(`${table(['', '@kikitori/audio', 'alawmulaw'], rows)}\n`);
}

/** With a global taken away, as in an AudioWorklet. */
function without(name, run) {
  const kept = globalThis[name];
  globalThis[name] = undefined;
  try {
    return run();
  } finally {
    globalThis[name] = kept;
  }
}

function reportBase64() {
  console.log('## Base64\n\nBytes of sound a second. 2,560 bytes are 80 ms. “Portable” is without Buffer.\n');
  const rows = [2_560, 1 << 20].flatMap((bytes) => {
    const data = pcmBytes.subarray(0, bytes);
    const text = audio.encodeBase64(data);
    const folded = text.replaceAll(/(.{76})/g, '$1\n');
    const portably = (run) => without('Buffer', () => speed(bytes, run));
    const row = (name, ours, theirs, portable) => [
      `${name}, ${bytes} bytes`,
      speed(bytes, ours),
      theirs,
      portable,
    ];
    const encode = () => audio.encodeBase64(data).length;
    const strict = () => audio.decodeBase64(text).length;
    const lenient = () => audio.decodeBase64Leniently(text).length;
    const dirty = () => audio.decodeBase64Leniently(folded).length;
    const byBuffer = () => Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64').length;
    return [
      row('encode', encode, speed(bytes, byBuffer), portably(encode)),
      row(
        'decode, strict',
        strict,
        speed(bytes, () => Buffer.from(text, 'base64').length),
        portably(strict),
      ),
      row(
        'decode, lenient',
        lenient,
        speed(bytes, () => Buffer.from(text, 'base64').length),
        portably(lenient),
      ),
      row(
        'decode, line breaks',
        dirty,
        speed(bytes, () => Buffer.from(folded, 'base64').length),
        portably(dirty),
      ),
    ];
  });
  console.log(`${table(['', '@kikitori/audio', 'Buffer (no checks)', 'portable'], rows)}\n`);
}

function reportWav() {
  console.log(
    '## PCM16, WAV, downmix\n\nSeconds of CPU per hour of 16 kHz sound (48 kHz for the downmix).\n',
  );
  const perHour = (run) => (cpuSeconds(run) * 60).toFixed(2);
  const files = ['s16le', 'f32le', 'mulaw'].map((encoding) => [
    encoding,
    audio.encodeWav(floats, { sampleRateHz: OUTPUT_RATE_HZ, encoding }),
  ]);
  const read = (file) => () => {
    const decoder = new audio.WavDecoder();
    let length = 0;
    for (let i = 0; i < file.length; i += 65_536) length += decoder.push(file.subarray(i, i + 65_536)).length;
    return length + decoder.finish().lengthFrames;
  };
  const readByOther = (file, encoding) => () => {
    const wave = new WaveFile(file);
    if (encoding === 'mulaw') wave.fromMuLaw('16');
    return wave.getSamples(true, Float32Array).length;
  };
  const writeByOther = () => {
    const wave = new WaveFile();
    wave.fromScratch(1, OUTPUT_RATE_HZ, '16', pcm);
    return wave.toBuffer().length;
  };
  const stereo = Float32Array.from({ length: 2 * 48_000 * 60 }, (_, i) => Math.sin(i / 50));
  const downmix = () => new audio.Downmixer({ channels: 2, sampleRateHz: 48_000 }).push(stereo).length;
  const rows = [
    ['PCM16 bytes → floats', perHour(() => audio.pcm16ToFloat32(pcmBytes).length), '—'],
    ['floats → PCM16 bytes', perHour(() => audio.float32ToPcm16(floats).length), '—'],
    ...files.map(([name, file]) => [
      `read WAV ${name}`,
      perHour(read(file)),
      perHour(readByOther(file, name)),
    ]),
    [
      'write WAV s16',
      perHour(() => audio.encodeWav(floats, { sampleRateHz: OUTPUT_RATE_HZ }).length),
      perHour(writeByOther),
    ],
    ['downmix stereo 48 kHz', perHour(downmix), '—'],
  ];
  console.log(`${table(['', '@kikitori/audio', 'wavefile'], rows)}\n`);
}

console.log('# Audio\n');
console.log(
  `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores.\n`,
);
await reportResampler();
reportG711();
reportBase64();
reportWav();
if (sink === 0) console.log('nothing was measured');
