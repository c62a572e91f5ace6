import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { formatAmzDate } from './amz-date.js';
import type { EventHeaders } from './headers.js';
import type { EventStreamMessage } from './message.js';
import { type SigningKeys, scopeText } from './signing-key.js';

/**
 * The signed envelope around every event of a request. Its headers are always these 67 bytes:
 *
 *     5 ":date" 8 i64 milliseconds                   (15 bytes: what the signature calls the headers)
 *     16 ":chunk-signature" 6 u16 32, 32 bytes
 */
export const ENVELOPE_HEADERS_BYTES = 67;
/** Where in the headers the milliseconds begin, and the signature. */
export const ENVELOPE_DATE_AT = 7;
export const ENVELOPE_SIGNATURE_AT = 35;
const DATE_HEADER_BYTES = 15;

const TEMPLATE = Buffer.concat([
  Buffer.of(5),
  Buffer.from(':date'),
  Buffer.of(8),
  Buffer.alloc(8),
  Buffer.of(16),
  Buffer.from(':chunk-signature'),
  Buffer.of(6, 0, 32),
  Buffer.alloc(32),
]);

/** Writes the headers of an envelope without their signature. */
export function writeEnvelopeHeaders(bytes: Buffer, at: number, dateMs: number): void {
  bytes.set(TEMPLATE, at);
  bytes.writeBigInt64BE(BigInt(dateMs), at + ENVELOPE_DATE_AT);
}

/** Whose signatures these are. */
export interface EventChainOptions {
  readonly secretAccessKey: string;
  readonly region: string;
  /** Hex signature of the request: the first link. */
  readonly seedSignature: string;
  readonly keys: SigningKeys;
}

/** The moment of the last link, in the forms in which links need it. */
interface Moment {
  readonly second: number;
  readonly amzDate: string;
  readonly scope: string;
  readonly key: Buffer;
}

/**
 * The chain of event signatures of one request: each one covers the one before, the first one that of the request.
 * The day of the key comes from each event's own date, so a stream may cross midnight.
 */
export class EventChain {
  readonly #options: EventChainOptions;
  #prior: string;
  #moment: Moment | undefined;
  #dateMs = Number.NaN;
  #dateHash = '';

  constructor(options: EventChainOptions) {
    this.#options = options;
    this.#prior = options.seedSignature;
  }

  /** The last link, in hex. */
  get priorSignature(): string {
    return this.#prior;
  }

  /** Adds a link over a payload (an encoded event, or nothing at the end); its signature in hex. */
  sign(payload: Uint8Array, dateMs: number): string {
    this.#prior = this.#signatureOf(payload, dateMs);
    return this.#prior;
  }

  /**
   * Checks the envelope of an event and adds it to the chain if it is right. False: a header is missing or of another
   * type, or the signature is not the one expected; then nothing that follows can be right.
   */
  verify({ headers, payload }: EventStreamMessage): boolean {
    const envelope = readEnvelope(headers);
    if (envelope === undefined) return false;
    const expected = this.#signatureOf(payload, envelope.dateMs);
    if (!timingSafeEqual(Buffer.from(expected, 'hex'), envelope.signature)) return false;
    this.#prior = expected;
    return true;
  }

  #signatureOf(payload: Uint8Array, dateMs: number): string {
    const { amzDate, scope, key } = this.#momentOf(dateMs);
    const stringToSign =
      `AWS4-HMAC-SHA256-PAYLOAD\n${amzDate}\n${scope}\n${this.#prior}\n` +
      `${this.#hashOfDate(dateMs)}\n${hash('sha256', payload)}`;
    return createHmac('sha256', key).update(stringToSign, 'latin1').digest('hex');
  }

  #momentOf(dateMs: number): Moment {
    const second = Math.floor(dateMs / 1000);
    if (this.#moment?.second === second) return this.#moment;
    const { secretAccessKey, region, keys } = this.#options;
    const { day, second: amzDate } = formatAmzDate(dateMs);
    const key = keys.get(secretAccessKey, { day, region });
    this.#moment = { second, amzDate, scope: scopeText({ day, region }), key };
    return this.#moment;
  }

  #hashOfDate(dateMs: number): string {
    if (dateMs !== this.#dateMs) {
      const header = Buffer.allocUnsafe(DATE_HEADER_BYTES);
      TEMPLATE.copy(header, 0, 0, DATE_HEADER_BYTES);
      header.writeBigInt64BE(BigInt(dateMs), ENVELOPE_DATE_AT);
      this.#dateHash = hash('sha256', header);
      this.#dateMs = dateMs;
    }
    return this.#dateHash;
  }
}

/** What the headers of an envelope say. */
export interface Envelope {
  readonly dateMs: number;
  readonly signature: Uint8Array;
}

// The last millisecond of the year 9999: later ones have no SigV4 form.
const DATE_MS_MAX = 253_402_300_799_999;

/** Reads the headers of an envelope; undefined when one is missing, of another type or out of range. */
export function readEnvelope(headers: EventHeaders): Envelope | undefined {
  const date = headers.get(':date');
  const signature = headers.get(':chunk-signature');
  if (date?.type !== 'timestamp' || signature?.type !== 'binary') return undefined;
  if (!(date.value >= 0 && date.value <= DATE_MS_MAX) || signature.value.byteLength !== 32) return undefined;
  return { dateMs: date.value, signature: signature.value };
}
