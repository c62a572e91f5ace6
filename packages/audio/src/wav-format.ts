import { AudioError } from './errors.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from './limits.js';
import type { PcmEncoding } from './pcm-samples.js';
import type { WavContainer } from './wav-container.js';

/** What the headers say, checked. */
export interface WavFormat {
  readonly container: WavContainer;
  readonly encoding: PcmEncoding;
  /** SAMPLE_RATE_HZ_MIN…SAMPLE_RATE_HZ_MAX. */
  readonly sampleRateHz: number;
  /** 1…CHANNELS_MAX, interleaved. */
  readonly channels: number;
  /** Bits that carry sound, as stated; a sample of 12 bits fills the upper ones of 16. */
  readonly bitsPerSample: number;
  /** Bytes of one sample of every channel: 1…8 times the channels. */
  readonly frameBytes: number;
  /** What samples are multiplied with that do not fill their range; mostly 1. */
  readonly gain: number;
}

/** What a format header may mean. */
export interface WavReading {
  /** The likeliest first; at least one. They differ in how a sample lies in its bytes, and in nothing else. */
  readonly layouts: readonly WavFormat[];
  /** The header contradicts itself: the samples must bear a layout out. */
  readonly isDoubtful: boolean;
}

const TAG_PCM = 1;
const TAG_FLOAT = 3;
const TAG_ALAW = 6;
const TAG_MULAW = 7;
const TAG_EXTENSIBLE = 0xfffe;

/** Bytes of WAVEFORMAT with its bits per sample, and of WAVEFORMATEXTENSIBLE (mmreg.h). */
const PLAIN_BYTES = 16;
const EXTENSIBLE_BYTES = 40;

/** Bytes that a sample of any codec read here can have, and 8-byte integers, which are sound but uncommon. */
const SAMPLE_BYTES: ReadonlySet<number> = new Set([1, 2, 3, 4, 8]);

const damaged = (message: string) => new AudioError('file_damaged', message);

/**
 * Reads the body of a `fmt ` chunk (its first 40 bytes suffice). Fields that are missing, impossible or contradict each
 * other beyond guessing → `AudioError` `file_damaged`; a codec that is not plain samples → `unsupported_codec`.
 */
export function parseWavFormat(body: DataView, container: WavContainer): WavReading {
  const little = container !== 'rifx';
  if (body.byteLength < PLAIN_BYTES) throw damaged('The format header of this WAV file is cut off.');
  const stated = body.getUint16(0, little);
  const tag = stated === TAG_EXTENSIBLE ? readSubFormat(body, little) : stated;
  const channels = body.getUint16(2, little);
  const sampleRateHz = body.getUint32(4, little);
  if (tag !== TAG_PCM && tag !== TAG_FLOAT && tag !== TAG_ALAW && tag !== TAG_MULAW) {
    throw new AudioError(
      'unsupported_codec',
      'This WAV file holds compressed sound; convert it to PCM, or install ffmpeg.',
    );
  }
  if (channels < 1 || channels > CHANNELS_MAX)
    throw damaged('This WAV file states an impossible number of channels.');
  if (sampleRateHz < SAMPLE_RATE_HZ_MIN || sampleRateHz > SAMPLE_RATE_HZ_MAX) {
    throw damaged('This WAV file states an impossible sample rate.');
  }
  const { shapes, isDoubtful } = shapesOf(tag, {
    statedBytes: body.getUint16(12, little) / channels,
    bits: body.getUint16(14, little),
  });
  const facts = { container, sampleRateHz, channels };
  const layouts = shapes.flatMap((shape) => layoutOf(tag, shape, facts) ?? []);
  if (layouts.length > 0) return { layouts, isDoubtful };
  if (shapes.length === 0) throw contradicting();
  throw new AudioError(
    'unsupported_codec',
    'This WAV file has samples of an uncommon size; convert it to 16-bit PCM.',
  );
}

/** For a header that leaves no sense, or none that the samples bear out. */
export function contradicting(): AudioError {
  return damaged(
    'This WAV file contradicts itself about the size of its samples; export it again as 16-bit PCM.',
  );
}

/** How a sample may lie in its bytes. */
interface SampleShape {
  readonly sampleBytes: number;
  readonly bits: number;
  /** Of a sample with fewer bits than its bytes have: they lie in the lower ones. Against the rules, and done. */
  readonly isLower?: true;
}

/** What the header states: bytes of a frame by the channels, and bits of a sample. */
interface StatedSize {
  readonly statedBytes: number;
  readonly bits: number;
}

/** The frame's size decides where it makes sense; where it does not, the bits do, if the samples bear them out. */
function shapesOf(
  tag: number,
  { statedBytes, bits }: StatedSize,
): { shapes: readonly SampleShape[]; isDoubtful: boolean } {
  if (tag === TAG_ALAW || tag === TAG_MULAW) {
    return { shapes: [{ sampleBytes: 1, bits: 8 }], isDoubtful: statedBytes !== 1 };
  }
  const leastBytes = Math.ceil(bits / 8);
  const whole = { sampleBytes: statedBytes, bits: bits === 0 ? 8 * statedBytes : bits };
  const packed = { sampleBytes: leastBytes, bits };
  const isPackable = bits % 8 === 0 && SAMPLE_BYTES.has(leastBytes);
  if (!SAMPLE_BYTES.has(statedBytes)) return { shapes: isPackable ? [packed] : [], isDoubtful: true };
  if (bits === 0) return { shapes: [whole], isDoubtful: true };
  if (leastBytes > statedBytes) {
    const shapes = isPackable ? [packed, { sampleBytes: statedBytes, bits: 8 * statedBytes }] : [];
    return { shapes, isDoubtful: true };
  }
  if (leastBytes === statedBytes || tag === TAG_FLOAT) return { shapes: [whole], isDoubtful: false };
  return { shapes: [whole, { ...whole, isLower: true }, ...(isPackable ? [packed] : [])], isDoubtful: false };
}

/** undefined where nothing here reads such samples. */
function layoutOf(
  tag: number,
  { sampleBytes, bits, isLower }: SampleShape,
  facts: Pick<WavFormat, 'container' | 'sampleRateHz' | 'channels'>,
): WavFormat | undefined {
  const encoding = encodingOf(tag, { sampleBytes, bits }, facts.container === 'rifx' ? 'be' : 'le');
  const gain = isLower === true ? 2 ** (8 * sampleBytes - bits) : 1;
  const frameBytes = sampleBytes * facts.channels;
  return encoding === undefined ? undefined : { ...facts, encoding, bitsPerSample: bits, frameBytes, gain };
}

function encodingOf(
  tag: number,
  { sampleBytes, bits }: SampleShape,
  order: 'le' | 'be',
): PcmEncoding | undefined {
  // Integers fill the upper bits of their bytes, so the bytes alone say how to read them.
  if (tag === TAG_PCM && sampleBytes === 1) return 'u8';
  if (tag === TAG_PCM && sampleBytes === 2) return `s16${order}`;
  if (tag === TAG_PCM && sampleBytes === 3) return `s24${order}`;
  if (tag === TAG_PCM && sampleBytes === 4) return `s32${order}`;
  if (tag === TAG_FLOAT && sampleBytes === 4 && bits === 32) return `f32${order}`;
  if (tag === TAG_FLOAT && sampleBytes === 8 && bits === 64) return `f64${order}`;
  if (tag === TAG_ALAW) return 'alaw';
  return tag === TAG_MULAW ? 'mulaw' : undefined;
}

/** The GUID of a format that has a tag is that tag, then 0000-0010-8000-00AA00389B71; 0 for any other GUID. */
function readSubFormat(body: DataView, little: boolean): number {
  if (body.byteLength < EXTENSIBLE_BYTES) throw damaged('The format header of this WAV file is cut off.');
  const isTagged =
    body.getUint16(28, little) === 0x0000 &&
    body.getUint16(30, little) === 0x0010 &&
    body.getUint32(32) === 0x800000aa &&
    body.getUint32(36) === 0x00389b71;
  const tag = body.getUint32(24, little);
  return isTagged && tag <= 0xffff ? tag : 0;
}
