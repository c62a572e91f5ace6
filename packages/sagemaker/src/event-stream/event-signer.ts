import {
  ENVELOPE_HEADERS_BYTES,
  ENVELOPE_SIGNATURE_AT,
  EventChain,
  type EventChainOptions,
  writeEnvelopeHeaders,
} from './event-signature.js';
import { CHECKSUM_BYTES, OVERHEAD_BYTES, PRELUDE_BYTES, sealMessage } from './message.js';
import { encodePartHeaders, type PartHeaders } from './payload-part.js';

/** Where the payload of an envelope begins. */
const INNER_AT = PRELUDE_BYTES + ENVELOPE_HEADERS_BYTES;

/**
 * Turns parts into signed events, in one piece of memory each: the envelope is laid around the event that is written
 * in its place, so a payload is copied once and hashed where it lies.
 */
export class EventSigner {
  readonly #chain: EventChain;
  readonly #blocks = new Map<string, Uint8Array>();

  constructor(options: EventChainOptions) {
    this.#chain = new EventChain(options);
  }

  /** The whole signed event, to be sent as it is. Text becomes UTF-8. */
  sign(headers: PartHeaders, payload: string | Uint8Array, dateMs: number): Buffer {
    const block = this.#blockOf(headers);
    const payloadBytes =
      typeof payload === 'string' ? Buffer.byteLength(payload, 'utf8') : payload.byteLength;
    const payloadAt = INNER_AT + PRELUDE_BYTES + block.byteLength;
    const innerEnd = payloadAt + payloadBytes + CHECKSUM_BYTES;
    // Not from the pool: the bytes live until the socket took them, and would hold the pool's other tenants.
    const bytes = Buffer.allocUnsafeSlow(innerEnd + CHECKSUM_BYTES);
    bytes.set(block, INNER_AT + PRELUDE_BYTES);
    if (typeof payload === 'string') bytes.write(payload, payloadAt, 'utf8');
    else bytes.set(payload, payloadAt);
    sealMessage(bytes, INNER_AT, innerEnd, block.byteLength);
    return this.#seal(bytes, dateMs);
  }

  /** The event that ends the input: an envelope with nothing in it, a link of the chain as the others. */
  signEnd(dateMs: number): Buffer {
    return this.#seal(Buffer.allocUnsafeSlow(OVERHEAD_BYTES + ENVELOPE_HEADERS_BYTES), dateMs);
  }

  #seal(bytes: Buffer, dateMs: number): Buffer {
    writeEnvelopeHeaders(bytes, PRELUDE_BYTES, dateMs);
    const signature = this.#chain.sign(bytes.subarray(INNER_AT, bytes.byteLength - CHECKSUM_BYTES), dateMs);
    bytes.write(signature, PRELUDE_BYTES + ENVELOPE_SIGNATURE_AT, 'hex');
    sealMessage(bytes, 0, bytes.byteLength, ENVELOPE_HEADERS_BYTES);
    return bytes;
  }

  #blockOf(headers: PartHeaders): Uint8Array {
    const { dataType = '', completionState = '', padding } = headers;
    // Paddings differ; everything else has nine forms.
    if (padding !== undefined) return encodePartHeaders(headers);
    const name = `${dataType},${completionState}`;
    let block = this.#blocks.get(name);
    if (block === undefined) {
      block = encodePartHeaders(headers);
      this.#blocks.set(name, block);
    }
    return block;
  }
}
