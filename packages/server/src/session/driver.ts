import { randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { type Connection, TransportError } from '@kikitori/transport';
import type { Interpreter } from '../dialects/interpreter.js';
import type { SessionLimits } from '../limits.js';
import { Deadlines } from './deadlines.js';
import { Intake } from './intake.js';
import { openLane, openSession } from './machine.js';
import { ENDINGS } from './machine-closing.js';
import { Outbox } from './outbox.js';
import { SessionLane } from './session-lane.js';
import type {
  Append,
  Effect,
  Input,
  MachineConfig,
  Notice,
  SessionInput,
  SessionNotice,
  State,
} from './state.js';

/** What a session needs. */
export interface DriverOptions {
  readonly connection: Connection;
  readonly engine: SpeechEngine;
  readonly limits: SessionLimits & MachineConfig;
  /** Reads and writes the messages of the connection. */
  readonly interpreter: Interpreter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes so many places beside the session's own, for more lanes; answers how to free them, or undefined. Default: they are free. */
  readonly takePlaces?: ((count: number) => (() => void) | undefined) | undefined;
  /** Sees every input of each lane with the effects it had, after they were asked for. Must not throw. */
  readonly observe: (lane: number, input: Input, effects: readonly Effect[], nowMs: number) => void;
}

const CLOSE_NORMAL = 1000;
const CLOSE_LOST = 1006;
const CLOSE_INTERNAL = 1011;

/** About the session and not about one of its voices. */
const OF_SESSION: ReadonlySet<Notice['type']> = new Set([
  'created',
  'configured',
  'cleared',
  'fault',
  'invalid',
]);

/**
 * Performs what the machines of a session ask for, one machine for each of its lanes. Effects are asked for in order and
 * none is waited for inside a step: the lanes and the outbox do the waiting, each in its own order. Audio is read on while
 * less than a bound waits for the engine, so a client that reads nothing until it has sent everything is soon done with
 * sending, and its pings are answered; behind the bound it waits in its socket.
 */
export class SessionDriver {
  /** `sess-` and 16 hexadecimal digits. */
  readonly id = `sess-${randomBytes(8).toString('hex')}`;
  readonly #options: DriverOptions;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  /** Those that all lanes share. */
  readonly #deadlines: Deadlines;
  readonly #lanes: SessionLane[] = [];
  readonly #begunAtMs: number;
  /** Undefined for the one lane of a session that was never told of lanes. */
  #labels: readonly string[] | undefined;
  #freePlaces: (() => void) | undefined;
  /** Something was asked of the session: it has the lanes that it has. */
  #isBegun = false;
  /** What all lanes are told the first one has answered: what the others say of the session is the same once more. */
  #isRepeated = false;
  /** The reader waits for room; to be called whenever there may be some. */
  #wakeReader: (() => void) | undefined;
  /** Where the first lane that is over was closed from: the others say the rest of their words, and nothing else. */
  #ending: { readonly lane: SessionLane; readonly code: number; readonly reason: string } | undefined;
  #closing: Promise<void> | undefined;
  #closeCode: number | undefined;

  constructor(options: DriverOptions) {
    const { connection, clock, limits } = options;
    this.#options = options;
    this.#begunAtMs = clock.nowMs();
    this.#deadlines = new Deadlines(clock, (name) => this.#feedAll({ type: 'deadline', name }));
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
      onStalled: () => this.#feedAll({ type: 'stalled' }),
      onLost: () => this.#feedAll({ type: 'gone' }),
    });
  }

  /** Runs the session to its end; once. Answers with the close code that ended it. Never rejects. */
  async run(): Promise<number> {
    const { clock, limits } = this.#options;
    const first = openSession(limits, { id: this.id, createdS: Math.floor(clock.unixMs() / 1000) });
    this.#addLane(first.state).take(first);
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
    for (const lane of this.#lanes) lane.release();
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
    this.#freePlaces?.();
    return this.#closeCode ?? CLOSE_NORMAL;
  }

  /** Answers what is running, then closes with 1012; at the deadline closes without the answer. */
  drain(deadlineMs: number): void {
    this.#feedAll({ type: 'drain', deadlineMs });
  }

  /** Ends now. */
  destroy(): void {
    this.#options.connection.destroy();
    this.#feedAll({ type: 'gone' });
  }

  #addLane(state: State): SessionLane {
    const { engine, limits, clock, observe } = this.#options;
    const index = this.#lanes.length;
    const lane: SessionLane = new SessionLane({
      engine,
      limits,
      clock,
      state,
      room: () => this.#outbox.room(),
      tell: (notice) => this.#tell(lane, index, notice),
      startDeadline: (name, afterMs) => this.#deadlines.start(name, afterMs),
      onTaken: () => this.#wakeReader?.(),
      onClosing: (code, reason) => this.#laneClosed(lane, code, reason),
      onEnd: () => this.#end(),
      onFailure: (error) => this.#fail(error),
      observe: (input, effects, nowMs) => observe(index, input, effects, nowMs),
    });
    this.#lanes.push(lane);
    return lane;
  }

  async #read(): Promise<void> {
    for (;;) {
      const message = await this.#intake.next();
      if (message === undefined) return;
      for (const input of this.#options.interpreter.read(message)) {
        if (input.type === 'appends') await this.#takeEach(input.pieces);
        else this.#take(input);
      }
      await this.#room();
    }
  }

  /** Other sessions have their turn between them. */
  async #takeEach(pieces: Iterable<Append>): Promise<void> {
    for (const piece of pieces) {
      this.#take(piece);
      await this.#room();
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closing !== undefined) return;
    }
  }

  #take(input: Exclude<SessionInput, { readonly type: 'appends' }>): void {
    if (input.type === 'lanes') {
      this.#setLanes(input.labels);
      return;
    }
    this.#isBegun = true;
    switch (input.type) {
      case 'append':
        this.#laneAt(input.lane ?? 0).feed(input);
        break;
      case 'invalid':
        this.#laneAt(0).feed(input);
        break;
      default:
        this.#feedAll(input);
    }
  }

  /** Another one is a bug of its dialect, and audio that nobody hears would be lost without a word. */
  #laneAt(index: number): SessionLane {
    const lane = this.#lanes[index];
    if (lane === undefined) throw new TypeError(`the session has no lane ${index}`);
    return lane;
  }

  /** Later there are words of one voice, or wishes that the others were never told of. */
  #setLanes(labels: readonly string[]): void {
    if (this.#isBegun || labels.length === 0) throw new TypeError('lanes are named first, and once');
    this.#isBegun = true;
    const more = labels.length - 1;
    if (more > 0) {
      const { takePlaces = () => () => undefined, limits } = this.#options;
      this.#freePlaces = labels.length > limits.lanesMax ? undefined : takePlaces(more);
      if (this.#freePlaces === undefined) {
        this.#laneAt(0).end(ENDINGS.busy);
        return;
      }
    }
    this.#labels = labels;
    for (let lane = 1; lane < labels.length; lane += 1) this.#addLane(openLane());
  }

  #feedAll(input: Input): void {
    for (const [index, lane] of [...this.#lanes].entries()) {
      this.#isRepeated = index > 0;
      lane.feed(input);
    }
    this.#isRepeated = false;
  }

  #tell(lane: SessionLane, index: number, notice: Notice): void {
    const label = this.#labels?.[index];
    const isOfSession = OF_SESSION.has(notice.type);
    const isTold = this.#ending !== undefined && this.#ending.lane !== lane;
    if (isOfSession && (this.#isRepeated || isTold)) return;
    const told: SessionNotice =
      label === undefined || isOfSession ? notice : { ...notice, lane: { index, label } };
    for (const message of this.#options.interpreter.write(told)) this.#outbox.push(message);
  }

  async #room(): Promise<void> {
    while (this.#lanes.some((lane) => lane.isFull)) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    await this.#outbox.room();
  }

  /** Told at once, whoever is waiting for what: the slot is free before the next message would be read. */
  #ended(error: unknown): void {
    if (error !== undefined) {
      this.#closeCode ??= error instanceof TransportError ? (error.closeCode ?? CLOSE_LOST) : CLOSE_LOST;
    }
    this.#feedAll({ type: 'gone' });
  }

  /** The session is over with the last of its lanes; those that are left answer what is running. */
  #laneClosed(lane: SessionLane, code: number, reason: string): void {
    this.#ending ??= { lane, code, reason };
    if (this.#closing !== undefined) return;
    if (this.#lanes.every(({ isClosed }) => isClosed)) {
      this.#closing = this.#close(this.#ending.code, this.#ending.reason);
      return;
    }
    if (this.#ending.lane !== lane) return;
    const { finishMs } = this.#options.limits;
    this.#feedAll({ type: 'drain', deadlineMs: finishMs });
  }

  /** The connection is gone. */
  #end(): void {
    this.#deadlines.stop();
    this.#outbox.end();
    this.#options.connection.destroy();
  }

  /** What was said is delivered first, as far as the client reads it within a bound. */
  async #close(code: number, reason: string): Promise<void> {
    const { clock, connection, interpreter, limits } = this.#options;
    this.#closeCode ??= code;
    this.#deadlines.stop();
    for (const lane of this.#lanes) lane.flush();
    const lifeMs = clock.nowMs() - this.#begunAtMs;
    for (const message of interpreter.write({ type: 'closing', code, lifeMs })) this.#outbox.push(message);
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
    for (const lane of this.#lanes) lane.release();
    this.#wakeReader?.();
    this.#closing ??= this.#close(CLOSE_INTERNAL, 'Internal error.');
  }
}
