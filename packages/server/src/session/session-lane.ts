import type { Clock } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import type { SessionLimits } from '../limits.js';
import { Deadlines } from './deadlines.js';
import { DeltaJoiner } from './delta-joiner.js';
import { EngineLane } from './engine-lane.js';
import { advance } from './machine.js';
import { closeNow } from './machine-closing.js';
import type { DeadlineName, Effect, Ending, Input, MachineConfig, Notice, State, Step } from './state.js';

/** What a lane needs of its session. */
export interface SessionLaneOptions {
  readonly engine: SpeechEngine;
  readonly limits: SessionLimits & MachineConfig;
  readonly clock: Clock;
  /** Where it begins. */
  readonly state: State;
  /** Settles when the client can take more. */
  readonly room: () => Promise<void>;
  readonly tell: (notice: Notice) => void;
  /** A deadline that all lanes share is to start, or to start anew. */
  readonly startDeadline: (name: DeadlineName, afterMs: number) => void;
  /** There may be room for more audio. */
  readonly onTaken: () => void;
  /** The lane is over, and with it the session. */
  readonly onClosing: (code: number, reason: string) => void;
  /** It is over because the connection is gone. */
  readonly onEnd: () => void;
  /** Something failed that should not: a bug. */
  readonly onFailure: (error: unknown) => void;
  /** Sees every input with the effects it had, after they were asked for. Must not throw. */
  readonly observe: (input: Input, effects: readonly Effect[], nowMs: number) => void;
}

const SAMPLES_PER_MS = 16;
const BYTES_PER_MS = 32;
/** Five seconds that wait behind what the engine holds: no speaker gets there whom it keeps up with. */
const AHEAD_BYTES = 5000 * BYTES_PER_MS;

/** One voice of a session: its machine, its stream of the engine, and what it has to say. */
export class SessionLane {
  readonly #options: SessionLaneOptions;
  readonly #stream: EngineLane;
  readonly #joiner: DeltaJoiner;
  /** Only `progress`: each lane tells its own. */
  readonly #deadlines: Deadlines;
  #state: State;

  constructor(options: SessionLaneOptions) {
    const { engine, clock, limits, room, tell, onTaken } = options;
    this.#options = options;
    this.#state = options.state;
    this.#deadlines = new Deadlines(clock, (name) => this.feed({ type: 'deadline', name }));
    this.#stream = new EngineLane({
      engine,
      onHypothesis: (hypothesis) => this.feed({ type: 'hypothesis', hypothesis }),
      onLost: (code) => this.feed({ type: 'engine-lost', code }),
      onTaken,
      room,
    });
    this.#joiner = new DeltaJoiner({
      clock,
      intervalMs: limits.aheadDeltaMs,
      charsMax: limits.aheadDeltaCharsMax,
      isAhead: () => this.#stream.waitingBytes > AHEAD_BYTES,
      send: tell,
    });
  }

  get isClosed(): boolean {
    return this.#state.type === 'closed';
  }

  /**
   * Audio that has its turn before it is read further. What waits for its utterance to begin is none of it: only the client
   * can make room there, so the machine refuses what does not fit.
   */
  get isFull(): boolean {
    const { queuedAudioMsMax, queuedUtterancesMax } = this.#options.limits;
    const state = this.#state;
    if (state.type === 'closed') return false;
    const streamMs = this.#stream.waitingBytes / BYTES_PER_MS;
    if (state.type !== 'answering') return streamMs >= queuedAudioMsMax;
    // Half of it, so that the longest message that may come still fits into the queue.
    const queueMs = state.queue.lengthSamples / SAMPLES_PER_MS;
    return streamMs + queueMs >= queuedAudioMsMax / 2 || state.queue.ends >= queuedUtterancesMax;
  }

  /** Gives the machine an input and does what it asks for; nothing once the lane is closed. */
  feed(input: Input): void {
    if (this.isClosed) return;
    try {
      const { clock, limits, observe } = this.#options;
      const nowMs = clock.nowMs();
      const step = advance(limits, this.#state, input, nowMs);
      this.take(step);
      observe(input, step.effects, nowMs);
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** Does what a step asks for, in order. */
  take(step: Step): void {
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
    this.#options.onTaken();
  }

  /** Ends it, and with it the session, for a reason of the session's. */
  end(ending: Ending): void {
    if (this.#state.type !== 'closed') this.take(closeNow(this.#state, ending));
  }

  /** Says what is held back. */
  flush(): void {
    this.#joiner.flush();
  }

  /** Closes it as it stands: its stream is given back, nothing is said any more. Idempotent. */
  release(): void {
    this.#state = { type: 'closed' };
    this.#deadlines.stop();
    this.#stream.release();
  }

  /** Settles when everything asked of the engine was done. Never rejects. */
  idle(): Promise<void> {
    return this.#stream.idle();
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.#joiner.push(effect.notice);
        break;
      case 'open':
        this.#stream.open(effect.wishes);
        break;
      case 'write':
        this.#stream.write(effect.pcm);
        break;
      case 'flush':
        this.#stream.flush(effect.marker);
        break;
      case 'release':
        this.#stream.release();
        break;
      case 'start-deadline':
        if (effect.name === 'progress') this.#deadlines.start(effect.name, effect.afterMs);
        else this.#options.startDeadline(effect.name, effect.afterMs);
        break;
      case 'close':
        this.#deadlines.stop();
        this.#joiner.flush();
        this.#options.onClosing(effect.code, effect.reason);
        break;
      case 'drop':
        break;
      case 'end':
        this.#deadlines.stop();
        this.#options.onEnd();
        // Nothing of it is sent any more; no timer stays.
        this.#joiner.flush();
        break;
      default:
        effect satisfies never;
    }
  }
}
