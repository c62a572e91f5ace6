import type { SessionEvent } from '@kikitori/client';

/** Where the audio stands when the other server says something. Milliseconds of the stream. */
export interface Heard {
  /** The end of the audio that was given to the session. */
  readonly sentMs: number;
  /** Nothing behind it is settled, whatever the other server says. */
  readonly settledMsMax: number;
  /** What ends the utterance that it closes. */
  readonly rule: string;
}

/** Tells what a session says by the guarantees of `Hypothesis`, which hold whatever the other server does. */
export interface Teller {
  /** Every word that ends before it was told. */
  readonly settledMs: number;
  /** The end of the last word that was told. */
  readonly wordEndMs: number;
  hear(event: SessionEvent, heard: Heard): void;
  /** Somebody was heard to begin to speak. */
  begins(startMs: number): void;
  /** Everything up to `endMs` was answered. */
  answered(endMs: number, rule: string): void;
  /** What was told so far is an utterance, although the other server goes on. */
  cut(rule: string): void;
  flushed(marker: number): void;
}
