/**
 * From token numbers to text. Moonshine speaks the 32,000 pieces of the Llama tokenizer (SentencePiece with byte
 * fallback); numbers above are special and have no text.
 */
import { readFile } from 'node:fs/promises';

/** First token of every sequence. */
export const BEGIN_TOKEN = 1;
/** The model says it once nothing more was said. */
export const END_TOKEN = 2;

/** SentencePiece writes a space as U+2581. */
const SPACE = '▁';
const BYTE_PIECE = /^<0x([0-9A-F]{2})>$/;

/** The pieces of words by number. */
export type Pieces = readonly string[];

/** Reads the table of a Hugging Face `tokenizer.json` (its `model.vocab`). Throws when it has none. */
export async function readPieces(path: string): Promise<Pieces> {
  const parsed: { model?: { vocab?: Record<string, number> } } = JSON.parse(await readFile(path, 'utf8'));
  const table = parsed.model?.vocab;
  if (table === undefined || typeof table !== 'object')
    throw new TypeError('tokenizer.json holds no vocabulary');
  const pieces: string[] = [];
  for (const [piece, id] of Object.entries(table)) pieces[id] = piece;
  return pieces;
}

/** Does this token begin a new word? */
export function beginsWord(pieces: Pieces, token: number): boolean {
  return pieces[token]?.startsWith(SPACE) === true;
}

/** The text of some tokens, as one string with a leading space where the first one begins a word. */
export function decodeTokens(pieces: Pieces, tokens: readonly number[]): string {
  let text = '';
  let bytes: number[] = [];
  const flushBytes = (): void => {
    if (bytes.length > 0) text += new TextDecoder().decode(Uint8Array.from(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const piece = pieces[token];
    if (piece === undefined || token <= END_TOKEN || piece.startsWith('<<')) continue;
    const byte = BYTE_PIECE.exec(piece)?.[1];
    if (byte !== undefined) {
      bytes.push(Number.parseInt(byte, 16));
      continue;
    }
    flushBytes();
    text += piece.replaceAll(SPACE, ' ');
  }
  flushBytes();
  return text;
}
