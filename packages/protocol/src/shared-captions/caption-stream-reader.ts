import { ProtocolError } from '../errors.js';
import { CAPTION_EVENT_CHARS_MAX } from '../limits.js';
import { readCaptionEvent } from './caption-codec.js';
import type { CaptionEvent } from './caption-event.js';

/** Cuts a text that comes in pieces into server-sent events (WHATWG HTML section 9.2), and reads those it knows. */
export class CaptionStreamReader {
  #text = '';
  #name = '';
  #data: string[] = [];
  #dataChars = 0;

  /** Takes a piece; gives the events that it ends. Throws `ProtocolError` `invalid_event` for one that does not end. */
  push(piece: string): CaptionEvent[] {
    const lines = (this.#text + piece).split(/\r?\n/);
    this.#text = lines.pop() ?? '';
    const events: CaptionEvent[] = [];
    for (const line of lines) {
      const event = line === '' ? this.#end() : this.#take(line);
      if (event !== undefined) events.push(event);
    }
    this.#check(this.#text.length);
    return events;
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
