import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIO_ERRORS, AudioError } from '../../src/errors.js';
import { decodeFile } from '../../src/file/index.js';
import { formatsFolder, type Heard, hasFfmpeg, hasFormats, hear, hearAll, likeness } from './decoding.js';

/** One line of the corpus' manifest, the members that count here. */
interface Line {
  readonly file: string;
  /** ok, partial, empty, reject, garbage, or several with "-or-" between them. */
  readonly expect: string;
  readonly seconds: number;
  readonly text: string | null;
}

const lines: readonly Line[] = hasFormats
  ? readFileSync(`${formatsFolder}manifest.jsonl`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];

/** Right sound that does not resemble the reference as a waveform, and why. */
const UNLIKE: Readonly<Record<string, string>> = {
  'ok/mp4-two-audio-tracks.mp4': 'we read the first track, which is silent',
  'ok/wav-one-sample.wav': 'too short',
  'ok/wav-10ms.wav': 'too short',
  'ok/wav-f32-nan-inf.wav': 'a tone',
};
/** What ffmpeg on its own refuses and our way of asking it gives; and where it closes a hole that we keep. */
const SECONDS: Readonly<Record<string, number>> = {
  'broken/flac-rate-0.flac': 4,
  'broken/opus-bad-page-crc.ogg': 4,
};
/** Codecs that keep the sound and not the waveform; 8 kHz alone reaches 0.96, everything else more. */
const LIKENESS_MIN: Readonly<Record<string, number>> = {
  'ok/speex-16k.spx': 0.75,
  'ok/ogg-opus-24k.ogg': 0.85,
  'ok/opus-60ms-12k.opus': 0.9,
  'ok/wav-gsm610-8k.wav': 0.93,
  'ok/wav-clipped-loud.wav': 0.92,
};

/** Files that our libraries read without ffmpeg; every other compressed one has to say that it needs it. */
const NEEDS_FFMPEG =
  /adpcm|gsm|g722|alac|aac|speex|wma|ac3|wavpack|tta|ima|sph$|m4a|mp4-(video|two)|tag-(mp3|1234)|no-first-page/;

/** ffmpeg's own Opus decoder differs from the reference one that we carry; these do not. */
const SAME_BOTH_WAYS = [
  'ok/flac-24bit-96k-stereo.flac',
  'ok/flac-in-ogg.oga',
  'ok/mp3-vbr-44100-stereo.mp3',
  'ok/mp3-mpeg25-8000.mp3',
  'ok/mp2-48000.mp2',
  'ok/ogg-vorbis-44100-stereo.ogg',
  'ok/webm-vorbis.webm',
  'ok/mka-pcm.mka',
  'ok/mov-pcm.mov',
];

function judge(line: Line, outcome: Heard | AudioError, reference: Float32Array): void {
  const wanted = line.expect.split('-or-');
  if (outcome instanceof AudioError) {
    expect(wanted, outcome.message).toContain('reject');
    expect(outcome.message).toMatch(/^(?:[A-Z]|ffmpeg ).*\.$/);
    return;
  }
  const { samples, chunkLengths } = outcome;
  const seconds = samples.length / 16_000;
  expect(Math.max(0, ...chunkLengths)).toBeLessThanOrEqual(8_000);
  expect(samples.every((sample) => sample >= -1 && sample <= 1)).toBe(true);
  if (wanted.includes('garbage')) return;
  if (seconds === 0) expect([...wanted, line.seconds === 0 ? 'empty' : 'sound']).toContain('empty');
  else if (wanted.includes('ok')) {
    // Codecs add a frame or two of padding, and not every decoder takes it away.
    expect(Math.abs(seconds - (SECONDS[line.file] ?? line.seconds))).toBeLessThan(0.1);
    const isOurSpeech = line.text !== null && UNLIKE[line.file] === undefined;
    if (isOurSpeech) expect(likeness(samples, reference)).toBeGreaterThan(LIKENESS_MIN[line.file] ?? 0.95);
  } else {
    expect(wanted).toContain('partial');
    expect(Math.abs(seconds - (SECONDS[line.file] ?? line.seconds))).toBeLessThan(0.3);
  }
}

async function outcomeOf(hearing: () => Promise<Heard | AudioError>): Promise<Heard | AudioError> {
  try {
    return await hearing();
  } catch (error) {
    if (error instanceof AudioError) return error;
    throw error;
  }
}

describe.skipIf(!hasFormats)('the odd and the broken files', () => {
  let reference = new Float32Array(0);
  beforeAll(async () => {
    const { samples } = await hear(`${formatsFolder}ok/wav-s16-16k.wav`, { ffmpeg: false });
    reference = new Float32Array(samples);
  });

  // One at a time: each has its own time, however little of the machine there is.
  describe.each(lines)('$file ($expect)', (line) => {
    const path = formatsFolder + line.file;
    let byLibrary: Promise<Heard | AudioError> | undefined;
    let byFfmpeg: Promise<Heard | AudioError> | undefined;
    afterAll(() => {
      byLibrary = undefined;
      byFfmpeg = undefined;
    });

    function hearWithout(): Promise<Heard | AudioError> {
      byLibrary ??= outcomeOf(() => hear(path, { ffmpeg: false }));
      return byLibrary;
    }

    function hearWith(): Promise<Heard | AudioError> {
      byFfmpeg ??= outcomeOf(async () => {
        const file = await decodeFile(path);
        if (file.decoder !== 'own') return await hearAll(file);
        // What our own parser reads needs no ffmpeg: that it is chosen here too is all there is to see.
        await file.close();
        return await hearWithout();
      });
      return byFfmpeg;
    }

    it('gives it without ffmpeg, or says that it needs ffmpeg', async () => {
      const outcome = await hearWithout();
      if (outcome instanceof AudioError && outcome.code === 'decoder_missing') {
        expect(line.file).toMatch(NEEDS_FFMPEG);
        expect(outcome.message).toContain('ffmpeg');
        expect(AUDIO_ERRORS[outcome.code].exitCode).toBe(2);
      } else {
        judge(line, outcome, reference);
      }
    });

    it.skipIf(!hasFfmpeg)('gives what it should with ffmpeg', async () => {
      judge(line, await hearWith(), reference);
    });

    if (!SAME_BOTH_WAYS.includes(line.file)) return;
    it.skipIf(!hasFfmpeg)('is heard the same with ffmpeg and without', async () => {
      const [first, second] = [await hearWith(), await hearWithout()];
      if (first instanceof AudioError || second instanceof AudioError) throw new Error('It was not heard.');
      expect([first.file.decoder, second.file.decoder]).toEqual(['ffmpeg', 'library']);
      expect(Math.abs(first.samples.length - second.samples.length)).toBeLessThan(16);
      expect(likeness(first.samples, second.samples)).toBeGreaterThan(0.9999);
    });
  });
});
