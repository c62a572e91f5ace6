import { randomBytes } from 'node:crypto';
import { TransportError } from '../errors.js';
import { hasToken, type ResponseHead, ResponseHeadReader } from './http-head.js';
import { RefusalBody } from './refusal-body.js';
import { acceptFor, headerLines } from './server-handshake.js';

/** What a client asks for. */
export interface ClientHandshakeOptions {
  /** `ws:` or `wss:`; path and query go into the request, a fragment does not. */
  readonly url: URL;
  /** Sent besides those of the handshake, which may not be given; `host` may. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
}

/** What the peer answered. */
export type HandshakeAnswer =
  /** It is a WebSocket now. `rest`: bytes of frames that came with the answer. */
  | {
      readonly kind: 'open';
      readonly headers: Readonly<Record<string, string>>;
      readonly protocol: string | undefined;
      readonly rest: Buffer;
    }
  /** Refused, with at most 16 KB of what was said; `isBodyCut` where there was more. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
      readonly isBodyCut: boolean;
    };

const OURS = /^(?:connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;

/**
 * The opening handshake of a client (RFC 6455 section 4.1), without any I/O: send `request`, `push` what comes, call
 * `end` when nothing comes any more. No extension is offered. Bounds: as `ResponseHeadReader` and `RefusalBody`.
 */
export class ClientHandshake {
  /** To be sent first. */
  readonly request: string;
  readonly #key = randomBytes(16).toString('base64');
  readonly #protocols: readonly string[];
  readonly #headReader = new ResponseHeadReader();
  #refusal: { readonly head: ResponseHead; readonly body: RefusalBody } | undefined;

  /** Throws `invalid_argument` for headers or subprotocols that cannot be sent. */
  constructor({ url, headers = {}, protocols = [] }: ClientHandshakeOptions) {
    this.#protocols = protocols;
    const names = Object.keys(headers);
    if (names.some((name) => OURS.test(name))) {
      throw new TransportError('invalid_argument', 'Headers of the handshake itself cannot be given.');
    }
    const host = names.some((name) => name.toLowerCase() === 'host') ? {} : { Host: url.host };
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      ...headerLines({ ...host }),
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${this.#key}`,
      'Sec-WebSocket-Version: 13',
      ...(protocols.length === 0 ? [] : headerLines({ 'Sec-WebSocket-Protocol': protocols.join(', ') })),
      ...headerLines(headers),
    ];
    this.request = `${lines.join('\r\n')}\r\n\r\n`;
  }

  /** @returns The answer once it is whole. Throws `protocol_error` for what is no answer to this request. */
  push(chunk: Uint8Array): HandshakeAnswer | undefined {
    if (this.#refusal === undefined) {
      const found = this.#headReader.push(chunk);
      if (found === undefined) return undefined;
      if (found.head.status === 101) return this.#open(found.head, found.rest);
      this.#refusal = { head: found.head, body: new RefusalBody(found.head.headers) };
      this.#refusal.body.push(found.rest);
    } else {
      this.#refusal.body.push(chunk);
    }
    return this.#refusal.body.isDone ? this.end() : undefined;
  }

  /** @returns The refusal as far as it came, or undefined when there was no answer yet. */
  end(): HandshakeAnswer | undefined {
    if (this.#refusal === undefined) return undefined;
    const { head, body } = this.#refusal;
    const taken = body.take();
    return {
      kind: 'refused',
      status: head.status,
      headers: head.headers,
      body: taken.body,
      isBodyCut: taken.isCut,
    };
  }

  #open({ headers }: ResponseHead, rest: Buffer): HandshakeAnswer {
    const protocol = headers['sec-websocket-protocol'];
    const isAnswer =
      hasToken(headers['upgrade'], 'websocket') &&
      hasToken(headers['connection'], 'upgrade') &&
      headers['sec-websocket-accept'] === acceptFor(this.#key);
    if (!isAnswer) {
      throw new TransportError('protocol_error', 'What answered there does not speak WebSocket.');
    }
    if (headers['sec-websocket-extensions'] !== undefined) {
      throw new TransportError('protocol_error', 'The peer chose an extension that was not offered.');
    }
    if (protocol !== undefined && !this.#protocols.includes(protocol)) {
      throw new TransportError('protocol_error', 'The peer chose a subprotocol that was not offered.');
    }
    return { kind: 'open', headers, protocol, rest };
  }
}
