/** Tokens gathered into words, each with the moment it ended. */
import { beginsWord, decodeTokens, type Vocabulary } from './token-text.js';

export interface TokenWord {
  readonly tokens: readonly number[];
  /** With its punctuation, without surrounding space. */
  readonly text: string;
  /** Milliseconds from the first sample of the window. */
  readonly endMs: number;
  /** Of its least likely token. */
  readonly logProbability: number;
  /** Of its tokens, summed: how undecided the model was, in nats. */
  readonly entropy: number;
}

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
/** A comma that belongs to the word before, which was said already. */
const LEADING_MARKS = /^[,.;:!?]+\s+/;

/**
 * Gathers tokens into words. A word's end is where its last piece with a letter was heard: the comma behind it is
 * heard in the pause. Marks that stand alone (" ,") belong to the word before; without one, to the word that follows.
 */
export function gatherWords(
  vocabulary: Vocabulary,
  tokens: readonly number[],
  endMs: readonly number[],
  logProbabilities: readonly number[],
  entropies: readonly number[],
): TokenWord[] {
  const words: TokenWord[] = [];
  let from = 0;
  for (let i = 1; i <= tokens.length; i += 1) {
    const next = tokens[i];
    if (next !== undefined && !beginsWord(vocabulary, next)) continue;
    const text = decodeTokens(vocabulary, tokens.slice(from, i)).trim();
    const entropy = entropies.slice(from, i).reduce((sum, each) => sum + each, 0);
    const isMark = !LETTER_OR_DIGIT.test(text);
    const before = words.at(-1);
    if (isMark && before !== undefined) {
      words[words.length - 1] = {
        ...before,
        tokens: [...before.tokens, ...tokens.slice(from, i)],
        text: before.text + text,
        entropy: before.entropy + entropy,
      };
      from = i;
      continue;
    }
    if (isMark) continue;
    let last = from;
    for (let k = from; k < i; k += 1) {
      if (LETTER_OR_DIGIT.test(decodeTokens(vocabulary, tokens.slice(k, k + 1)))) last = k;
    }
    let least = 0;
    for (let k = from; k < i; k += 1) least = Math.min(least, logProbabilities[k] ?? 0);
    words.push({
      tokens: tokens.slice(from, i),
      text: text.replace(LEADING_MARKS, ''),
      endMs: endMs[last] ?? 0,
      logProbability: least,
      entropy,
    });
    from = i;
  }
  return words;
}
