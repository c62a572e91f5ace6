import { whenAborted } from '@kikitori/core';
import { parseServerEvent } from '@kikitori/protocol';
import type { Connection, Message } from '@kikitori/transport';
import { Deadline } from './deadline.js';
import { ClientError, fromConnectionEnd } from './errors.js';
import { HEAR_OUT_MS, SEND_TIMEOUT_MS, SIGN_OF_LIFE_MS, UNANSWERED_MS } from './limits.js';

/** What was opened and greeted. */
export interface LegParts {
  /** The server's name for the session. */
  readonly id: string;
  readonly connection: Connection;
  /** The connection's one consumer; the greeting has been taken from it. */
  readonly incoming: AsyncIterator<Message>;
}

/** What a server may say. */
export type WireEvent = ReturnType<typeof parseServerEvent>;

/** Reads one message; SageMaker's runtime hands text on as bytes. */
export function eventOf(message: Message): WireEvent {
  return parseServerEvent(typeof message === 'string' ? message : new TextDecoder().decode(message));
}

/**
 * One connection of a session. It ends once: by `end` with what went wrong, or by `close`; then its signal has fired,
 * nothing it says is of interest, and no timer is left.
 */
export class Leg {
  readonly id: string;
  readonly #connection: Connection;
  readonly #incoming: AsyncIterator<Message>;
  readonly #over = new AbortController();
  #failure: ClientError | undefined;
  #deadline: Deadline | undefined;
  /** Runs while audio was sent and nothing came back, with a server that always says something. */
  readonly #silence = new Deadline(SIGN_OF_LIFE_MS, () => {
    this.end(new ClientError('timeout', 'The server gave no sign of life while audio was sent.'));
  });
  /** Audio sent since something came back, while signs are expected. */
  #unansweredMs = 0;
  /** Ends the wait for the message that is being sent. */
  #leaveWrite: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor({ id, connection, incoming }: LegParts) {
    this.id = id;
    this.#connection = connection;
    this.#incoming = incoming;
  }

  /** Fires when the leg has ended, however. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** What went wrong, where something did. */
  get failure(): ClientError | undefined {
    return this.#failure;
  }

  /** Gives everything that is said to `onEvent` and waits for it; resolves when the connection has ended. */
  async read(onEvent: (event: WireEvent) => Promise<void> | void): Promise<void> {
    try {
      for (let next = await this.#incoming.next(); next.done !== true; next = await this.#incoming.next()) {
        if (this.#over.signal.aborted) continue;
        this.#deadline?.restart();
        this.#silence.clear();
        this.#unansweredMs = 0;
        await onEvent(eventOf(next.value));
      }
      this.end(fromConnectionEnd(undefined));
    } catch (error) {
      this.end(fromConnectionEnd(error));
    }
  }

  /** Sends one message, and one at a time; resolves when it was taken or the leg has ended. Never rejects. */
  async write(text: string): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.expect(SEND_TIMEOUT_MS);
    const expected = this.#deadline;
    try {
      await this.#taken(this.#connection.send(text));
    } catch (error) {
      await this.#hearOut(fromConnectionEnd(error));
    }
    // A quick server may have answered already, and something else may be awaited by now.
    if (this.#deadline === expected) this.relax();
  }

  /** No listener on a signal for it: it is made for every message. */
  #taken(sending: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#leaveWrite = resolve;
      sending.then(resolve, reject);
    });
  }

  /** Nothing can be sent any more. What the server said before tells more than that: it is heard first. */
  async #hearOut(error: ClientError): Promise<void> {
    const { signal } = this.#over;
    const deadline = new Deadline(HEAR_OUT_MS, () => this.end(error));
    deadline.restart();
    await new Promise<void>((resolve) => whenAborted(signal, resolve));
    deadline.clear();
  }

  /** So much audio was sent to a server that says something about all audio: it has to, in the time for a sign. */
  expectSign(audioMs: number): void {
    const wasExpected = this.#unansweredMs > UNANSWERED_MS;
    this.#unansweredMs += audioMs;
    if (wasExpected || this.#unansweredMs <= UNANSWERED_MS || this.#over.signal.aborted) return;
    this.#silence.restart();
  }

  /** The server has to say something within this time, and again and again until `relax`; otherwise the leg ends. */
  expect(timeoutMs: number): void {
    this.relax();
    if (this.#over.signal.aborted) return;
    this.#deadline = new Deadline(timeoutMs, () => {
      this.end(new ClientError('timeout', 'The server did not take the audio or answer in time.'));
    });
    this.#deadline.restart();
  }

  /** Nothing is awaited. */
  relax(): void {
    this.#deadline?.clear();
    this.#deadline = undefined;
  }

  /** Ends now, because of this; the first reason is the one that counts. */
  end(error: ClientError): void {
    if (this.#over.signal.aborted) return;
    this.#failure = error;
    this.#stop();
    void this.close();
  }

  /** Ends in order, as far as the other side takes part. Resolves when the connection is gone. Never rejects. */
  close(): Promise<void> {
    this.#stop();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends now. */
  destroy(reason?: Error): void {
    this.#stop();
    this.#connection.destroy(reason);
  }

  #stop(): void {
    this.relax();
    this.#silence.clear();
    this.#over.abort();
    this.#leaveWrite?.();
  }

  async #close(): Promise<void> {
    try {
      await this.#connection.close();
    } catch {
      // A transport whose `close` rejects is destroyed all the same.
    } finally {
      // What the peer still says is of no interest, and a reader that hangs is released.
      this.#connection.destroy();
    }
  }
}
