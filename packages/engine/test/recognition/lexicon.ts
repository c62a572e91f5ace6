import type { HeardWord, Token, Vocabulary } from '../../src/decoder.js';

const FIRST = ['ba', 'de', 'fi', 'go', 'lu', 'ma', 'ne', 'pi', 'ro', 'su'];
const SECOND = ['bel', 'dan', 'fen', 'gil', 'kor', 'lam', 'mit', 'nos', 'pur', 'tam'];
const THIRD = [
  '',
  'ta',
  'ri',
  'no',
  'se',
  'ku',
  'la',
  'mi',
  'po',
  've',
  'zo',
  'ha',
  'je',
  'wi',
  'xa',
  'yo',
  'qua',
  'ski',
  'tre',
  'blo',
];

/** Words of four to eight letters, each one token: its number is its place. */
export const WORDS: readonly string[] = FIRST.flatMap((first) =>
  SECOND.flatMap((second) => THIRD.map((third) => `${first}${second}${third}`)),
);

/**
 * The tokens of a made-up model: a number for each piece that was ever asked for, the words of `WORDS` first. A piece
 * that begins with `▁` begins a word; one without a letter is a mark of the word before it.
 */
export class Lexicon implements Vocabulary {
  readonly #pieces: string[] = WORDS.map((word) => `▁${word}`);

  /** The token of a piece. */
  token(piece: string): Token {
    const known = this.#pieces.indexOf(piece);
    return known >= 0 ? known : this.#pieces.push(piece) - 1;
  }

  words(tokens: readonly Token[], heard: Parameters<Vocabulary['words']>[1]): HeardWord[] {
    const words: HeardWord[] = [];
    for (const [i, token] of tokens.entries()) {
      const piece = this.#pieces[token] ?? '';
      const before = words.at(-1);
      const entropy = heard.entropies[i] ?? 0;
      const logProbability = heard.logProbabilities[i] ?? 0;
      const endMs = heard.endMs[i] ?? 0;
      if (piece.startsWith('▁') || before === undefined) {
        words.push({ tokens: [token], text: piece.replace('▁', ''), endMs, logProbability, entropy });
        continue;
      }
      const isMark = !/\p{L}|\p{N}/u.test(piece);
      words[words.length - 1] = {
        tokens: [...before.tokens, token],
        text: before.text + piece,
        endMs: isMark ? before.endMs : endMs,
        logProbability: Math.min(before.logProbability, logProbability),
        entropy: before.entropy + entropy,
      };
    }
    return words;
  }
}
