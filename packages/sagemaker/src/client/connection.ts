import { type ClientHttp2Stream, constants } from 'node:http2';
import { timerMs } from '@kikitori/core';
import {
  BoundedQueue,
  type Connection,
  Gate,
  type Message,
  TRANSPORT_LIMITS,
  TransportError,
} from '@kikitori/transport';
import { isWireCloseCode } from '@kikitori/transport/frames';
import { SageMakerError } from '../errors.js';
import { EventStreamDecoder } from '../event-stream/decoder.js';
import type { EventSigner } from '../event-stream/event-signer.js';
import type { EventStreamMessage } from '../event-stream/message.js';
import { type PartHeaders, readStreamEvent } from '../event-stream/payload-part.js';
import { lossOf } from './invocation.js';
import type { LinkedStream } from './link-pool.js';
import { PartAssembler } from './part-assembler.js';
import { failureOfException } from './service-failure.js';

/** What a connection is made of. */
export interface SageMakerConnectionParts {
  readonly linked: LinkedStream;
  readonly signer: EventSigner;
  /** The time that events bear. */
  readonly now: () => number;
  readonly requestId: string | undefined;
  readonly closeTimeoutMs: number;
  readonly messageBytesMax: number;
  /** What the event around a message says; `dataTypeOf` unless a test wants another form. */
  readonly partHeadersOf: (message: Message) => PartHeaders;
}

let lastNumber = 0;

const TEXT: PartHeaders = { dataType: 'UTF8' };
const BINARY: PartHeaders = { dataType: 'BINARY' };

/** Text goes as a text frame, bytes as a binary one; a message is always whole, which needs no saying. */
export function dataTypeOf(message: Message): PartHeaders {
  return typeof message === 'string' ? TEXT : BINARY;
}

/**
 * The `Connection` over one bidirectional stream. A message is one event and one WebSocket message at the container.
 *
 * SageMaker has no place for a close code: whatever `close` is given, the container hears a normal close. It also ends
 * the answer as soon as the input ends, so what must still be heard has to be awaited before `close`.
 */
export class SageMakerConnection implements Connection {
  readonly id: string;
  readonly #parts: SageMakerConnectionParts;
  readonly #stream: ClientHttp2Stream;
  readonly #inbox: BoundedQueue<Message>;
  readonly #decoder = new EventStreamDecoder();
  readonly #assembler: PartAssembler;
  readonly #drained = new Gate();
  readonly #gone = new Gate();
  readonly #take = (message: EventStreamMessage): void => this.#onEvent(message);
  readonly #written = (error?: Error | null): void => this.#onWritten(error);
  #closing: Promise<void> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosedByUs = false;
  /** The answer is over: END_STREAM, an exception, or something that cannot be read. */
  #isAnswerOver = false;
  #isGone = false;
  #closedError: TransportError | undefined;

  constructor(parts: SageMakerConnectionParts) {
    lastNumber += 1;
    this.id = `sagemaker-${lastNumber}`;
    this.#parts = parts;
    this.#stream = parts.linked.stream;
    this.#assembler = new PartAssembler(parts.messageBytesMax);
    this.#inbox = new BoundedQueue<Message>({
      highWaterBytes: TRANSPORT_LIMITS.receiveHighWaterBytes,
      highWaterCount: TRANSPORT_LIMITS.receiveHighWaterCount,
      maxBytes: TRANSPORT_LIMITS.receiveBytesMax,
      maxCount: TRANSPORT_LIMITS.receiveCountMax,
      onRoom: () => this.#stream.resume(),
      onAbandoned: () => this.destroy(),
    });
    this.#listen();
  }

  get messages(): AsyncIterable<Message> {
    return this.#inbox;
  }

  async send(message: Message, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closedError !== undefined) throw this.#closedError;
    this.#write(message);
    while (!this.#isGone && this.#stream.writableLength >= TRANSPORT_LIMITS.sendHighWaterBytes) {
      await this.#drained.wait({ signal });
      if (this.#isGone) throw this.#whyClosed();
    }
  }

  close(code = 1000, _reason = ''): Promise<void> {
    if (!isWireCloseCode(code)) {
      const sentence = 'A close code must be 1000-1003, 1007-1014 or 3000-4999.';
      return Promise.reject(new TransportError('invalid_argument', sentence));
    }
    this.#closing ??= this.#close(code);
    return this.#closing;
  }

  destroy(reason?: Error): void {
    this.#inbox.destroy(reason ?? new TransportError('destroyed', 'The connection was destroyed.'));
    this.#closedError ??= new TransportError('closed', 'The connection was destroyed.');
    if (!this.#isGone) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #write(message: Message): void {
    const { messageBytesMax, signer, partHeadersOf, now } = this.#parts;
    const isText = typeof message === 'string';
    // A UTF-16 unit is at most three bytes of UTF-8: most texts need no counting.
    const bytesMax = isText ? message.length * 3 : message.byteLength;
    if (bytesMax > messageBytesMax && (!isText || Buffer.byteLength(message) > messageBytesMax)) {
      throw new TransportError(
        'message_too_big',
        'The message is above the limit; send it in smaller parts.',
      );
    }
    if (this.#stream.writableLength >= TRANSPORT_LIMITS.sendBytesMax) {
      throw new TransportError('send_overflow', 'Too much waits to be written; await every send.');
    }
    this.#stream.write(signer.sign(partHeadersOf(message), message, now()), this.#written);
  }

  async #close(code: number): Promise<void> {
    if (this.#isGone) return;
    const { signer, now, closeTimeoutMs } = this.#parts;
    this.#isClosedByUs = true;
    this.#closedError ??= new TransportError('closed', 'The connection is closed.', { closeCode: code });
    if (!this.#isAnswerOver && !this.#stream.closed) {
      // What the service still says may stand in front of its end, and nobody may be reading.
      this.#stream.resume();
      // The end is an event of its own, and END_STREAM follows it: as AWS's clients do.
      this.#stream.write(signer.signEnd(now()), () => {
        if (!this.#stream.closed) this.#stream.end();
      });
    }
    this.#closeTimer = setTimeout(
      () => this.#stream.close(constants.NGHTTP2_CANCEL),
      timerMs(closeTimeoutMs),
    );
    await this.#gone.wait();
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onEnd());
    stream.on('close', () => setImmediate(() => this.#onClose()));
    // It may have ended while the answer's head was looked at.
    if (stream.closed || stream.destroyed) setImmediate(() => this.#onClose());
  }

  #onData(chunk: Buffer): void {
    if (this.#isAnswerOver) return;
    try {
      this.#decoder.push(chunk, this.#take);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#inbox.isAboveMark && !this.#isClosedByUs) this.#stream.pause();
  }

  #onEvent({ headers, payload }: EventStreamMessage): void {
    if (this.#isAnswerOver) return;
    const event = readStreamEvent(headers);
    switch (event.kind) {
      case 'part': {
        const message = this.#assembler.take(event.headers, payload);
        if (message !== undefined) this.#deliver(message, payload.byteLength);
        return;
      }
      case 'exception': {
        const body = Buffer.from(payload).toString('utf8');
        const { name, text } = event;
        this.#finish(failureOfException({ name, text, body, requestId: this.#parts.requestId }));
        return;
      }
      case 'unknown':
        return;
      default:
        event satisfies never;
    }
  }

  #deliver(message: Message, bytes: number): void {
    // Our own close was sent: what fits is still delivered, the rest of the stream is dropped.
    if (this.#isClosedByUs && this.#inbox.isAboveMark) {
      this.#inbox.end();
      return;
    }
    if (!this.#inbox.offer(message, bytes) && !this.#inbox.isEnded) {
      this.#fail(new TransportError('receive_overflow', 'Too much waits unread.'));
    }
  }

  /** END_STREAM, or a reset that Node tells the same way: which one is known a turn later. */
  #onEnd(): void {
    const wasOpen = !this.#stream.closed;
    setImmediate(() => {
      if (this.#isAnswerOver || this.#isGone) return;
      if (!isCleanEnd(this.#parts.linked, wasOpen)) return;
      const isWhole = this.#decoder.isAtBoundary && this.#assembler.isAtBoundary;
      this.#finish(isWhole ? undefined : new SageMakerError('frame_truncated'));
    });
  }

  /** The answer is over; undefined is a clean end. After our own close every end is one. */
  #finish(failure: TransportError | undefined): void {
    this.#isAnswerOver = true;
    this.#closedError ??= new TransportError('closed', 'The service ended the stream.', {
      ...(failure === undefined ? {} : { cause: failure }),
      ...(failure?.closeCode === undefined ? {} : { closeCode: failure.closeCode }),
    });
    if (failure === undefined || this.#isClosedByUs) this.#inbox.end();
    else this.#inbox.fail(failure);
    // Whatever we still had to say, nobody hears it.
    this.#stream.close(this.#stream.writableEnded ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL);
  }

  #fail(error: unknown): void {
    if (!(error instanceof TransportError)) throw error;
    this.#finish(error);
  }

  #onClose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#closeTimer);
    this.#closeTimer = undefined;
    this.#closedError ??= new TransportError('closed', 'The connection is lost.');
    if (this.#isClosedByUs) this.#inbox.end();
    else if (!this.#inbox.isEnded) this.#inbox.fail(lossOf(this.#parts.linked));
    this.#drained.open();
    this.#gone.open();
  }

  #onWritten(error: Error | null | undefined): void {
    // A cut line also empties the buffer; the close that follows tells the senders.
    if (error || this.#stream.closed) return;
    if (this.#drained.size > 0 && this.#stream.writableLength < TRANSPORT_LIMITS.sendHighWaterBytes) {
      this.#drained.open();
    }
  }

  #whyClosed(): TransportError {
    return this.#closedError ?? new TransportError('closed', 'The connection is closing.');
  }
}

/**
 * Whether an answer whose reading ended was ended by the service.
 *
 * Node ends a stream that was reset or lost in the same way, but only after it closed it. Behind an END_STREAM the codes
 * NO_ERROR and CANCEL say "stop sending", others take the answer back. A stream that was paused for long may be told
 * closed although it had ended; then NO_ERROR and a line that stands speak for it.
 */
function isCleanEnd({ stream, link }: LinkedStream, wasOpen: boolean): boolean {
  const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;
  if (!wasOpen) return stream.rstCode === NGHTTP2_NO_ERROR && link.failure === undefined;
  return !stream.closed || stream.rstCode === NGHTTP2_NO_ERROR || stream.rstCode === NGHTTP2_CANCEL;
}
