import type { ScriptedUtterance, Word } from '@kikitori/engine';
import { numberOf, SAMPLES_PER_MS } from './speech.js';

/** Follows the numbers in the audio of one stream: where it began, and that nothing is missing or comes twice. */
export class Listener {
  #startMs: number | undefined;
  #samples = 0;
  readonly #onFlaw: (what: string) => void;

  constructor(onFlaw: (what: string) => void) {
    this.#onFlaw = onFlaw;
  }

  /** Where the stream's first sample lies in the session's audio; undefined before it came. */
  get startMs(): number | undefined {
    return this.#startMs;
  }

  get heardMs(): number {
    return Math.floor(this.#samples / SAMPLES_PER_MS);
  }

  /** `scale`: what makes 16-bit values of the samples. */
  hear(samples: ArrayLike<number>, scale = 1): void {
    this.#startMs ??= numberOf(samples, 0, scale);
    const aligned = (SAMPLES_PER_MS - (this.#samples % SAMPLES_PER_MS)) % SAMPLES_PER_MS;
    for (const at of [aligned, lastNumber(samples.length, aligned)]) {
      if (at < 0 || at + 3 > samples.length) continue;
      const expectedMs = this.#startMs + (this.#samples + at) / SAMPLES_PER_MS;
      if (numberOf(samples, at, scale) !== expectedMs) this.#onFlaw(`audio is not whole at ${expectedMs} ms`);
    }
    this.#samples += samples.length;
  }
}

function lastNumber(length: number, aligned: number): number {
  return aligned + Math.floor((length - aligned - 3) / SAMPLES_PER_MS) * SAMPLES_PER_MS;
}

/**
 * What somebody hears who comes in at `startMs`: times from there on, and of a word that is cut only the end, which
 * sounds like another word.
 */
export function heardFrom(
  script: readonly ScriptedUtterance[],
  startMs: number,
  shiftMs: (word: Word) => number = () => 0,
): readonly ScriptedUtterance[] {
  let floorMs = 0;
  const place = (word: Word): Word => {
    const isCut = word.startMs < startMs;
    const from = Math.max(floorMs, isCut ? 0 : word.startMs - startMs + shiftMs(word));
    const to = Math.max(from + 20, word.endMs - startMs + shiftMs(word));
    floorMs = to;
    return { text: isCut ? `~${word.text}` : word.text, startMs: from, endMs: to };
  };
  return script
    .map(({ words }) => ({ words: words.filter(({ endMs }) => endMs > startMs).map(place) }))
    .filter(({ words }) => words.length > 0);
}
