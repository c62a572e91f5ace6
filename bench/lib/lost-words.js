/** Which words of a reference one transcript lost that another one of the same speech has. */
import { spokenWords } from './wer.js';

/** For each word of the reference what became of it in `heard`: `same`, `changed` or `lost`; the cheapest way. */
export function fates(reference, heard) {
  const a = spokenWords(reference);
  const b = spokenWords(heard);
  const costs = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const straight = costs[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(straight, costs[i - 1][j] + 1, row[j - 1] + 1));
    }
    costs.push(row);
  }
  const result = [];
  for (let i = a.length, j = b.length; i > 0; ) {
    const isSame = j > 0 && a[i - 1] === b[j - 1];
    if (j > 0 && costs[i][j] === costs[i - 1][j - 1] + (isSame ? 0 : 1)) {
      result.unshift(isSame ? 'same' : 'changed');
      i -= 1;
      j -= 1;
    } else if (costs[i][j] === costs[i - 1][j] + 1) {
      result.unshift('lost');
      i -= 1;
    } else j -= 1;
  }
  return { words: a, fates: result, errors: costs[a.length][b.length] };
}

/** Runs of at least `length` words of the reference that `one` lost and one of the `others` has, word for word. */
export function lostRuns(one, others, length) {
  const runs = [];
  const has = (from, to) =>
    others.some((other) => other.fates.slice(from, to).every((fate) => fate === 'same'));
  for (let from = 0; from < one.words.length; from += 1) {
    if (one.fates[from] !== 'lost') continue;
    let to = from;
    while (one.fates[to] === 'lost') to += 1;
    // What the others have may be shorter than what was lost.
    for (let at = from; at + length <= to; at += 1) {
      if (!has(at, at + length)) continue;
      runs.push(one.words.slice(from, to).join(' '));
      break;
    }
    from = to;
  }
  return runs;
}
