import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Downmixer } from '../src/downmix.js';
import { measureLevel } from '../src/level.js';
import { WavDecoder } from '../src/wav-decoder.js';

/** Odd and broken files, made and found; not part of the repository. */
const folder = new URL('../../../../shared/speech/formats/', import.meta.url);
const manifest = new URL('manifest.jsonl', folder);
const isPresent = existsSync(manifest);

interface Entry {
  readonly file: string;
  readonly expect: string;
  readonly seconds: number;
  readonly codec: string | null;
  readonly channels: number | null;
  readonly sample_rate: number | null;
}

const entries: Entry[] = isPresent
  ? readFileSync(manifest, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];
const wavs = entries.filter((entry) => /\.(wav|w64)$/i.test(entry.file) || entry.file.includes('wav-named'));
const isPlain = (codec: string | null) => codec === null || codec.startsWith('pcm_');

function outcome(file: string) {
  const decoder = new WavDecoder();
  try {
    const samples: Float32Array[] = [];
    const bytes = new Uint8Array(readFileSync(new URL(file, folder)));
    for (let offset = 0; offset < bytes.length; offset += 1_000) {
      samples.push(decoder.push(bytes.subarray(offset, offset + 1_000)));
    }
    const { format, lengthFrames } = decoder.finish();
    const downmixer = new Downmixer(format);
    const mono = Float32Array.from(samples.flatMap((piece) => [...downmixer.push(piece)]));
    return {
      kind: lengthFrames === 0 ? 'empty' : 'ok',
      format,
      seconds: lengthFrames / format.sampleRateHz,
      mono,
    };
  } catch (error) {
    expect(error).toMatchObject({ name: 'AudioError' });
    return { kind: 'reject', code: (error as { code: string }).code }; // checked by the line before
  }
}

describe.skipIf(!isPresent)('the WAV files of ../shared/speech/formats', () => {
  it('are there', () => expect(wavs.length).toBeGreaterThan(80));

  it.each(wavs.map((entry) => [entry.file, entry] as const))(
    '%s gives what its manifest says',
    (file, entry) => {
      const result = outcome(file);
      if (entry.expect === 'ok' && !isPlain(entry.codec)) {
        expect(result).toEqual({ kind: 'reject', code: 'unsupported_codec' });
        return;
      }
      // "partial" says how much there is to hear, "garbage" that one may believe a header that lies.
      const allowed = entry.expect.split('-or-').flatMap((word) => (word === 'partial' ? ['ok'] : [word]));
      expect(allowed).toContain(result.kind);
      if (result.kind !== 'ok') return;
      expect(result.seconds).toBeCloseTo(entry.seconds, 2);
      expect(result.format).toMatchObject({
        sampleRateHz: entry.sample_rate ?? 16_000,
        channels: entry.channels ?? 1,
      });
    },
  );

  it('hold the same speech however it is stored', () => {
    const reference = outcome('ok/wav-s16-16k.wav').mono ?? new Float32Array(0);
    const same = ['u8', 's24', 's32', 'f32', 'f64', 'mulaw', 'alaw'].map((kind) => `ok/wav-${kind}-16k.wav`);
    const also = [
      'wav-rifx.wav',
      'wav-rf64.wav',
      'w64-s16.w64',
      'wav-two-data-chunks.wav',
      'wav-odd-chunk-nopad.wav',
    ];
    for (const file of [...same, ...also.map((name) => `ok/${name}`)]) {
      const other = outcome(file).mono ?? new Float32Array(0);
      expect([file, other.length]).toEqual([file, reference.length]);
      const noise = measureLevel(reference.map((sample, i) => sample - (other[i] ?? 0))).rmsDbfs;
      // 8 bits: a step of 1/128, cut off and not rounded, is −47 dB; G.711 lies 35 dB below the speech; others are exact.
      expect(noise).toBeLessThan(file.includes('u8') ? -46 : file.includes('law') ? -70 : -90);
    }
  });

  it('lose no speech when mixed down', () => {
    const plain = measureLevel(outcome('ok/wav-s16-16k.wav').mono ?? new Float32Array(0)).rmsDbfs;
    for (const name of ['stereo-antiphase', '5.1-extensible']) {
      const { rmsDbfs } = measureLevel(outcome(`ok/wav-s16-${name}.wav`).mono ?? new Float32Array(0));
      expect(rmsDbfs).toBeCloseTo(plain, 0);
    }
    const oneSide = measureLevel(
      outcome('ok/wav-s16-stereo-left-only.wav').mono ?? new Float32Array(0),
    ).rmsDbfs;
    expect(oneSide).toBeCloseTo(plain - 6, 0);
  });
});
