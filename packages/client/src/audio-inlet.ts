import { throwIfAborted, type WaitOptions } from './abortable.js';
import { AudioIntake, type Pcm } from './audio-intake.js';
import { ClientError } from './errors.js';
import { APPEND_SAMPLES_MAX, SLICE_SAMPLES, WAITING_BYTES_MAX } from './limits.js';
import type { AudioRing } from './replay/audio-ring.js';

/** What an inlet is made of. */
export interface AudioInletParts {
  readonly sampleRateHz: number;
  readonly ring: AudioRing;
  /** Resolves when more may be put into the ring, and when what was put there is on its way or may stay. */
  readonly room: (options: WaitOptions) => Promise<void>;
  /** Told what was put into the ring. */
  readonly onAudio: (bytes: number) => void;
}

const APPEND_BYTES_MAX = APPEND_SAMPLES_MAX * 2;

/**
 * How audio comes in: calls one after the other, in the order in which they were made; conversion; back-pressure.
 * It knows no connection: what it takes lies in the ring until the connection of the moment sends it.
 */
export class AudioInlet {
  readonly #parts: AudioInletParts;
  readonly #intake: AudioIntake;
  #chain: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #waitingCalls = 0;
  #failure: ClientError | undefined;

  constructor(parts: AudioInletParts) {
    this.#parts = parts;
    this.#intake = new AudioIntake(parts.sampleRateHz);
  }

  /** No call is waiting for its turn or for room. */
  get isEmpty(): boolean {
    return this.#waitingCalls === 0;
  }

  /** Audio of calls that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** See `Session.send`. */
  send(pcm: Pcm, { signal }: WaitOptions = {}): Promise<void> {
    const bytes = pcm.byteLength;
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX && this.#waitingBytes > 0) {
      return Promise.reject(
        new ClientError('overflow', 'Too much audio waits to be sent; await every send.'),
      );
    }
    this.#waitingBytes += bytes;
    return this.#enqueue(async () => {
      try {
        throwIfAborted(signal);
        await this.#takeSlices(pcm, signal);
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
  }

  /** Ends a stretch of audio: what conversion held back comes too. `onEnd` is told its position, in its turn. */
  end(onEnd: (position: number) => void): Promise<void> {
    return this.#enqueue(async () => {
      this.#push(this.#intake.flush());
      onEnd(this.#parts.ring.end);
    });
  }

  /** Nothing is taken any more; whoever waits gets the error. */
  stop(error: ClientError): void {
    this.#failure ??= error;
  }

  /** Runs one thing after the other; a failure of one does not keep the next from being refused properly. */
  #enqueue(run: () => Promise<void>): Promise<void> {
    this.#waitingCalls += 1;
    const done = this.#chain.then(async () => {
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await run();
      } finally {
        this.#waitingCalls -= 1;
      }
    });
    this.#chain = done.catch(() => undefined);
    return done;
  }

  async #takeSlices(pcm: Pcm, signal: AbortSignal | undefined): Promise<void> {
    // A slice of bytes has an even length, so a caller's half sample stays at the end.
    const step = SLICE_SAMPLES * (pcm instanceof Uint8Array ? 2 : 1);
    for (let start = 0; start < pcm.length; start += step) {
      const audio = this.#intake.push(pcm.subarray(start, start + step));
      // A low rate makes much of a slice.
      for (let at = 0; at < audio.length; at += APPEND_BYTES_MAX) {
        await this.#parts.room({ signal });
        this.#push(audio.subarray(at, at + APPEND_BYTES_MAX));
      }
    }
    await this.#parts.room({ signal });
  }

  #push(audio: Uint8Array): void {
    if (audio.length === 0) return;
    this.#parts.ring.push(audio);
    this.#parts.onAudio(audio.length);
  }
}
