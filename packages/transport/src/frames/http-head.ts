import { TransportError } from '../errors.js';
import { FRAME_LIMITS } from './limits.js';

/** The head of an HTTP/1.1 answer. Header names are lower case; headers of one name are joined with `, `. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const END_OF_HEAD = '\r\n\r\n';
const STATUS_LINE = /^HTTP\/1\.1 ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Collects the head of an answer from bytes in any cut. Bounded: 16 KB for the head, eight interim answers (1xx but
 * 101), which are skipped. Throws `protocol_error` for more, and for what is not HTTP/1.1.
 */
export class ResponseHeadReader {
  #bytes: Buffer = Buffer.alloc(0);
  #interimAnswers = 0;

  /** @returns The head once it is whole, with the bytes behind it; undefined before. */
  push(chunk: Uint8Array): { readonly head: ResponseHead; readonly rest: Buffer } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const end = this.#bytes.indexOf(END_OF_HEAD, 0, 'latin1');
      if ((end === -1 ? this.#bytes.length : end) > FRAME_LIMITS.headBytesMax) {
        throw new TransportError('protocol_error', 'The head of the handshake’s answer is above 16 KB.');
      }
      if (end === -1) return undefined;
      const head = parseHead(this.#bytes.toString('latin1', 0, end));
      const rest = this.#bytes.subarray(end + END_OF_HEAD.length);
      if (head.status >= 200 || head.status === 101) return { head, rest };
      this.#interimAnswers += 1;
      if (this.#interimAnswers > FRAME_LIMITS.interimAnswersMax) throw notHttp();
      this.#bytes = rest;
    }
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) throw notHttp();
  // Without a prototype: the names are the peer's.
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, rawName, rawValue] = HEADER_LINE.exec(line) ?? [];
    if (rawName === undefined || rawValue === undefined) throw notHttp();
    const name = rawName.toLowerCase();
    const value = rawValue.trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return { status: Number(status), headers };
}

function notHttp(): TransportError {
  return new TransportError('protocol_error', 'What answered there does not speak HTTP/1.1.');
}

/** Whether a comma-separated header holds a word, in any case. */
export function hasToken(header: string | undefined, token: string): boolean {
  return header?.split(',').some((word) => word.trim().toLowerCase() === token) ?? false;
}
