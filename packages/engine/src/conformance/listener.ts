import type { Hypothesis, SpeechStream, Word } from '../engine.js';

/** Reads a stream in the background and keeps all it says. */
export class Listener {
  readonly stream: SpeechStream;
  readonly heard: Hypothesis[] = [];
  /** What ended the loop: undefined for a clean end, otherwise what was thrown. Never rejects. */
  readonly ended: Promise<unknown>;
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(stream: SpeechStream) {
    this.stream = stream;
    this.ended = this.#read();
  }

  /** Words said so far. */
  get words(): readonly Word[] {
    return wordsOf(this.heard);
  }

  /** The text said so far: words joined by one space, or as it was written. */
  get text(): string {
    const written = this.heard.map((said) => (said.type === 'text' ? said.text : '')).join('');
    return written.trim() || textOf(this.words);
  }

  /** Writes in blocks of these lengths, the last one repeated until the audio is over. */
  async write(audio: Float32Array, cutsSamples: readonly number[] = [1280]): Promise<void> {
    let at = 0;
    for (let block = 0; at < audio.length; block += 1) {
      const lengthSamples = Math.max(1, cutsSamples[Math.min(block, cutsSamples.length - 1)] ?? audio.length);
      await this.stream.write(audio.slice(at, at + lengthSamples));
      at += lengthSamples;
    }
  }

  /** Flushes and waits for the answer. Rejects when the stream ends without it. */
  async flush(marker: number): Promise<Hypothesis & { readonly type: 'flushed' }> {
    this.stream.flush(marker);
    return this.flushed(marker);
  }

  /** Waits for the answer to a flush. Rejects when the stream ends without it. */
  async flushed(marker: number): Promise<Hypothesis & { readonly type: 'flushed' }> {
    for (;;) {
      for (const hypothesis of this.heard) {
        if (hypothesis.type === 'flushed' && hypothesis.marker === marker) return hypothesis;
      }
      if (this.#isOver) {
        throw new Error('The stream ended before it answered a flush.', { cause: await this.ended });
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async #read(): Promise<unknown> {
    let failure: unknown;
    try {
      for await (const hypothesis of this.stream.hypotheses) {
        this.heard.push(hypothesis);
        this.#wakeAll();
      }
    } catch (error) {
      failure = error;
    }
    this.#isOver = true;
    this.#wakeAll();
    return failure;
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** The words of the `words` hypotheses, in order. */
export function wordsOf(hypotheses: readonly Hypothesis[]): readonly Word[] {
  return hypotheses.flatMap((hypothesis) => (hypothesis.type === 'words' ? hypothesis.words : []));
}

/** Words joined by one space. */
export function textOf(words: readonly Word[]): string {
  return words.map((word) => word.text).join(' ');
}
