import { APPEND_SAMPLES_MAX, FRAME_SAMPLES, REPLAY_BURST_MS, REPLAY_SPEED } from './limits.js';
import { type AudioRing, BYTES_PER_MS } from './replay/audio-ring.js';

/** What goes over the connection next. Positions are those of the ring, in bytes. */
export type Step =
  | { readonly type: 'commit' }
  | { readonly type: 'append'; readonly start: number; readonly end: number }
  | { readonly type: 'final' }
  /** The caller asked for an end, and the server has already answered everything in front of it. */
  | { readonly type: 'answered' };

const FRAME_BYTES = FRAME_SAMPLES * 2;
const APPEND_BYTES_MAX = APPEND_SAMPLES_MAX * 2;

/**
 * What one connection is told, in order: a pure machine over the ring and the ends that the caller asked for.
 *
 * `idle`: no utterance of the dialect is running; `open`: `commit` was sent, audio may follow; `ending`: `final` was
 * sent, `transcription.done` has not come, and audio sent now would be lost in vLLM. An utterance begins with the
 * first audio, so an empty one is never sent; it gets exactly one `final`; the next one begins after its `done`.
 */
export class Turns {
  /** Where this connection's audio begins. */
  readonly start: number;
  /** What waited when it began: sent faster than it was spoken, but not at once. */
  readonly caughtUpAt: number;
  readonly #ring: AudioRing;
  readonly #ends: readonly number[];
  readonly #startedAtMs: number;
  #state: 'idle' | 'open' | 'ending' = 'idle';
  #position: number;
  #turnStart: number;
  /** An end that nobody asked for: another connection takes over from here. */
  #rollAt: number | undefined;

  /** `ends`: positions in order, kept by the caller, who takes one off when it is answered. */
  constructor(ring: AudioRing, ends: readonly number[], start: number, nowMs: number) {
    this.#ring = ring;
    this.#ends = ends;
    this.#startedAtMs = nowMs;
    this.start = start;
    this.caughtUpAt = ring.end;
    this.#position = start;
    this.#turnStart = start;
  }

  get state(): 'idle' | 'open' | 'ending' {
    return this.#state;
  }

  /** Everything in front of it was sent. */
  get position(): number {
    return this.#position;
  }

  /** Audio of the running utterance, milliseconds. */
  get turnMs(): number {
    return (this.#position - this.#turnStart) / BYTES_PER_MS;
  }

  /** Nobody asked for an end here: another connection takes over, or the model bears no more. */
  get isRolling(): boolean {
    return this.#ends[0] !== this.#position;
  }

  /** The running utterance is ended at a place that was chosen. */
  get hasEnd(): boolean {
    return this.#rollAt !== undefined;
  }

  /** How long to wait before the next audio, so that what waited does not come all at once. */
  waitMs(nowMs: number): number {
    if (this.#position >= this.caughtUpAt) return 0;
    const sentMs = (this.#position - this.start) / BYTES_PER_MS;
    // Whole: what is left of a millisecond is no time for a timer.
    return Math.max(0, Math.ceil((sentMs - REPLAY_BURST_MS) / REPLAY_SPEED - (nowMs - this.#startedAtMs)));
  }

  /**
   * What to send now; undefined: nothing until there is more audio, another end, or an answer. An utterance of
   * `turnBytesMax` is ended.
   */
  next(turnBytesMax = Number.POSITIVE_INFINITY): Step | undefined {
    if (this.#state === 'ending') return undefined;
    const never = Number.POSITIVE_INFINITY;
    const fullAt = this.#state === 'open' ? this.#turnStart + turnBytesMax : never;
    const end = Math.min(this.#rollAt ?? never, this.#ends[0] ?? never, fullAt);
    if (this.#position >= end) {
      return { type: this.#state === 'open' ? 'final' : 'answered' };
    }
    const bytes = Math.min(Math.min(end, this.#ring.end) - this.#position, APPEND_BYTES_MAX);
    const whole = end === Number.POSITIVE_INFINITY ? bytes - (bytes % FRAME_BYTES) : bytes;
    if (whole <= 0) return undefined;
    if (this.#state === 'idle') return { type: 'commit' };
    return { type: 'append', start: this.#position, end: this.#position + whole };
  }

  /** To be called for what `next` gave before it is sent: a quick server answers before the send has resolved. */
  take(step: Step): void {
    if (step.type === 'append') this.#position = step.end;
    else if (step.type === 'commit') this.#begin();
    else if (step.type === 'final') this.#state = 'ending';
  }

  /** Ends the running utterance there; a position that was not passed yet. */
  roll(at: number): void {
    if (this.#state === 'open') this.#rollAt = at;
  }

  /** To be called for `transcription.done`. `nextStart`: the next utterance begins in front of where this one ended. */
  answered(nextStart = this.#position): void {
    this.#state = 'idle';
    this.#rollAt = undefined;
    this.#position = nextStart;
    this.#turnStart = this.#position;
  }

  #begin(): void {
    this.#state = 'open';
    this.#turnStart = this.#position;
  }
}
