import { SageMakerError } from '../errors.js';
import { EventStreamDecoder } from '../event-stream/decoder.js';
import { EventChain, type EventChainOptions, readEnvelope } from '../event-stream/event-signature.js';
import { decodeMessage, type EventStreamMessage, HeaderMemory } from '../event-stream/message.js';
import { readStreamEvent } from '../event-stream/payload-part.js';

/** One `PayloadPart` of a client: one frame to the container. */
export interface RequestPart {
  readonly isText: boolean;
  /** False: parts of the same message follow. */
  readonly isFinal: boolean;
  /** Valid during the call it is given to. */
  readonly payload: Uint8Array;
}

/** Why a body cannot be read on. */
export type EventFault =
  /** A length or a block of headers that contradicts itself, wrong nesting, an event of another kind. */
  | 'malformed'
  /** A wrong CRC. */
  | 'checksum'
  /** An announced length above the limit; nothing was allocated for it. */
  | 'oversized'
  /** Its signature is not the one that follows from the one before. */
  | 'signature'
  /** Its date is too far from the clock. */
  | 'expired'
  /** The body ended inside an event. */
  | 'truncated';

/** What a request's events are held against. */
export interface RequestEventOptions extends EventChainOptions {
  readonly eventBytesMax: number;
  /** Events may be so much older or newer than the clock. */
  readonly clockSkewMsMax: number;
  readonly unixMs: () => number;
}

/** Takes what the body says. */
export interface RequestEventHandlers {
  onPart(part: RequestPart): void;
  /** The signed empty event that ends the input. Nothing is read after it. */
  onEnd(): void;
}

/**
 * Reads the body of a request, cut anywhere: envelopes, each checked against the chain of signatures, and inside each
 * one event. After a fault nothing more is read.
 */
export class RequestEvents {
  readonly #options: RequestEventOptions;
  readonly #handlers: RequestEventHandlers;
  readonly #decoder: EventStreamDecoder;
  readonly #chain: EventChain;
  readonly #memory = new HeaderMemory();
  #fault: EventFault | undefined;
  #isEnded = false;

  constructor(options: RequestEventOptions, handlers: RequestEventHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#decoder = new EventStreamDecoder(options.eventBytesMax);
    this.#chain = new EventChain(options);
  }

  /** The next bytes, borrowed during the call. Parts in front of a fault were handed out. */
  push(chunk: Uint8Array): EventFault | undefined {
    if (this.#fault !== undefined || this.#isEnded) return this.#fault;
    try {
      this.#decoder.push(chunk, (envelope) => this.#open(envelope));
    } catch (error) {
      if (!(error instanceof SageMakerError)) throw error;
      this.#fault ??= faultOf(error);
    }
    return this.#fault;
  }

  /** To be called at the end of the body. */
  end(): EventFault | undefined {
    if (this.#fault === undefined && !this.#isEnded && !this.#decoder.isAtBoundary) this.#fault = 'truncated';
    return this.#fault;
  }

  #open(envelope: EventStreamMessage): void {
    if (this.#fault !== undefined || this.#isEnded) return;
    const signed = readEnvelope(envelope.headers);
    const { clockSkewMsMax, unixMs } = this.#options;
    // More than the two headers would not be covered by the signature.
    if (signed === undefined || envelope.headers.size !== 2) this.#fault = 'malformed';
    else if (Math.abs(unixMs() - signed.dateMs) > clockSkewMsMax) this.#fault = 'expired';
    else if (!this.#chain.verify(envelope)) this.#fault = 'signature';
    else if (envelope.payload.byteLength > 0) this.#handOut(envelope.payload);
    else {
      this.#isEnded = true;
      this.#handlers.onEnd();
    }
  }

  #handOut(inner: Uint8Array): void {
    const { headers, payload } = decodeMessage(inner, this.#memory);
    const event = readStreamEvent(headers);
    if (event.kind !== 'part') {
      this.#fault = 'malformed';
      return;
    }
    const { dataType, completionState } = event.headers;
    // A value that the model does not know reads as absent; a service refuses it.
    const isKnown =
      headers.has('DataType') === (dataType !== undefined) &&
      headers.has('CompletionState') === (completionState !== undefined);
    if (!isKnown) {
      this.#fault = 'malformed';
      return;
    }
    this.#handlers.onPart({ isText: dataType === 'UTF8', isFinal: completionState !== 'PARTIAL', payload });
  }
}

function faultOf({ reason }: SageMakerError): EventFault {
  switch (reason) {
    case 'frame_too_large':
      return 'oversized';
    case 'prelude_checksum':
    case 'message_checksum':
      return 'checksum';
    default:
      return 'malformed';
  }
}
