import type { SessionEvent } from '@kikitori/client';
import type { Hypothesis } from '@kikitori/engine';
import { UPSTREAM_LIMITS } from './limits.js';
import type { Heard, Teller } from './teller.js';

/** A word has begun. */
const WORD_BEGINS = /\S/;

/** Tells what a session writes, as soon as it is written: for streams that want neither words nor utterances. */
export class TextTeller implements Teller {
  readonly #tell: (hypothesis: Hypothesis) => void;
  #settledMs = 0;
  #toldMs = 0;
  #endMs = 0;
  /** Since the last flush: what the other server counted, and whether something was said. */
  #tokens = 0;
  #hasSpoken = false;

  constructor(tell: (hypothesis: Hypothesis) => void) {
    this.#tell = tell;
  }

  get settledMs(): number {
    return this.#settledMs;
  }

  get wordEndMs(): number {
    return this.#endMs;
  }

  hear(event: SessionEvent, { sentMs, settledMsMax }: Heard): void {
    switch (event.type) {
      case 'delta':
        this.#write(event.text, Math.min(event.audioMs ?? sentMs, sentMs));
        return;
      case 'progress':
        this.#settle(Math.min(event.settledMs, settledMsMax, sentMs));
        if (this.#settledMs - this.#toldMs < UPSTREAM_LIMITS.progressMs) return;
        this.#toldMs = this.#settledMs;
        this.#tell({ type: 'progress', settledMs: this.#settledMs });
        return;
      case 'done':
        this.#tokens += event.usage?.completionTokens ?? 0;
        return;
      default:
    }
  }

  answered(endMs: number): void {
    this.#settle(endMs);
  }

  begins(): void {
    // Nobody is told of utterances, ...
  }

  cut(): void {
    // ... and of no end of one.
  }

  flushed(marker: number): void {
    const tokens = this.#hasSpoken ? Math.max(1, this.#tokens) : 0;
    this.#tokens = 0;
    this.#hasSpoken = false;
    this.#tell({ type: 'flushed', marker, settledMs: this.#settledMs, tokens });
  }

  #write(text: string, endMs: number): void {
    if (text === '') return;
    this.#endMs = Math.max(this.#endMs, endMs);
    this.#hasSpoken ||= WORD_BEGINS.test(text);
    this.#tell({ type: 'text', text, endMs: this.#endMs, settledMs: this.#settledMs });
  }

  #settle(ms: number): void {
    this.#settledMs = Math.max(this.#settledMs, ms);
  }
}
