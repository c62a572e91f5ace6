import type { PlacedWord } from '../../session/state.js';
import { confidenceOf } from '../confidence.js';
import type { Turn } from '../turn-follower.js';

/** A word as `/v1/listen` writes it; times in seconds. */
export interface ListenWord {
  /** In lower case, without punctuation around it. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly punctuated_word: string;
}

const MS_PER_S = 1_000;
/** Where a word that may still change ends, since it has no place yet. */
const TAIL_WORD_MS = 300;
const LETTER = /[\p{L}\p{N}]/u;

export function seconds(ms: number): number {
  return Math.round(ms) / MS_PER_S;
}

/** All of a turn as it stands, its tail too. */
export function textOf({ words, tail }: Turn): string {
  const text = words.map((word) => word.text).join(' ');
  return [text, tail.trim()].filter(Boolean).join(' ');
}

/** The words of it, those of its tail one behind the other up to where audio was received. */
export function placedWords({ words, tail, startMs }: Turn, receivedMs: number): readonly PlacedWord[] {
  let atMs = words.at(-1)?.endMs ?? startMs;
  const limitMs = Math.max(atMs, receivedMs);
  const guessed = tail.split(' ').filter(Boolean);
  return [
    ...words,
    ...guessed.map((text) => {
      const fromMs = atMs;
      atMs = Math.min(limitMs, fromMs + TAIL_WORD_MS);
      return { text, startMs: fromMs, endMs: atMs };
    }),
  ];
}

export function listenWords(turn: Turn, receivedMs: number): readonly ListenWord[] {
  const confidence = confidenceOf(turn);
  return placedWords(turn, receivedMs).map(({ text, startMs, endMs }) => ({
    word: bare(text),
    start: seconds(startMs),
    end: seconds(endMs),
    confidence,
    punctuated_word: text,
  }));
}

/** Without what stands around it that is no letter and no digit. */
function bare(text: string): string {
  const letters = [...text.toLowerCase()];
  const first = letters.findIndex((letter) => LETTER.test(letter));
  const last = letters.findLastIndex((letter) => LETTER.test(letter));
  return letters.slice(Math.max(0, first), last + 1).join('');
}
