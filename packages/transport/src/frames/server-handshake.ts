import { createHash } from 'node:crypto';
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import { TransportError } from '../errors.js';
import { hasToken } from './http-head.js';

/** What is looked at of an upgrade request; `IncomingMessage` fits. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly httpVersion?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An HTTP answer instead of an upgrade. */
export interface HandshakeRefusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Whether a request may become a WebSocket, and if not, what to answer. */
export type UpgradeCheck =
  | { readonly isValid: true; readonly key: string }
  | { readonly isValid: false; readonly refusal: HandshakeRefusal };

// RFC 6455 section 1.3.
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The `Sec-WebSocket-Accept` that belongs to a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2). */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/**
 * Checks the form of an opening handshake (RFC 6455 section 4.2.1); who asks and for what is the caller's affair. Give
 * `key` to `encodeUpgradeAnswer`, or `refusal` to `encodeRefusal`.
 */
export function checkUpgrade({ method, httpVersion, headers }: UpgradeRequest): UpgradeCheck {
  const key = single(headers['sec-websocket-key']);
  const version = single(headers['sec-websocket-version']);
  if (method !== 'GET' || (httpVersion !== undefined && Number(httpVersion) < 1.1)) {
    return refused('A WebSocket begins with a GET of HTTP/1.1.');
  }
  if (!hasToken(single(headers['upgrade']), 'websocket')) {
    return refused('Only WebSocket upgrades are served here.');
  }
  if (!hasToken(single(headers['connection']), 'upgrade'))
    return refused('The Connection header lacks Upgrade.');
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key)) {
    return refused('The Sec-WebSocket-Key header is missing or not 16 bytes of base64.');
  }
  if (version !== '13') {
    const body = 'Only version 13 of WebSocket is served here.';
    return {
      isValid: false,
      refusal: { status: 426, headers: { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' }, body },
    };
  }
  return { isValid: true, key };
}

/** The 101 that opens the WebSocket. `headers` are added; bad ones throw `invalid_argument`. */
export function encodeUpgradeAnswer(
  key: string,
  options: {
    readonly protocol?: string | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): string {
  const { protocol, headers = {} } = options;
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(key)}`,
  ];
  if (protocol !== undefined) lines.push(...headerLines({ 'Sec-WebSocket-Protocol': protocol }));
  lines.push(...headerLines(headers));
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An HTTP answer that ends the line. Length and connection headers are ours; other bad ones throw `invalid_argument`. */
export function encodeRefusal({ status, headers = {}, body = '' }: HandshakeRefusal): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const isOurs = (name: string): boolean => /^(?:content-length|connection|transfer-encoding)$/i.test(name);
  const given = Object.entries(headers).filter(([name]) => !isOurs(name));
  const hasType = given.some(([name]) => name.toLowerCase() === 'content-type');
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`];
  if (bytes.length > 0 && !hasType) lines.push('Content-Type: text/plain; charset=utf-8');
  lines.push(...headerLines(Object.fromEntries(given)));
  lines.push(`Content-Length: ${bytes.length}`, 'Connection: close', '', '');
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), bytes]);
}

/** `Name: value`, checked: what comes from a peer must not end a line. */
export function headerLines(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      throw new TransportError('invalid_argument', 'A header cannot be sent.', { cause: error });
    }
    return `${name}: ${value}`;
  });
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function refused(body: string): UpgradeCheck {
  return { isValid: false, refusal: { status: 400, body } };
}
