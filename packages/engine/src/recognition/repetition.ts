/** Longest phrase, in tokens, that is looked for. */
const PHRASE_TOKENS_MAX = 16;
/** A phrase said this often in a row is a loop of the decoder; single short words may be said three times. */
const REPEATS_MIN = 4;
const LONG_PHRASE_TOKENS = 5;
const LONG_REPEATS_MIN = 3;

/**
 * Where a loop begins to repeat itself: the number of tokens to keep, which includes the phrase once; `tokens.length`
 * when there is no loop. A loop is a phrase that the sequence says at least four times in a row (long phrases: three
 * times) and does not leave again before its end; the last round may be cut off. People repeat themselves, too
 * ("no no no no, I don't"), but then they go on.
 */
export function loopStart(tokens: readonly number[]): number {
  for (let length = 1; length <= PHRASE_TOKENS_MAX; length += 1) {
    let run = 0;
    while (
      run < tokens.length - length &&
      tokens[tokens.length - 1 - run] === tokens[tokens.length - 1 - run - length]
    ) {
      run += 1;
    }
    const repeatsMin = length >= LONG_PHRASE_TOKENS ? LONG_REPEATS_MIN : REPEATS_MIN;
    if (run >= length * (repeatsMin - 1)) return tokens.length - run;
  }
  return tokens.length;
}
