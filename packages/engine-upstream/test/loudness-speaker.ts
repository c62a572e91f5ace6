import type { Speaker, Step } from '../../../test/vllm/generation.js';

const STEP_SAMPLES = 1_280;
const LOUD = 1_000;

/** Text of the next stretch of loud audio, in pieces, one delta each; `peak`: how loud it was, 16-bit. */
export type Pieces = (stretch: number, peak: number) => readonly string[];

/** A model that is deaf but for loudness: a stretch of loud audio has its words once it is over. Remembers what it heard. */
export class LoudnessSpeaker implements Speaker {
  readonly #nextPieces: (peak: number) => readonly string[];
  readonly #onEnd: (samples: Int16Array) => void;
  readonly #waiting: { readonly piece: string; readonly index: number }[] = [];
  readonly #parts: Int16Array[] = [];
  #length = 0;
  #peak = 0;

  /** `onEnd`: told, with the last step, of all that was heard. */
  constructor(nextPieces: (peak: number) => readonly string[], onEnd: (samples: Int16Array) => void) {
    this.#nextPieces = nextPieces;
    this.#onEnd = onEnd;
  }

  hear(samples: Int16Array): void {
    for (let at = 0; at < samples.length; at += 16) {
      const level = Math.abs(samples[at] ?? 0);
      if (level > LOUD) this.#peak = Math.max(this.#peak, level);
      else if (this.#peak > 0) this.#endStretch(this.#length + at);
    }
    this.#parts.push(samples);
    this.#length += samples.length;
  }

  speak({ index, isLast }: Step): string {
    const isDue = isLast || (this.#waiting[0]?.index ?? Number.POSITIVE_INFINITY) <= index;
    const said = isDue ? this.#waiting.splice(0, isLast ? this.#waiting.length : 1) : [];
    if (isLast) this.#onEnd(joined(this.#parts, this.#length));
    return said.map(({ piece }) => piece).join('');
  }

  #endStretch(sample: number): void {
    const index = Math.ceil(sample / STEP_SAMPLES) - 1;
    this.#waiting.push(...this.#nextPieces(this.#peak).map((piece) => ({ piece, index })));
    this.#peak = 0;
  }
}

function joined(parts: readonly Int16Array[], length: number): Int16Array {
  const whole = new Int16Array(length);
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
