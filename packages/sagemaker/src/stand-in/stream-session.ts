import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Logger } from '@kikitori/core';
import { encodeException, encodePart, type PartHeaders } from '../event-stream/payload-part.js';
import { endAnswer } from './answer-end.js';
import { type ContainerFrame, ContainerLink } from './container-link.js';
import type { StandInLimits } from './limits.js';
import { type RequestEventOptions, RequestEvents, type RequestPart } from './request-events.js';
import { type EndPolicy, planEnd, type StreamEnd } from './stream-end.js';

/** What one stream carried, for its line in the log. Peaks show that memory is bounded. */
export interface StreamCounts {
  /** Parts of the client, and their payload. */
  clientParts: number;
  clientBytes: number;
  /** Data frames of the container, and their payload. */
  containerFrames: number;
  containerBytes: number;
  /** The most that ever waited to be read by each side. */
  clientBufferedBytesMax: number;
  containerBufferedBytesMax: number;
  /** From the 200 to the container's first frame; undefined while there is none. */
  firstFrameMs: number | undefined;
}

/** What a session is made of. */
export interface StreamSessionOptions {
  /** Not answered yet, and not read from. */
  readonly stream: ServerHttp2Stream;
  /** Headers of the 200. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** The open WebSocket, as `openFrames` gives it. */
  readonly socket: Socket;
  readonly head: Uint8Array;
  readonly events: RequestEventOptions;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: EndPolicy;
}

/** One bidirectional stream: a client's HTTP/2 stream on one side, a container's WebSocket on the other. */
export class StreamSession {
  readonly counts: StreamCounts = {
    clientParts: 0,
    clientBytes: 0,
    containerFrames: 0,
    containerBytes: 0,
    clientBufferedBytesMax: 0,
    containerBufferedBytesMax: 0,
    firstFrameMs: undefined,
  };
  /** Resolves with the reason once neither stream nor socket is left. */
  readonly finished: Promise<StreamEnd>;
  readonly #options: StreamSessionOptions;
  readonly #stream: ServerHttp2Stream;
  readonly #events: RequestEvents;
  readonly #link: ContainerLink;
  #end: StreamEnd | undefined;
  #linkClosed: Promise<void> = Promise.resolve();
  #cancelLimit: () => void = () => undefined;
  #startedMs = 0;

  constructor(options: StreamSessionOptions) {
    const { stream, socket, head, limits, clock } = options;
    this.#options = options;
    this.#stream = stream;
    this.#events = new RequestEvents(options.events, {
      onPart: (part) => this.#toContainer(part),
      onEnd: () => this.end({ kind: 'client_done' }),
    });
    const handlers = {
      onFrame: (frame: ContainerFrame) => this.#guard(() => this.#toClient(frame)) ?? true,
      onRoom: () => this.#readClient(),
      onEnd: (end: StreamEnd) => this.end(end),
    };
    this.#link = new ContainerLink({ socket, head, limits, clock, handlers });
    this.finished = this.#finish();
  }

  /** Answers with 200 at once, and carries from then on. */
  start(): void {
    const { responseHeaders, clock, limits } = this.#options;
    const stream = this.#stream;
    this.#startedMs = clock.nowMs();
    stream.on('close', () => this.end({ kind: 'client_gone' }));
    stream.on('aborted', () => this.end({ kind: 'client_gone' }));
    if (stream.destroyed || stream.closed) {
      this.end({ kind: 'client_gone' });
      return;
    }
    stream.respond(responseHeaders);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => this.#onClientEnd());
    stream.on('drain', () => this.#link.resume());
    this.#cancelLimit = clock.after(limits.streamMsMax, () => this.end({ kind: 'time_limit' }));
    this.#link.start();
  }

  /** Ends both sides, each in order; the first reason counts. */
  end(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#cancelLimit();
    const { exception, closeCode, closeReason } = planEnd(end, this.#options.policy);
    if (this.#canAnswer) {
      if (exception !== undefined) this.#stream.write(encodeException(exception.name, exception.members));
      endAnswer(this.#stream, this.#options);
    }
    this.#linkClosed = this.#link.close(closeCode, closeReason);
  }

  /** Cuts the container off and says no more to the client, whose connection the caller cuts. */
  destroy(): void {
    this.#end ??= { kind: 'shutdown' };
    this.#cancelLimit();
    this.#link.destroy();
  }

  get #canAnswer(): boolean {
    const { headersSent, destroyed, closed, writableEnded } = this.#stream;
    return headersSent && !destroyed && !closed && !writableEnded;
  }

  async #finish(): Promise<StreamEnd> {
    const stream = this.#stream;
    if (!stream.destroyed) {
      await new Promise<void>((resolve) => stream.once('close', () => resolve()));
    }
    this.end({ kind: 'client_gone' });
    await this.#linkClosed;
    return this.#end ?? { kind: 'client_gone' };
  }

  /** A fault of ours ends this stream and no other. */
  #guard<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      this.#options.logger.error('stream failed inside the stand-in', { error: name });
      this.end({ kind: 'internal' });
      return undefined;
    }
  }

  #take(chunk: Buffer): void {
    if (this.#end !== undefined) return;
    const fault = this.#guard(() => this.#events.push(chunk));
    if (fault !== undefined) this.end({ kind: 'client_event', fault });
  }

  /**
   * The end of the body without the signed empty event, or we would have ended already: an input that was cut. A reset
   * stream ends its body as well.
   */
  #onClientEnd(): void {
    const fault = this.#stream.rstCode === constants.NGHTTP2_NO_ERROR ? this.#events.end() : undefined;
    this.end(fault === undefined ? { kind: 'client_gone' } : { kind: 'client_event', fault });
  }

  #toContainer(part: RequestPart): void {
    const { counts } = this;
    counts.clientParts += 1;
    counts.clientBytes += part.payload.byteLength;
    const hasRoom = this.#link.send(part);
    counts.containerBufferedBytesMax = Math.max(counts.containerBufferedBytesMax, this.#link.bufferedBytes);
    if (!hasRoom) this.#stream.pause();
  }

  #readClient(): void {
    if (this.#end === undefined) this.#stream.resume();
  }

  #toClient({ isText, isFinal, payload }: ContainerFrame): boolean {
    const { counts } = this;
    const stream = this.#stream;
    counts.firstFrameMs ??= this.#options.clock.nowMs() - this.#startedMs;
    counts.containerFrames += 1;
    counts.containerBytes += payload.byteLength;
    const headers: PartHeaders = {
      dataType: isText ? 'UTF8' : 'BINARY',
      completionState: isFinal ? 'COMPLETE' : 'PARTIAL',
    };
    const hasRoom = stream.write(encodePart(headers, payload));
    counts.clientBufferedBytesMax = Math.max(counts.clientBufferedBytesMax, stream.writableLength);
    return hasRoom || stream.writableLength < this.#options.limits.clientHighWaterBytes;
  }
}
