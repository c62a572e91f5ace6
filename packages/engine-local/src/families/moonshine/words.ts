/** Tokens gathered into words, each with the moment it ended. */
import type { HeardWord, Vocabulary } from '@kikitori/engine';
import { beginsWord, decodeTokens, type Pieces } from './token-text.js';

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
/** Signs that are read out with the number or the name behind them. */
const READ_SIGN = /[\p{Sc}#@&+]/u;

/** What the tokens of a model with these pieces mean. */
export function vocabularyOf(pieces: Pieces): Vocabulary {
  return { words: (tokens, heard) => gatherWords(pieces, tokens, heard) };
}

/**
 * Gathers tokens into words. A word's end is where its last piece with a letter was heard: the comma behind it is
 * heard in the pause. Marks that stand alone (" ,") belong to the word before; without one, to the word that follows.
 */
function gatherWords(
  pieces: Pieces,
  tokens: readonly number[],
  { endMs, logProbabilities, entropies }: Parameters<Vocabulary['words']>[1],
): HeardWord[] {
  const words: HeardWord[] = [];
  let from = 0;
  for (let i = 1; i <= tokens.length; i += 1) {
    const next = tokens[i];
    if (next !== undefined && !beginsWord(pieces, next)) continue;
    const text = decodeTokens(pieces, tokens.slice(from, i)).trim();
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
      if (LETTER_OR_DIGIT.test(decodeTokens(pieces, tokens.slice(k, k + 1)))) last = k;
    }
    let least = 0;
    for (let k = from; k < i; k += 1) least = Math.min(least, logProbabilities[k] ?? 0);
    words.push({
      tokens: tokens.slice(from, i),
      text: withoutLoneMarks(text),
      endMs: endMs[last] ?? 0,
      logProbability: least,
      entropy,
    });
    from = i;
  }
  return words;
}

/** The word alone: a comma or an apostrophe that stands in front of it belongs to the one before, which was said already. */
function withoutLoneMarks(text: string): string {
  const parts = text.split(' ').filter((part) => LETTER_OR_DIGIT.test(part) || READ_SIGN.test(part));
  return parts.join('');
}
