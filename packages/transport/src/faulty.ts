import { assertSendableCloseCode } from './close-code.js';
import type { Connect, Connection, Message } from './connection.js';
import { TransportError } from './errors.js';
import { TRANSPORT_LIMITS } from './limits.js';

/** One thing that can go wrong: `index` counts from 1 over all kinds, in the order in which they begin. */
export interface Operation {
  readonly kind: 'connect' | 'send' | 'receive' | 'close';
  readonly index: number;
}

/** What goes wrong, and when. Nothing set: everything passes untouched. */
export interface FaultPlan {
  /** The operation that fails, counted from 1. */
  readonly failAt?: number;
  /**
   * How it fails: `error` rejects that one operation and cuts the line; `hang` never answers until the connection is
   * destroyed or the operation's signal fires.
   */
  readonly failure?: 'error' | 'hang';
  /** Awaited before each operation: a test's clock delays here, and splits what would come in one burst. */
  readonly before?: (operation: Operation) => Promise<void> | void;
}

/** Counts the operations of every connection made from it, so that a test knows when the Nth no longer exists. */
export class FaultInjector {
  readonly #plan: FaultPlan;
  #count = 0;

  constructor(plan: FaultPlan = {}) {
    this.#plan = plan;
  }

  /** Operations begun so far. */
  get operationCount(): number {
    return this.#count;
  }

  /** Whether the planned failure has happened. */
  get hasFailed(): boolean {
    return this.#plan.failAt !== undefined && this.#count >= this.#plan.failAt;
  }

  /** Wraps an open connection. */
  wrap(inner: Connection): Connection {
    return new FaultyConnection(inner, this);
  }

  /** Wraps what opens connections: the opening is an operation too. */
  connect(inner: Connect): Connect {
    return async (options) => {
      await this.begin('connect', undefined, options.signal);
      return this.wrap(await inner(options));
    };
  }

  /** Counts one operation; rejects when it is the one that fails. `target` is what is cut then. */
  async begin(kind: Operation['kind'], target?: FaultyConnection, signal?: AbortSignal): Promise<void> {
    this.#count += 1;
    const index = this.#count;
    await this.#plan.before?.({ kind, index });
    if (index !== this.#plan.failAt) return;
    if (this.#plan.failure === 'hang') await untilReleased(target, signal);
    const error = new TransportError('injected', 'This failure was made on purpose.');
    target?.destroy(error);
    throw error;
  }
}

/** A connection that does what the injector's plan says before it does what it is asked. */
class FaultyConnection implements Connection {
  readonly id: string;
  readonly messages: AsyncIterable<Message>;
  readonly #inner: Connection;
  readonly #injector: FaultInjector;
  readonly #destroyed = new AbortController();
  /** Keeps order: a delayed send must not be overtaken by the next. */
  #lastSend: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(inner: Connection, injector: FaultInjector) {
    this.id = inner.id;
    this.#inner = inner;
    this.#injector = injector;
    this.messages = { [Symbol.asyncIterator]: () => this.#read() };
  }

  /** Fires when `destroy` was called. */
  get destroyed(): AbortSignal {
    return this.#destroyed.signal;
  }

  send(message: Message, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closing !== undefined) {
      return Promise.reject(new TransportError('closed', 'The connection is closed.'));
    }
    const send = this.#lastSend.then(async () => {
      await this.#injector.begin('send', this, options.signal);
      await this.#inner.send(message, options);
    });
    this.#lastSend = send.catch(() => undefined);
    return send;
  }

  close(code = 1000, reason = ''): Promise<void> {
    try {
      assertSendableCloseCode(code);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
  }

  destroy(reason?: Error): void {
    this.#destroyed.abort(reason);
    this.#inner.destroy(reason);
  }

  async #close(code: number, reason: string): Promise<void> {
    // What hangs is cut at the deadline, as the seam says.
    const deadline = setTimeout(() => this.destroy(), TRANSPORT_LIMITS.closeTimeoutMs);
    await this.#lastSend;
    // A failed close is a cut line: `close` itself still resolves.
    await this.#injector.begin('close', this).catch(() => undefined);
    await this.#inner.close(code, reason);
    clearTimeout(deadline);
  }

  #read(): AsyncIterator<Message, undefined> {
    const iterator = this.#inner.messages[Symbol.asyncIterator]();
    return {
      next: async () => {
        await this.#injector.begin('receive', this);
        const result = await iterator.next();
        return result.done === true ? { done: true, value: undefined } : result;
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}

function untilReleased(target: FaultyConnection | undefined, signal: AbortSignal | undefined): Promise<void> {
  const signals = [target?.destroyed, signal].filter((one) => one !== undefined);
  const release = AbortSignal.any(signals);
  return new Promise((_, reject) => {
    if (release.aborted) {
      reject(release.reason);
      return;
    }
    release.addEventListener('abort', () => reject(release.reason), { once: true });
  });
}
