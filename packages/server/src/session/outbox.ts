import type { Clock } from '@kikitori/core';
import type { Connection, Message } from '@kikitori/transport';

/** What an outbox needs. */
export interface OutboxOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** UTF-16 units and bytes that may wait; above it `room` waits. */
  readonly waitingCharsMax: number;
  /** How long it may stay above the bound. */
  readonly stallMs: number;
  /** The client did not read for too long. */
  readonly onStalled: () => void;
  /** Sending failed: the connection is gone. */
  readonly onLost: () => void;
}

/**
 * Messages on their way to the client, in order. `push` never waits, so that what the engine says is taken off it
 * while a client reads nothing until it has sent everything; producers ask `room` before they produce more, so at
 * most `waitingCharsMax` and one message per producer wait here. Above the bound a deadline runs.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #waiting: Message[] = [];
  #waitingChars = 0;
  #isSending = false;
  #isOver = false;
  #cancelStall: (() => void) | undefined;
  #forRoom: (() => void)[] = [];
  #forEmpty: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes a message; after `end` it is dropped. */
  push(message: Message): void {
    if (this.#isOver) return;
    this.#waiting.push(message);
    this.#waitingChars += message.length;
    if (this.#isFull) {
      const { clock, stallMs, onStalled } = this.#options;
      this.#cancelStall ??= clock.after(stallMs, onStalled);
    }
    if (!this.#isSending) {
      this.#isSending = true;
      void this.#send();
    }
  }

  /** Settles once less than the bound waits. */
  room(): Promise<void> {
    if (this.#isOver || !this.#isFull) return Promise.resolve();
    return new Promise((resolve) => this.#forRoom.push(resolve));
  }

  /** Settles once everything was handed to the connection. */
  empty(): Promise<void> {
    if (this.#isOver || !this.#isSending) return Promise.resolve();
    return new Promise((resolve) => this.#forEmpty.push(resolve));
  }

  /** Drops what waits; nothing runs afterwards. Idempotent. */
  end(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    this.#wake();
  }

  get #isFull(): boolean {
    return this.#waitingChars > this.#options.waitingCharsMax;
  }

  async #send(): Promise<void> {
    const { connection, onLost } = this.#options;
    try {
      while (this.#waiting.length > 0) {
        // All at once and not shifted one by one: shifting a long array costs its length each time.
        const batch = this.#waiting;
        this.#waiting = [];
        for (const message of batch) {
          if (this.#isOver) return;
          await connection.send(message);
          this.#sent(message);
        }
      }
    } catch {
      if (!this.#isOver) onLost();
    } finally {
      this.#isSending = false;
      this.#wake();
    }
  }

  #sent(message: Message): void {
    if (this.#isOver) return;
    this.#waitingChars -= message.length;
    if (this.#isFull) return;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    const waiting = this.#forRoom;
    this.#forRoom = [];
    for (const resolve of waiting) resolve();
  }

  #wake(): void {
    const waiting = [...this.#forEmpty, ...(this.#isOver ? this.#forRoom : [])];
    this.#forEmpty = [];
    if (this.#isOver) this.#forRoom = [];
    for (const resolve of waiting) resolve();
  }
}
