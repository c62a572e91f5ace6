import { pcm16ToFloat32 } from '@kikitori/audio';
import {
  EngineError,
  type EngineErrorCode,
  type Hypothesis,
  type SpeechEngine,
  type SpeechStream,
} from '@kikitori/engine';
import type { StreamWishes } from './state.js';

/** What a lane needs. */
export interface EngineLaneOptions {
  readonly engine: SpeechEngine;
  readonly onHypothesis: (hypothesis: Hypothesis) => void;
  /** A stream could not be opened or failed; told once per stream, never after `release`. */
  readonly onLost: (code: EngineErrorCode) => void;
  /** The engine took audio, or what waited was given up. */
  readonly onTaken: () => void;
  /** Awaited after each hypothesis: where the client does not take what is said, the engine is not asked on. */
  readonly room: () => Promise<void>;
}

/** Audio is written in pieces of at most one second, so that the engine's bound holds for an append of any length. */
const PIECE_BYTES = 2 * 16_000;

/** One stream of the engine, from the wish to open it until it is over. */
interface Slot {
  stream: SpeechStream | undefined;
  isOver: boolean;
  readonly opening: AbortController;
  pump: Promise<void>;
}

/** Audio that waits in the lane: small appends are joined, so that their number costs nothing. */
interface WaitingAudio {
  readonly slot: Slot;
  /** As it came; or a block of `PIECE_BYTES` once there was more than one. */
  pcm: Uint8Array;
  length: number;
}

/**
 * Does in order what the session wants of the engine, one thing at a time, while what the engine says is pumped
 * beside it. `waitingBytes` is what it holds: whoever feeds it keeps that bounded.
 */
export class EngineLane {
  readonly #options: EngineLaneOptions;
  #tail: Promise<void> = Promise.resolve();
  #slot: Slot | undefined;
  /** The audio that was asked for last, while nothing follows it and it was not begun. */
  #last: WaitingAudio | undefined;
  #waitingBytes = 0;

  constructor(options: EngineLaneOptions) {
    this.#options = options;
  }

  /** Opens a stream; the one before must have been released. */
  open({ words, partials, onsets, delayMs }: StreamWishes): void {
    const slot: Slot = {
      stream: undefined,
      isOver: false,
      opening: new AbortController(),
      pump: Promise.resolve(),
    };
    this.#slot = slot;
    this.#enqueue(async () => {
      if (slot.isOver) return;
      const { signal } = slot.opening;
      const stream = await this.#options.engine.open({
        words,
        partials,
        onsets,
        mode: 'live',
        signal,
        ...(delayMs === undefined ? {} : { delayMs }),
      });
      slot.stream = stream;
      if (slot.isOver) await stream.close();
      else slot.pump = this.#pump(slot, stream);
    });
  }

  /** Audio that the engine has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** PCM16 little-endian; kept until it is written. */
  write(pcm: Uint8Array): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#waitingBytes += pcm.length;
    if (this.#last?.slot === slot && join(this.#last, pcm)) return;
    const audio: WaitingAudio = { slot, pcm, length: pcm.length };
    this.#enqueue(async () => {
      if (this.#last === audio) this.#last = undefined;
      await this.#hand(audio);
    });
    this.#last = audio;
  }

  async #hand({ slot, pcm, length }: WaitingAudio): Promise<void> {
    let at = 0;
    try {
      while (at < length && !slot.isOver && slot.stream !== undefined) {
        const piece = pcm.subarray(at, Math.min(length, at + PIECE_BYTES));
        await slot.stream.write(pcm16ToFloat32(piece));
        at += piece.length;
        this.#taken(piece.length);
      }
    } finally {
      this.#taken(length - at);
    }
  }

  #taken(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#options.onTaken();
  }

  flush(marker: number): void {
    const slot = this.#slot;
    this.#enqueue(async () => {
      if (slot !== undefined && !slot.isOver) slot.stream?.flush(marker);
    });
  }

  /** Gives the stream back at once, whatever is still waiting to be written. */
  release(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#slot = undefined;
    const closed = this.#end(slot);
    // What comes next may need the slot.
    this.#tail = this.#tail.then(() => closed);
  }

  /** Settles when everything asked so far was done. Never rejects. */
  idle(): Promise<void> {
    return this.#tail;
  }

  #enqueue(job: () => Promise<void>): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#last = undefined;
    this.#tail = this.#tail.then(async () => {
      try {
        await job();
      } catch (error) {
        this.#lost(slot, error);
      }
    });
  }

  async #pump(slot: Slot, stream: SpeechStream): Promise<void> {
    try {
      for await (const hypothesis of stream.hypotheses) {
        if (slot.isOver) return;
        this.#options.onHypothesis(hypothesis);
        await this.#options.room();
      }
      this.#lost(slot, new EngineError('engine_internal', 'The stream ended without being closed.'));
    } catch (error) {
      this.#lost(slot, error);
    }
  }

  #lost(slot: Slot, error: unknown): void {
    if (slot.isOver) return;
    if (this.#slot === slot) this.#slot = undefined;
    const closed = this.#end(slot);
    this.#tail = this.#tail.then(() => closed);
    this.#options.onLost(error instanceof EngineError ? error.code : 'engine_internal');
  }

  async #end(slot: Slot): Promise<void> {
    slot.isOver = true;
    slot.opening.abort();
    try {
      await slot.stream?.close();
    } catch {
      // A stream that fails to close is as gone as one that closed.
    }
    await slot.pump;
  }
}

/** Puts small audio behind what waits already; false where it does not fit. */
function join(waiting: WaitingAudio, pcm: Uint8Array): boolean {
  const length = waiting.length + pcm.length;
  if (length > PIECE_BYTES) return false;
  if (waiting.pcm.length < PIECE_BYTES) {
    const block = new Uint8Array(PIECE_BYTES);
    block.set(waiting.pcm);
    waiting.pcm = block;
  }
  waiting.pcm.set(pcm, waiting.length);
  waiting.length = length;
  return true;
}
