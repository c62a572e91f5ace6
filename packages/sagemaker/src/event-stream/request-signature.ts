import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type SigningKeys, scopeText } from './signing-key.js';

/** What stands for the hash of the body of a request whose events are signed one by one. */
export const STREAMING_PAYLOAD_HASH = 'STREAMING-AWS4-HMAC-SHA256-EVENTS';
/** The content type of request and response. */
export const EVENT_STREAM_CONTENT_TYPE = 'application/vnd.amazon.eventstream';
const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What of a request is signed. Header names are lower case; pseudo headers keep their colon. */
export interface SignableRequest {
  readonly method: string;
  /** As on the wire, percent-encoded, without the query. */
  readonly path: string;
  /** As on the wire, without `?`. */
  readonly query?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What an `authorization` header says. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  /** In the order of the header; lower case. */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits. */
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([\w+=,.@-]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request, *SignedHeaders=([a-z0-9:;_.-]{1,4096}), *Signature=([0-9a-f]{64})$/;

/** Reads an `authorization` header; undefined when it is not a complete one of SigV4. */
export function parseAuthorization(header: string): Authorization | undefined {
  const [, accessKeyId, day, region, service, list, signature] = AUTHORIZATION.exec(header) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined) return undefined;
  if (service === undefined || list === undefined || signature === undefined) return undefined;
  return { accessKeyId, day, region, service, signedHeaders: list.split(';'), signature };
}

/**
 * The canonical form of a request: what its signature covers. Undefined when a signed header is not there.
 *
 * AWS's JavaScript client signs the pseudo header `:authority` by that name, the others sign `host`: for `host` without
 * such a header `:authority` is taken.
 */
export function canonicalRequest(
  request: SignableRequest,
  signedHeaders: readonly string[],
  payloadHash: string = STREAMING_PAYLOAD_HASH,
): string | undefined {
  const lines: string[] = [];
  for (const name of signedHeaders) {
    const value = request.headers[name] ?? (name === 'host' ? request.headers[':authority'] : undefined);
    if (value === undefined) return undefined;
    const whole = typeof value === 'string' ? value : value.join(',');
    lines.push(`${name}:${whole.trim().replace(/\s+/g, ' ')}`);
  }
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query ?? ''),
    ...lines,
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** The path is percent-encoded a second time, as for every service but S3. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  const isFolder = path.endsWith('/') && segments.length > 0;
  return escapeUri(`/${segments.join('/')}${isFolder ? '/' : ''}`).replaceAll('%2F', '/');
}

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What a request signature is computed from, besides the request. */
export interface RequestSignatureOptions {
  readonly secretAccessKey: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  /** The `x-amz-date` of the request. */
  readonly amzDate: string;
  readonly keys: SigningKeys;
}

/** The signature of a canonical request, in hex. */
export function requestSignature(canonical: string, options: RequestSignatureOptions): string {
  const { secretAccessKey, amzDate, keys, ...scope } = options;
  const hashed = createHash('sha256').update(canonical, 'utf8').digest('hex');
  const stringToSign = `${ALGORITHM}\n${amzDate}\n${scopeText(scope)}\n${hashed}`;
  return createHmac('sha256', keys.get(secretAccessKey, scope)).update(stringToSign, 'utf8').digest('hex');
}

/**
 * Whether a request bears the signature that this secret gives it, compared in constant time. Dates, region, service,
 * the headers that must be signed and the session token are for the caller to check.
 *
 * @param payloadHash SHA-256 of the body in hex, or what its client put in its place
 */
export function verifyRequest(
  request: SignableRequest,
  authorization: Authorization,
  options: Pick<RequestSignatureOptions, 'secretAccessKey' | 'amzDate' | 'keys'>,
  payloadHash: string = STREAMING_PAYLOAD_HASH,
): boolean {
  const canonical = canonicalRequest(request, authorization.signedHeaders, payloadHash);
  if (canonical === undefined) return false;
  const { day, region, service } = authorization;
  const expected = requestSignature(canonical, { ...options, day, region, service });
  return timingSafeEqual(Buffer.from(expected, 'hex'), Buffer.from(authorization.signature, 'hex'));
}
