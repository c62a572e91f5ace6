import type { ServerResponse } from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Logger } from '@kikitori/core';
import type { StandInLimits } from './limits.js';

/** What a keeper needs. */
export interface KeeperOptions {
  readonly limits: StandInLimits;
  readonly clock: Clock;
}

/**
 * Keeps one connection as long as it carries streams. The official client says GOAWAY right after the response headers
 * and goes on streaming; Node answers a GOAWAY with `session.close()`, which says GOAWAY back, and older clients take
 * that for the end. So `close` waits here until no stream is left.
 */
export class SessionKeeper {
  readonly #session: ServerHttp2Session;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #close: () => void;
  #streamCount = 0;
  #isRetired = false;
  #cancelIdle: () => void = () => undefined;

  constructor(
    session: ServerHttp2Session,
    { clock, limits, logger }: KeeperOptions & { readonly logger: Logger },
  ) {
    this.#session = session;
    this.#clock = clock;
    this.#idleMs = limits.connectionIdleMs;
    this.#close = session.close.bind(session);
    session.close = () => this.retire();
    session.on('error', () => logger.debug('connection failed'));
    session.on('stream', (stream) => this.#count(stream));
    session.once('close', () => this.#cancelIdle());
    this.#watchIdle();
  }

  /** Closes the connection as soon as it carries no stream. */
  retire(): void {
    this.#isRetired = true;
    if (this.#streamCount === 0) this.#close();
  }

  #count(stream: ServerHttp2Stream): void {
    this.#streamCount += 1;
    this.#cancelIdle();
    stream.once('close', () => {
      this.#streamCount -= 1;
      if (this.#streamCount > 0) return;
      if (this.#isRetired) this.#close();
      else this.#watchIdle();
    });
  }

  #watchIdle(): void {
    this.#cancelIdle = this.#clock.after(this.#idleMs, () => this.#session.destroy());
  }
}

/** Keeps one connection of HTTP/1.1 as long as a request on it is being answered, and for a while between two. */
export class LineKeeper {
  readonly #socket: Socket;
  readonly #options: KeeperOptions;
  #requestCount = 0;
  #isRetired = false;
  #cancelIdle: () => void = () => undefined;

  constructor(socket: Socket, options: KeeperOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.once('close', () => this.#cancelIdle());
    this.#watchIdle();
  }

  /** A request whose head has come. */
  count(response: ServerResponse): void {
    this.#requestCount += 1;
    this.#cancelIdle();
    response.once('close', () => {
      this.#requestCount -= 1;
      if (this.#requestCount > 0 || this.#socket.destroyed) return;
      if (this.#isRetired) this.#socket.destroySoon();
      else this.#watchIdle();
    });
  }

  /** Closes the connection as soon as nothing on it is being answered. */
  retire(): void {
    this.#isRetired = true;
    if (this.#requestCount === 0) this.#socket.destroySoon();
  }

  #watchIdle(): void {
    const { clock, limits } = this.#options;
    this.#cancelIdle = clock.after(limits.connectionIdleMs, () => this.#socket.destroy());
  }
}
