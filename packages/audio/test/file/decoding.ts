import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type DecodedFile,
  type DecodeFileOptions,
  decodeFile,
  type FileSource,
} from '../../src/file/index.js';

/** Folder with the odd and the broken files; absent outside of our own machines. */
export const formatsFolder = fileURLToPath(new URL('../../../../../shared/speech/formats/', import.meta.url));
export const hasFormats = existsSync(`${formatsFolder}manifest.jsonl`);
export const hasFfmpeg = ((): boolean => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** How files are decoded here, for tests of what must not depend on it. */
export const WAYS: readonly (readonly [string, DecodeFileOptions])[] = [
  ['without ffmpeg', { ffmpeg: false }],
  ...(hasFfmpeg ? ([['with ffmpeg', {}]] as const) : []),
];

/** Everything a decoded file gave. */
export interface Heard {
  readonly file: DecodedFile;
  readonly samples: Float32Array;
  readonly chunkLengths: readonly number[];
}

/** Decodes to the end. */
export async function hear(source: FileSource, options: DecodeFileOptions = {}): Promise<Heard> {
  return await hearAll(await decodeFile(source, options));
}

/** All that a file gives that was opened. */
export async function hearAll(file: DecodedFile): Promise<Heard> {
  const chunks: Float32Array[] = [];
  for await (const chunk of file) chunks.push(chunk);
  const samples = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    samples.set(chunk, at);
    at += chunk.length;
  }
  return { file, samples, chunkLengths: chunks.map((chunk) => chunk.length) };
}

/** A stream that gives `bytes` in pieces. */
export async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/**
 * How alike two recordings are: the correlation (1: equal but for the level) at the best shift of at most
 * `shiftMax` samples. Looked for near where they stand when that is alike already, else on every fourth sample of a quarter
 * of a second; then near there on all of it, and judged on everything.
 */
export function likeness(heard: Float32Array, reference: Float32Array, shiftMax = 2_100): number {
  const isNear = likenessAt(heard, reference, 0) > 0.9;
  const near = isNear ? 0 : bestShift(heard, reference, { from: -shiftMax, to: shiftMax, step: 4 });
  return likenessAt(heard, reference, bestShift(heard, reference, { from: near - 8, to: near + 8, step: 1 }));
}

function likenessAt(heard: Float32Array, reference: Float32Array, shift: number): number {
  const to = Math.min(reference.length, heard.length - shift);
  return correlation(heard, reference, { from: Math.max(0, -shift), to, shift, step: 1 });
}

function bestShift(
  heard: Float32Array,
  reference: Float32Array,
  { from, to, step }: { from: number; to: number; step: number },
): number {
  let best = { shift: 0, value: -1 };
  for (let shift = from; shift <= to; shift += 1) {
    const value = correlation(heard, reference, { from: 16_000, to: 20_000, shift, step });
    if (value > best.value) best = { shift, value };
  }
  return best.shift;
}

function correlation(
  heard: Float32Array,
  reference: Float32Array,
  { from, to, shift, step }: { from: number; to: number; shift: number; step: number },
): number {
  let product = 0;
  let heardEnergy = 0;
  let referenceEnergy = 0;
  let heardSum = 0;
  let referenceSum = 0;
  for (let at = from; at < to; at += step) {
    const a = heard[at + shift] ?? 0;
    const b = reference[at] ?? 0;
    product += a * b;
    heardEnergy += a * a;
    referenceEnergy += b * b;
    heardSum += a;
    referenceSum += b;
  }
  const count = Math.max(1, Math.ceil((to - from) / step));
  const covariance = product - (heardSum * referenceSum) / count;
  const spread = (heardEnergy - heardSum ** 2 / count) * (referenceEnergy - referenceSum ** 2 / count);
  return spread <= 0 ? 0 : covariance / Math.sqrt(spread);
}
