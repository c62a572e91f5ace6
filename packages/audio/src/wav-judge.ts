import { decodeSamples } from './pcm-samples.js';
import type { WavFormat, WavReading } from './wav-format.js';

/** Bytes of sound that a judgement is made of, from the first that is not 0. */
export const JUDGED_BYTES = 2_048;

/** Fewer samples than this bear nothing out. */
const JUDGED_SAMPLES_MIN = 64;
/** Quieter than this nothing is taken for noise: pauses are noise, too. 17 dB below full scale. */
const LOUD_RMS = 0.15;
/** Steps from sample to sample against the samples, in energy: 2 for random bytes; speech has less than 1 but in its loudest hiss. */
const NOISE_RATIO = 1.5;
/** Letters and padding are all on one side of 0. */
const ONE_SIDED = 0.7;

/**
 * Are these samples, or bytes of something else that are read as samples? Those are loud noise (compressed data, half
 * samples) or lie on one side (text, padding).
 */
export function soundsLikeSamples(samples: Float32Array, channels: number): boolean {
  let energy = 0;
  let steps = 0;
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] ?? 0;
    energy += sample * sample;
    steps += i < channels ? 0 : (sample - (samples[i - channels] ?? 0)) ** 2;
    sum += sample;
  }
  const rms = Math.sqrt(energy / samples.length);
  if (!(rms > LOUD_RMS)) return true;
  return Math.abs(sum / samples.length) < ONE_SIDED * rms && steps < NOISE_RATIO * energy;
}

/**
 * Which of the layouts that a header may mean the samples bear out; undefined where none. `data` begins with a whole frame
 * of each. What a recorder has written into its unused bits tells where they are.
 */
export function chooseLayout({ layouts, isDoubtful }: WavReading, data: Uint8Array): WavFormat | undefined {
  const [first] = layouts;
  if (first === undefined) return undefined;
  if (!isDoubtful && (layouts.length === 1 || data.every((byte) => byte === 0))) return withGain(first, data);
  const padded = layouts.find((layout) => isPadded(layout) && hasEmptyPadding(layout, data));
  if (padded !== undefined && !isDoubtful) return padded;
  // Without empty bits the samples are as long as they say, rather than as long as the frame says.
  const tried = isDoubtful ? layouts : [...layouts].reverse();
  const borne = tried.find((layout) => layout.gain === 1 && isBorneOut(layout, data));
  if (borne !== undefined) return withGain(borne, data);
  return isDoubtful ? undefined : first;
}

function isBorneOut(layout: WavFormat, data: Uint8Array): boolean {
  const samples = decodeSamples(data, layout.encoding);
  return samples.length >= JUDGED_SAMPLES_MIN && soundsLikeSamples(samples, layout.channels);
}

function isPadded({ bitsPerSample, frameBytes, channels }: WavFormat): boolean {
  return 8 * (frameBytes / channels) - bitsPerSample >= 8;
}

/** The bits that carry nothing are 0 below the sample, or copies of its sign above it. */
function hasEmptyPadding(layout: WavFormat, data: Uint8Array): boolean {
  const { bitsPerSample, channels, frameBytes, container, gain } = layout;
  const sampleBytes = frameBytes / channels;
  const valueBytes = Math.ceil(bitsPerSample / 8);
  const isLower = gain !== 1;
  for (let at = 0; at + sampleBytes <= data.length; at += sampleBytes) {
    /** Byte `index` of the sample, the lowest first. */
    const byteAt = (index: number): number =>
      data[at + (container === 'rifx' ? sampleBytes - 1 - index : index)] ?? 0;
    const sign = (byteAt(valueBytes - 1) & 0x80) === 0 ? 0 : 0xff;
    for (let index = 0; index < sampleBytes - valueBytes; index += 1) {
      if (isLower ? byteAt(valueBytes + index) !== sign : byteAt(index) !== 0) return false;
    }
  }
  return true;
}

/** Ranges of integers that floats are written in by mistake. */
const INTEGER_RANGES = [2 ** 15, 2 ** 23, 2 ** 31];
/** Floats beyond this are in such a range: it is 36 dB above full scale. */
const FLOAT_MAX = 64;
/** So many samples that are all whole numbers are no accident. */
const WHOLE_NUMBERS_MIN = 16;

/** Floats are −1…1; where they are integers in disguise, the gain makes them so. */
function withGain(layout: WavFormat, data: Uint8Array): WavFormat {
  const { encoding } = layout;
  if (!encoding.startsWith('f')) return layout;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const isLittle = encoding.endsWith('le');
  const sampleBytes = encoding.startsWith('f32') ? 4 : 8;
  let peak = 0;
  let wholeNumbers = 0;
  let others = 0;
  for (let at = 0; at + sampleBytes <= data.length; at += sampleBytes) {
    const sample = sampleBytes === 4 ? view.getFloat32(at, isLittle) : view.getFloat64(at, isLittle);
    if (!Number.isFinite(sample) || sample === 0) continue;
    peak = Math.max(peak, Math.abs(sample));
    if (Number.isInteger(sample)) wholeNumbers += 1;
    else others += 1;
  }
  const isWhole = others === 0 && wholeNumbers >= WHOLE_NUMBERS_MIN && peak >= 2;
  if (!isWhole && peak <= FLOAT_MAX) return layout;
  return { ...layout, gain: 1 / (INTEGER_RANGES.find((range) => peak <= range) ?? peak) };
}
