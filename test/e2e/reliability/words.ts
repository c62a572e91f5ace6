/** Two transcripts of the same speech, word against word. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const samples = join(import.meta.dirname, '..', '..', '..', 'samples', 'samples.json');

/** How one transcript differs from another. */
export interface Difference {
  /** Words of the reference that are not there. */
  readonly lost: readonly string[];
  /** Words that are there and not in the reference. */
  readonly added: readonly string[];
  /** Words heard as another one: `a→b`. */
  readonly changed: readonly string[];
  /** Most words lost, and most words added, one behind the other. */
  readonly longestRun: number;
}

export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}:' ]+/gu, ' ')
    .split(' ')
    .filter((word) => word !== '');
}

/** Words that are said in one of our samples. */
function saidIn(file: string): string[] {
  const all: { file: string; text: string }[] = JSON.parse(readFileSync(samples, 'utf8'));
  return wordsOf(all.find((one) => one.file === file)?.text ?? '');
}

/**
 * Which part of what is said in a sample was heard word for word, in its order. Above a half it is that speech and no
 * other: how well a recogniser understands is measured elsewhere, and single words depend on where its decodes fall.
 */
export function shareHeard(file: string, text: string): number {
  const said = saidIn(file);
  const { lost, changed } = differenceOf(said, wordsOf(text));
  return 1 - (lost.length + changed.length) / said.length;
}

/** The cheapest way from `reference` to `heard`: a word lost or added costs one, a changed one too. */
export function differenceOf(reference: readonly string[], heard: readonly string[]): Difference {
  const costs = costsOf(reference, heard);
  const lost: string[] = [];
  const added: string[] = [];
  const changed: string[] = [];
  let i = reference.length;
  let j = heard.length;
  let run = { of: lost, length: 0 };
  let longestRun = 0;
  const extend = (of: string[]): void => {
    run = { of, length: run.of === of ? run.length + 1 : 1 };
    longestRun = Math.max(longestRun, run.length);
  };
  while (i > 0 || j > 0) {
    const here = at(costs, i, j);
    const isSame = i > 0 && j > 0 && reference[i - 1] === heard[j - 1];
    if (i > 0 && j > 0 && here === at(costs, i - 1, j - 1) + (isSame ? 0 : 1)) {
      i -= 1;
      j -= 1;
      run = { of: lost, length: 0 };
      if (!isSame) changed.unshift(`${reference[i]}→${heard[j]}`);
    } else if (i > 0 && here === at(costs, i - 1, j) + 1) {
      i -= 1;
      lost.unshift(reference[i] ?? '');
      extend(lost);
    } else {
      j -= 1;
      added.unshift(heard[j] ?? '');
      extend(added);
    }
  }
  return { lost, added, changed, longestRun };
}

function costsOf(reference: readonly string[], heard: readonly string[]): number[][] {
  const costs: number[][] = [heard.reduce<number[]>((row) => [...row, row.length], [0])];
  for (const [i, word] of reference.entries()) {
    const row = [i + 1];
    for (const [j, other] of heard.entries()) {
      const straight = at(costs, i, j) + (word === other ? 0 : 1);
      row.push(Math.min(straight, at(costs, i, j + 1) + 1, (row[j] ?? 0) + 1));
    }
    costs.push(row);
  }
  return costs;
}

function at(costs: readonly (readonly number[])[], i: number, j: number): number {
  return costs[i]?.[j] ?? Number.POSITIVE_INFINITY;
}
