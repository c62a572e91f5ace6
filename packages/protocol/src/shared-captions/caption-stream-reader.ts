import { ProtocolError } from '../errors.js';
import { CAPTION_EVENT_CHARS_MAX } from '../limits.js';
import { readCaptionEvent } from './caption-codec.js';
import type { CaptionEvent } from './caption-event.js';

/** Cuts a text that comes in pieces into server-sent events (WHATWG HTML section 9.2), and reads those it knows. */
export class CaptionStreamReader {
  /** The line that has not ended; put together once, however small the pieces are. */
  #open: string[] = [];
  #openChars = 0;
  #name = '';
  #data: string[] = [];
  #dataChars = 0;

  /** Takes a piece; gives the events that it ends. Throws `ProtocolError` `invalid_event` for one that does not end. */
  push(piece: string): CaptionEvent[] {
    if (piece !== '') this.#open.push(piece);
    this.#openChars += piece.length;
    const lines = piece.includes('\n') ? this.#lines() : [];
    const events: CaptionEvent[] = [];
    for (const line of lines) {
      const event = line === '' ? this.#end() : this.#take(line);
      if (event !== undefined) events.push(event);
    }
    this.#check(this.#openChars);
    return events;
  }

  /** Those that have ended. */
  #lines(): string[] {
    const lines = this.#open.join('').split(/\r?\n/);
    const rest = lines.pop() ?? '';
    this.#open = [rest];
    this.#openChars = rest.length;
    return lines;
  }

  #take(line: string): undefined {
    const colonAt = line.indexOf(':');
    const field = colonAt === -1 ? line : line.slice(0, colonAt);
    const value = colonAt === -1 ? '' : line.slice(colonAt + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    if (field !== 'data') return;
    this.#data.push(value);
    this.#dataChars += value.length + 1;
    this.#check(0);
  }

  #end(): CaptionEvent | undefined {
    const event = this.#data.length > 0 ? readCaptionEvent(this.#name, this.#data.join('\n')) : undefined;
    this.#name = '';
    this.#data = [];
    this.#dataChars = 0;
    return event;
  }

  #check(moreChars: number): void {
    if (this.#dataChars + moreChars <= CAPTION_EVENT_CHARS_MAX) return;
    throw new ProtocolError('invalid_event', 'An event of the stream does not end.');
  }
}
