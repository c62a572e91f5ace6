import type { Message } from '@kikitori/transport';
import type { SessionInput, SessionNotice } from '../session/state.js';
import type { Conversation, Dialect, DialectRequest } from './dialect.js';
import { dialectOf } from './registry.js';

/** What an interpreter needs. */
export interface InterpreterOptions {
  /** Those that may claim the connection. */
  readonly dialects: readonly Dialect[];
  /** The one that its request speaks. */
  readonly dialect: Dialect;
  readonly request: DialectRequest;
}

/**
 * Stands between a connection and its session, in the dialect of the connection: that of its request, or the one that
 * claims its first message.
 */
export class Interpreter {
  readonly #options: InterpreterOptions;
  #dialect: Dialect;
  #conversation: Conversation;
  /** What was said before the first message came: whoever takes over has to know it. */
  #said: SessionNotice[] | undefined = [];

  constructor(options: InterpreterOptions) {
    this.#options = options;
    this.#dialect = options.dialect;
    this.#conversation = options.dialect.converse(options.request);
  }

  read(message: Message): readonly SessionInput[] {
    if (this.#said !== undefined) this.#settle(this.#said, message);
    return this.#conversation.read(message);
  }

  write(notice: SessionNotice): readonly Message[] {
    this.#said?.push(notice);
    return this.#conversation.write(notice);
  }

  #settle(said: readonly SessionNotice[], firstMessage: Message): void {
    this.#said = undefined;
    const { dialects } = this.#options;
    const request = { ...this.#options.request, firstMessage };
    const dialect = dialectOf(dialects, request) ?? this.#dialect;
    if (dialect === this.#dialect) return;
    this.#dialect = dialect;
    this.#conversation = dialect.converse(request);
    // Already told, in the words of the other one.
    for (const notice of said) this.#conversation.write(notice);
  }
}
