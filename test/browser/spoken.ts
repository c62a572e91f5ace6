/** What the samples say, and how much of it a small recogniser has written: which words it hears is its own affair. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { differenceOf, wordsOf } from '../e2e/reliability/words.js';

const samples: readonly { readonly file: string; readonly text: string }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../samples/samples.json'), 'utf8'),
);

/** Numbers turn out as digits, and words as others that sound like them; what was not heard at all is lost as a run. */
const RUN_MAX = 3;
const SHARE_MIN = 0.5;

/** Fails unless all of that sample was heard, from its first word to its last. */
export function expectWhole(said: string, name: string): void {
  const { share, longestRun } = heardOf(said, name);
  expect(longestRun, said).toBeLessThanOrEqual(RUN_MAX);
  expect(share, said).toBeGreaterThan(SHARE_MIN);
}

/** The share of a sample's words that are among what was said. */
export function shareOf(said: string, name: string): number {
  return heardOf(said, name).share;
}

function heardOf(said: string, name: string): { readonly share: number; readonly longestRun: number } {
  const text = samples.find(({ file }) => file === `${name}.flac`)?.text ?? '';
  const reference = wordsOf(text);
  const { lost, changed, longestRun } = differenceOf(reference, wordsOf(said));
  return { share: 1 - (lost.length + changed.length) / reference.length, longestRun };
}
