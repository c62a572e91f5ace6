/** Longest phrase, in tokens or words, that is looked for. */
const PHRASE_TOKENS_MAX = 16;
/** A phrase said this often in a row may be a loop of the decoder; single short words may be said three times. */
const REPEATS_MIN = 4;
const LONG_PHRASE_TOKENS = 5;
const LONG_REPEATS_MIN = 3;
/** A round that was spoken takes this long for each of its tokens, and in all, however fast it was. */
const TOKEN_MS_MIN = 40;
const ROUND_MS_MIN = 80;
/** A round with so many times the speech of the usual one holds one that was passed over. */
const LONG_ROUND = 1.5;

/** One saying of a phrase that was said before. */
interface Round {
  /** Number of the token behind it. */
  readonly to: number;
  /** By how much it ended later than all before it, in milliseconds. */
  readonly stepMs: number;
  /** Has a sound of its own. */
  readonly isHeard: boolean;
}

/**
 * Where a loop begins to repeat itself without being heard again: the number of tokens to keep, which includes the phrase
 * once; `tokens.length` when there is no loop. A loop is a phrase that the sequence says at least four times in a row (long
 * phrases: three times) and does not leave again before its end; the last round may be cut off. People repeat
 * themselves, too: then each round has a sound of its own, and ends later than the one before. A decoder that loops
 * looks back, or stays in one place. `endMs`: when each token ended.
 */
export function loopStart(tokens: readonly number[], endMs: readonly number[]): number {
  const repeated = repetitionOf(tokens, endMs);
  if (repeated === undefined) return tokens.length;
  const { from, rounds } = repeated;
  const heard = rounds.filter(({ isHeard }) => isHeard);
  const to = heard.at(-1)?.to ?? from;
  const isSpoken = 2 * heard.length >= rounds.length && to >= (rounds.at(-2)?.to ?? 0);
  if (isSpoken) return to;
  // Where the decoder stays at last it leapt to: the round that did is not believed either.
  const stuck = rounds.findIndex(({ isHeard }) => !isHeard);
  return rounds[stuck - 2]?.to ?? from;
}

/**
 * Whether it is hard to tell how often a phrase was said that is repeated up to the end: there are rounds without a sound
 * of their own, or one with speech enough for two. `speechMs`: the speech between two moments.
 */
export function isUnclearRepetition(
  words: readonly { readonly text: string; readonly endMs: number }[],
  speechMs: (fromMs: number, toMs: number) => number,
): boolean {
  const endMs = words.map((word) => word.endMs);
  const repeated = repetitionOf(
    words.map(({ text }) => spokenText(text)),
    endMs,
  );
  if (repeated === undefined) return false;
  const { from, rounds } = repeated;
  if (!rounds.every(({ isHeard }) => isHeard)) return true;
  let fromMs = Math.max(...endMs.slice(0, from));
  const spokenMs = rounds.map(({ stepMs }) => {
    fromMs += stepMs;
    return speechMs(fromMs - stepMs, fromMs);
  });
  const usualMs = [...spokenMs].sort((a, b) => a - b)[spokenMs.length >> 1] ?? 0;
  return spokenMs.some((ms) => ms > LONG_ROUND * usualMs);
}

/** A word as it is heard, however it is written. */
export function spokenText(text: string): string {
  return text.toLowerCase().replace(/(?<![,.;:!?])[,.;:!?]+$/, '');
}

/** The shortest phrase that is said often enough at the end: where its second round begins, and that and those behind it. */
function repetitionOf(
  tokens: readonly (number | string)[],
  endMs: readonly number[],
): { readonly from: number; readonly rounds: readonly Round[] } | undefined {
  for (let length = 1; length <= PHRASE_TOKENS_MAX; length += 1) {
    let run = 0;
    while (
      run < tokens.length - length &&
      tokens[tokens.length - 1 - run] === tokens[tokens.length - 1 - run - length]
    ) {
      run += 1;
    }
    const repeatsMin = length >= LONG_PHRASE_TOKENS ? LONG_REPEATS_MIN : REPEATS_MIN;
    const from = tokens.length - run;
    if (run >= length * (repeatsMin - 1)) return { from, rounds: roundsOf(from, length, endMs) };
  }
  return undefined;
}

function roundsOf(from: number, length: number, endMs: readonly number[]): Round[] {
  const rounds: Round[] = [];
  let furthestMs = Math.max(...endMs.slice(0, from));
  for (let at = from; at < endMs.length; at += length) {
    const round = endMs.slice(at, at + length);
    const stepMs = Math.max(0, Math.max(...round) - furthestMs);
    const isHeard = stepMs >= Math.max(ROUND_MS_MIN, round.length * TOKEN_MS_MIN);
    rounds.push({ to: at + round.length, stepMs, isHeard });
    furthestMs += stepMs;
  }
  return rounds;
}
