import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { formatAmzDate } from '../../src/event-stream/amz-date.js';
import { EventStreamDecoder } from '../../src/event-stream/decoder.js';
import { EventSigner } from '../../src/event-stream/event-signer.js';
import type { PartHeaders } from '../../src/event-stream/payload-part.js';
import { canonicalRequest, requestSignature } from '../../src/event-stream/request-signature.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { LOCAL_CREDENTIALS, type RuntimeCredentials } from '../../src/stand-in/index.js';
import { Inbox } from './inbox.js';

/** What an answer says, event by event, in the words of the wire. */
export type Answered =
  | {
      readonly kind: 'part';
      readonly dataType: unknown;
      readonly completionState: unknown;
      readonly payload: Buffer;
    }
  | { readonly kind: 'exception'; readonly name: unknown; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset'; readonly rstCode: number };

/** How a request differs from a right one. */
export interface RequestChanges {
  readonly endpoint?: string;
  readonly path?: string;
  readonly method?: string;
  readonly credentials?: RuntimeCredentials;
  readonly region?: string;
  readonly service?: string;
  readonly nowMs?: number;
  /** Added or replaced before signing; undefined removes. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Added or replaced after signing; undefined removes. */
  readonly forged?: Readonly<Record<string, string | undefined>>;
  /** Sign `host` instead of `:authority`. */
  readonly signsHost?: boolean;
  readonly unsigned?: readonly string[];
}

const keys = new SigningKeys();

/** A request with its headers, and what signs its events. */
export function signedRequest(
  authority: string,
  changes: RequestChanges = {},
): { readonly headers: Record<string, string>; readonly signer: EventSigner } {
  const { credentials = LOCAL_CREDENTIALS, region = 'us-east-1', service = 'sagemaker' } = changes;
  const { day, second } = formatAmzDate(changes.nowMs ?? Date.now());
  const path = changes.path ?? `/endpoints/${changes.endpoint ?? 'demo'}/invocations-bidirectional-stream`;
  const headers = present({
    ':authority': authority,
    ':method': changes.method ?? 'POST',
    ':path': path,
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-EVENTS',
    'x-amz-date': second,
    'x-amz-security-token': credentials.sessionToken,
    ...changes.headers,
  });
  const host = changes.signsHost === true ? 'host' : ':authority';
  const left = new Set([':method', ':path', ':authority', ...(changes.unsigned ?? [])]);
  const others = Object.keys(headers).filter((name) => !left.has(name));
  const signed = [...new Set([host, ...others])].sort();
  const queryAt = path.indexOf('?');
  const [wirePath, query] = queryAt === -1 ? [path, ''] : [path.slice(0, queryAt), path.slice(queryAt + 1)];
  const canonical = canonicalRequest(
    { method: headers[':method'] ?? '', path: wirePath, query, headers },
    signed,
    headers['x-amz-content-sha256'],
  );
  if (canonical === undefined) throw new Error('A signed header is missing.');
  const { secretAccessKey, accessKeyId } = credentials;
  const signature = requestSignature(canonical, {
    secretAccessKey,
    day,
    region,
    service,
    amzDate: second,
    keys,
  });
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${day}/${region}/${service}/aws4_request, ` +
    `SignedHeaders=${signed.join(';')}, Signature=${signature}`;
  return {
    headers: present({ ...headers, authorization, ...changes.forged }),
    signer: new EventSigner({ secretAccessKey, region, seedSignature: signature, keys }),
  };
}

function present(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** One stream of a client that signs as it should, on a connection of its own. */
export class ClientEnd {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly signer: EventSigner;
  readonly answered = new Inbox<Answered>();
  /** Status and headers. */
  readonly response: Promise<Readonly<Record<string, unknown>>>;
  /** Text of an answer that is no event stream. */
  readonly text: Promise<string>;
  readonly closed: Promise<void>;
  #nowMs: () => number;

  constructor(url: string, changes: RequestChanges = {}, options: { readonly ca?: string } = {}) {
    this.#nowMs = () => changes.nowMs ?? Date.now();
    this.session = connect(url, options);
    this.session.on('error', () => undefined);
    const { headers, signer } = signedRequest(new URL(url).host, changes);
    this.signer = signer;
    this.stream = this.session.request(headers, { endStream: false });
    this.stream.on('error', () => undefined);
    this.response = new Promise((resolve) => this.stream.once('response', (found) => resolve({ ...found })));
    this.closed = new Promise((resolve) => this.stream.once('close', () => resolve()));
    this.text = this.#read();
  }

  send(payload: string | Uint8Array, headers: PartHeaders = { dataType: 'UTF8' }): boolean {
    return this.stream.write(this.signer.sign(headers, payload, this.#nowMs()));
  }

  /** The signed empty event and END_STREAM. */
  finish(): void {
    this.stream.end(this.signer.signEnd(this.#nowMs()));
  }

  async #read(): Promise<string> {
    const decoder = new EventStreamDecoder();
    const response = await Promise.race([this.response, this.closed.then(() => undefined)]);
    if (response !== undefined && response['content-type'] !== 'application/vnd.amazon.eventstream') {
      const chunks: Buffer[] = [];
      for await (const chunk of this.stream) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    }
    this.stream.on('data', (chunk: Buffer) => {
      decoder.push(chunk, ({ headers, payload }) => {
        const value = (name: string): unknown => headers.get(name)?.value;
        this.answered.push(
          value(':message-type') === 'exception'
            ? {
                kind: 'exception',
                name: value(':exception-type'),
                body: JSON.parse(Buffer.from(payload).toString()),
              }
            : {
                kind: 'part',
                dataType: value('DataType'),
                completionState: value('CompletionState'),
                payload: Buffer.from(payload),
              },
        );
      });
    });
    const isReset = (): boolean =>
      (this.stream.rstCode ?? constants.NGHTTP2_NO_ERROR) !== constants.NGHTTP2_NO_ERROR;
    let isEnded = false;
    this.stream.on('end', () => {
      if (isReset()) return;
      isEnded = true;
      this.answered.push({ kind: 'end' });
    });
    this.stream.on('close', () => {
      if (!isEnded) this.answered.push({ kind: 'reset', rstCode: this.stream.rstCode ?? 0 });
    });
    return '';
  }

  /** Cuts the connection. */
  destroy(): void {
    this.session.destroy();
  }
}
