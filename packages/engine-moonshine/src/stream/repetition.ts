/** Longest phrase, in tokens, that is looked for. */
const PHRASE_TOKENS_MAX = 16;
/** A phrase said this often in a row is a loop of the decoder; single short words may be said three times. */
const REPEATS_MIN = 4;

/**
 * Where a loop begins to repeat itself: the number of tokens to keep, which includes the phrase once; `tokens.length`
 * when there is no loop. A loop is a phrase of n tokens that the sequence says at least four times in a row (long
 * phrases: three times).
 */
export function loopStart(tokens: readonly number[]): number {
  for (let length = 1; length <= PHRASE_TOKENS_MAX; length += 1) {
    const repeatsMin = length >= 5 ? 3 : REPEATS_MIN;
    let run = 0;
    for (let i = length; i < tokens.length; i += 1) {
      run = tokens[i] === tokens[i - length] ? run + 1 : 0;
      if (run === length * (repeatsMin - 1)) return i + 1 - length * (repeatsMin - 1);
    }
  }
  return tokens.length;
}
