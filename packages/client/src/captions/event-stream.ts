import { ClientError } from '../errors.js';

/** One server-sent event. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Longest event: a snapshot of the server's bound in its longest spelling. Above it the stream is given up. */
const EVENT_CHARS_MAX = 2 * 1024 * 1024;

/** Cuts a text that comes in pieces into server-sent events (WHATWG HTML section 9.2), as our server writes them. */
export class EventStreamParser {
  #text = '';
  #name = '';
  #data: string[] = [];

  /** Takes a piece; gives the events that it ends. Throws `protocol_error` for one that does not end. */
  push(piece: string): StreamEvent[] {
    const lines = (this.#text + piece).split(/\r?\n/);
    this.#text = lines.pop() ?? '';
    if (this.#text.length > EVENT_CHARS_MAX) {
      throw new ClientError('protocol_error', 'The server sent an event without an end.');
    }
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): StreamEvent[] {
    if (line === '') {
      const event = { name: this.#name, data: this.#data.join('\n') };
      const isEvent = this.#data.length > 0;
      this.#name = '';
      this.#data = [];
      return isEvent ? [event] : [];
    }
    const colonAt = line.indexOf(':');
    const field = colonAt === -1 ? line : line.slice(0, colonAt);
    const value = colonAt === -1 ? '' : line.slice(colonAt + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    return [];
  }
}
