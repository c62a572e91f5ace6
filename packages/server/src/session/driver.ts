import { randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { type Connection, TransportError } from '@kikitori/transport';
import type { Interpreter } from '../dialects/interpreter.js';
import type { SessionLimits } from '../limits.js';
import { Deadlines } from './deadlines.js';
import { DeltaJoiner } from './delta-joiner.js';
import { EngineLane } from './engine-lane.js';
import { Intake } from './intake.js';
import { advance, openSession } from './machine.js';
import { Outbox } from './outbox.js';
import type { Effect, Input, MachineConfig, Notice, State, Step } from './state.js';

/** What a session needs. */
export interface DriverOptions {
  readonly connection: Connection;
  readonly engine: SpeechEngine;
  readonly limits: SessionLimits & MachineConfig;
  /** Reads and writes the messages of the connection. */
  readonly interpreter: Interpreter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sees every input with the effects it had, after they were asked for. Must not throw. */
  readonly observe: (input: Input, effects: readonly Effect[], nowMs: number) => void;
}

const SAMPLES_PER_MS = 16;
const BYTES_PER_MS = 32;
/** Five seconds that wait behind what the engine holds: no speaker gets there whom it keeps up with. */
const AHEAD_BYTES = 5000 * BYTES_PER_MS;
const CLOSE_NORMAL = 1000;
const CLOSE_LOST = 1006;
const CLOSE_INTERNAL = 1011;

/**
 * Performs what the session machine asks for. Effects are asked for in order and none is waited for inside a step:
 * the lane and the outbox do the waiting, each in its own order. Audio is read on while less than a bound waits for
 * the engine, so a client that reads nothing until it has sent everything is soon done with sending, and its pings are
 * answered; behind the bound it waits in its socket.
 */
export class SessionDriver {
  /** `sess-` and 16 hexadecimal digits. */
  readonly id = `sess-${randomBytes(8).toString('hex')}`;
  readonly #options: DriverOptions;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  readonly #lane: EngineLane;
  readonly #deadlines: Deadlines;
  #state: State = { type: 'closed' };
  readonly #joiner: DeltaJoiner;
  /** The reader waits for room; to be called whenever there may be some. */
  #wakeReader: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #closeCode: number | undefined;

  constructor(options: DriverOptions) {
    const { connection, clock, engine, limits } = options;
    this.#options = options;
    this.#deadlines = new Deadlines(clock, (name) => this.#feed({ type: 'deadline', name }));
    this.#intake = new Intake({
      messages: connection.messages,
      waitingMax: limits.inputMessagesMax,
      waitingLengthMax: limits.inputLengthMax,
      onEnd: (error) => this.#ended(error),
    });
    this.#outbox = new Outbox({
      connection,
      clock,
      waitingCharsMax: limits.outputCharsMax,
      stallMs: limits.outputStallMs,
      onStalled: () => this.#feed({ type: 'stalled' }),
      onLost: () => this.#feed({ type: 'gone' }),
    });
    this.#lane = new EngineLane({
      engine,
      onHypothesis: (hypothesis) => this.#feed({ type: 'hypothesis', hypothesis }),
      onLost: (code) => this.#feed({ type: 'engine-lost', code }),
      onTaken: () => this.#wakeReader?.(),
      room: () => this.#outbox.room(),
    });
    this.#joiner = new DeltaJoiner({
      clock,
      intervalMs: limits.aheadDeltaMs,
      charsMax: limits.aheadDeltaCharsMax,
      isAhead: () => this.#lane.waitingBytes > AHEAD_BYTES,
      send: (notice) => this.#tell(notice),
    });
  }

  /** Runs the session to its end; once. Answers with the close code that ended it. Never rejects. */
  async run(): Promise<number> {
    const { clock, limits } = this.#options;
    this.#take(openSession(limits, { id: this.id, createdS: Math.floor(clock.unixMs() / 1000) }));
    const intake = this.#intake.run();
    try {
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
    await intake;
    await this.#closing;
    this.#deadlines.stop();
    this.#outbox.end();
    this.#lane.release();
    await this.#lane.idle();
    return this.#closeCode ?? CLOSE_NORMAL;
  }

  /** Answers what is running, then closes with 1012; at the deadline closes without the answer. */
  drain(deadlineMs: number): void {
    this.#feed({ type: 'drain', deadlineMs });
  }

  /** Ends now. */
  destroy(): void {
    this.#options.connection.destroy();
    this.#feed({ type: 'gone' });
  }

  async #read(): Promise<void> {
    for (;;) {
      const message = await this.#intake.next();
      if (message === undefined) return;
      for (const input of this.#options.interpreter.read(message)) this.#feed(input);
      await this.#room();
    }
  }

  #tell(notice: Notice): void {
    for (const message of this.#options.interpreter.write(notice)) this.#outbox.push(message);
  }

  async #room(): Promise<void> {
    while (this.#isFull) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    await this.#outbox.room();
  }

  /**
   * Audio that has its turn before it is read further. What waits for its utterance to begin is none of it: only the client can make
   * room there, so the machine refuses what does not fit.
   */
  get #isFull(): boolean {
    const { queuedAudioMsMax, queuedUtterancesMax } = this.#options.limits;
    const state = this.#state;
    if (state.type === 'closed') return false;
    const laneMs = this.#lane.waitingBytes / BYTES_PER_MS;
    if (state.type !== 'answering') return laneMs >= queuedAudioMsMax;
    // Half of it, so that the longest message that may come still fits into the queue.
    const queueMs = state.queue.lengthSamples / SAMPLES_PER_MS;
    return laneMs + queueMs >= queuedAudioMsMax / 2 || state.queue.ends >= queuedUtterancesMax;
  }

  /** Told at once, whoever is waiting for what: the slot is free before the next message would be read. */
  #ended(error: unknown): void {
    if (error !== undefined) {
      this.#closeCode ??= error instanceof TransportError ? (error.closeCode ?? CLOSE_LOST) : CLOSE_LOST;
    }
    this.#feed({ type: 'gone' });
  }

  #feed(input: Input): void {
    if (this.#state.type === 'closed') return;
    try {
      const { clock, limits, observe } = this.#options;
      const nowMs = clock.nowMs();
      const step = advance(limits, this.#state, input, nowMs);
      this.#take(step);
      observe(input, step.effects, nowMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(step: Step): void {
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
    this.#wakeReader?.();
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.#joiner.push(effect.notice);
        break;
      case 'open':
        this.#lane.open(effect.wishes);
        break;
      case 'write':
        this.#lane.write(effect.pcm);
        break;
      case 'flush':
        this.#lane.flush(effect.marker);
        break;
      case 'release':
        this.#lane.release();
        break;
      case 'start-deadline':
        this.#deadlines.start(effect.name, effect.afterMs);
        break;
      case 'close':
        this.#closing = this.#close(effect.code, effect.reason);
        break;
      case 'drop':
        break;
      case 'end':
        this.#deadlines.stop();
        this.#outbox.end();
        // Nothing of it is sent any more; no timer stays.
        this.#joiner.flush();
        this.#options.connection.destroy();
        break;
      default:
        effect satisfies never;
    }
  }

  /** What was said is delivered first, as far as the client reads it within a bound. */
  async #close(code: number, reason: string): Promise<void> {
    const { clock, connection, limits } = this.#options;
    this.#closeCode ??= code;
    this.#deadlines.stop();
    this.#joiner.flush();
    this.#intake.drop();
    const cancel = clock.after(limits.closeFlushMs, () => this.#outbox.end());
    await this.#outbox.empty();
    cancel();
    this.#outbox.end();
    await connection.close(code, reason).catch(() => connection.destroy());
  }

  /** A bug of ours ends this session and no other. */
  #fail(error: unknown): void {
    this.#options.logger.error('A session failed and was ended.', {
      session: this.id,
      stack: error instanceof Error ? error.stack : undefined,
    });
    this.#closeCode ??= CLOSE_INTERNAL;
    this.#state = { type: 'closed' };
    this.#wakeReader?.();
    this.#lane.release();
    this.#closing ??= this.#close(CLOSE_INTERNAL, 'Internal error.');
  }
}
