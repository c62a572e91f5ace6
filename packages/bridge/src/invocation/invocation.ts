import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';
import { UNAVAILABLE } from '../session/endings.js';
import { passedAnswerHeaders } from '../session/request-headers.js';
import type { FormFrame } from './form.js';
import type { InvocationReason, InvocationRecord } from './record.js';
import { discardBody, type Refusal, sendRefusal } from './refusal.js';

/** Where to, and what to say. */
export interface InvocationTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** What stands around the body; undefined: it is passed on as it is. */
  readonly frame: FormFrame | undefined;
}

/** What an invocation runs with. */
export interface InvocationParts {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly limits: BridgeLimits;
  readonly isModelLoading: () => boolean;
  /** What is asked of the model server; the body waits in its socket meanwhile. Never rejects. */
  readonly findTarget: (signal: AbortSignal) => Promise<InvocationTarget>;
}

const TOO_LARGE =
  'The file is above 25 MiB, the most that SageMaker takes. Send a shorter one, or speak it into a session.';
const STALLED = 'The body stopped arriving. Send the file again.';
const NOT_TAKEN = 'The model server does not take the file. Send it again later.';
const LATE = 'The model server did not answer in time. Send a shorter file, or try again later.';
const LOST = 'The model server hung up without an answer. Send the file again.';
const STOPPING = 'The bridge is stopping. Send the file again.';

/**
 * One file over HTTP, on its way to the model server and its answer on the way back. Nothing is kept: who is slower makes the other wait, and each
 * wait has a bound. A client that leaves ends the request behind.
 */
export class Invocation {
  readonly #parts: InvocationParts;
  readonly #startedMs = performance.now();
  readonly #gone = new AbortController();
  #behind: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #isConnected = false;
  #isBodyOut = false;
  #clientBytes = 0;
  #upstreamBytes = 0;
  #answerMs: number | undefined;
  #cancelSending = (): void => undefined;
  #cancelAnswer = (): void => undefined;
  #over: ((record: InvocationRecord) => void) | undefined;

  constructor(parts: InvocationParts) {
    this.#parts = parts;
  }

  /** Resolves when nothing of it is left; never rejects. */
  run(): Promise<InvocationRecord> {
    const { request, response, limits } = this.#parts;
    return new Promise((resolve) => {
      this.#over = resolve;
      response.once('close', () => this.#onClientClosed());
      response.on('error', () => undefined);
      request.on('error', () => undefined);
      const cancel = after(limits.invocationMsMax, () => this.#fail('upstream_late', 504, LATE));
      response.once('close', cancel);
      if (Number(request.headers['content-length'] ?? 0) > limits.invocationBytesMax) {
        this.#fail('client_too_large', 413, TOO_LARGE);
      } else {
        void this.#begin();
      }
    });
  }

  /** Ends it now: 503, or a cut where the answer had begun. Idempotent. */
  abort(): void {
    this.#fail('drained', 503, STOPPING);
  }

  async #begin(): Promise<void> {
    const { request, findTarget } = this.#parts;
    const { url, headers, frame } = await findTarget(this.#gone.signal);
    if (this.#over === undefined) return;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = bodyBytes(request, frame);
    const behind = send(url, {
      method: 'POST',
      agent: false,
      headers: {
        ...headers,
        // A server that is told to close may do so in the middle of a file that it refuses, and its answer is lost.
        connection: 'keep-alive',
        ...(frame === undefined ? {} : { 'content-type': frame.contentType }),
        ...(length === undefined ? {} : { 'content-length': length }),
      },
    });
    this.#behind = behind;
    behind.once('socket', (socket) => {
      socket.setNoDelay(true);
      socket.once('connect', () => {
        this.#isConnected = true;
      });
    });
    behind.on('error', () => {
      // What goes wrong on the way there once the answer has begun says nothing about the answer.
      if (this.#answer === undefined) this.#onBehindLost();
    });
    behind.on('response', (answer) => void this.#onAnswer(answer));
    if (frame !== undefined) behind.write(frame.head);
    this.#sendBody(behind, frame);
  }

  #sendBody(behind: ClientRequest, frame: FormFrame | undefined): void {
    const { request, limits } = this.#parts;
    this.#watchSending();
    behind.on('drain', () => {
      if (this.#isBodyOut || this.#over === undefined) return;
      request.resume();
      this.#watchSending();
    });
    request.on('data', (chunk: Buffer) => {
      // An answer in front of the body's end: what follows is read and dropped.
      if (behind.destroyed || this.#isBodyOut || this.#over === undefined) return;
      this.#clientBytes += chunk.length;
      if (this.#clientBytes > limits.invocationBytesMax) {
        this.#fail('client_too_large', 413, TOO_LARGE);
        return;
      }
      if (!behind.write(chunk)) request.pause();
      this.#watchSending();
    });
    request.once('end', () => {
      if (this.#isBodyOut || this.#over === undefined) return;
      this.#isBodyOut = true;
      this.#cancelSending();
      behind.end(frame?.tail);
      if (this.#answer === undefined) this.#watchAnswer();
    });
  }

  #watchSending(): void {
    const { request, limits } = this.#parts;
    this.#cancelSending();
    this.#cancelSending = after(limits.stallMs, () => {
      if (request.isPaused()) this.#fail('upstream_late', 504, NOT_TAKEN);
      else this.#fail('client_stalled', 408, STALLED);
    });
  }

  #watchAnswer(): void {
    this.#cancelAnswer();
    this.#cancelAnswer = after(this.#parts.limits.answerMsMax, () => this.#fail('upstream_late', 504, LATE));
  }

  async #onAnswer(answer: IncomingMessage): Promise<void> {
    const { request, response, limits } = this.#parts;
    if (this.#over === undefined) return;
    this.#answer = answer;
    this.#answerMs = performance.now() - this.#startedMs;
    answer.on('error', () => this.#onBehindLost());
    const status = answer.statusCode ?? 502;
    const isEarly = !this.#isBodyOut;
    if (isEarly && status >= 400) {
      this.#isBodyOut = true;
      this.#cancelSending();
      await discardBody(request, limits);
      if (this.#over === undefined) return;
    }
    response.writeHead(status, {
      ...passedAnswerHeaders(answer.headers),
      ...(isEarly ? { connection: 'close' } : {}),
    });
    response.flushHeaders();
    this.#passAnswer(answer);
  }

  #passAnswer(answer: IncomingMessage): void {
    const { response, limits } = this.#parts;
    this.#watchAnswer();
    answer.on('data', (chunk: Buffer) => {
      this.#upstreamBytes += chunk.length;
      if (response.write(chunk)) {
        this.#watchAnswer();
        return;
      }
      answer.pause();
      this.#cancelAnswer();
      this.#cancelAnswer = after(limits.stallMs, () => this.#fail('client_stalled', 408, STALLED));
    });
    response.on('drain', () => {
      if (this.#over === undefined) return;
      this.#watchAnswer();
      answer.resume();
    });
    answer.once('end', () => {
      this.#cancelAnswer();
      this.#cancelAnswer = after(limits.stallMs, () => this.#fail('client_stalled', 408, STALLED));
      response.end();
    });
  }

  #onClientClosed(): void {
    const { response } = this.#parts;
    if (!response.writableFinished) this.#settle('client_lost', undefined);
    else this.#settle(response.statusCode < 400 ? 'answered' : 'upstream_refused', response.statusCode);
  }

  #onBehindLost(): void {
    if (this.#isConnected) this.#fail('upstream_lost', 502, LOST);
    else this.#fail('upstream_unavailable', 503, this.#unavailable());
  }

  #unavailable(): string {
    return UNAVAILABLE[this.#parts.isModelLoading() ? 'loading' : 'absent'].body;
  }

  /** Ends it with an answer of ours, or with a cut where the other's had begun. */
  #fail(reason: InvocationReason, status: number, message: string): void {
    if (this.#over === undefined) return;
    const { request, response, limits } = this.#parts;
    const refusal: Refusal = { status, message };
    if (response.headersSent) {
      this.#settle(reason, response.statusCode);
      response.destroy();
      return;
    }
    this.#settle(reason, status, async () => {
      await discardBody(request, limits);
      sendRefusal(response, refusal);
      await closed(response, limits.refusalTimeoutMs);
    });
  }

  /** Once: lets go of everything, and tells when the last of it is gone. */
  #settle(reason: InvocationReason, status: number | undefined, goodbye?: () => Promise<void>): void {
    const over = this.#over;
    if (over === undefined) return;
    this.#over = undefined;
    this.#cancelSending();
    this.#cancelAnswer();
    this.#gone.abort();
    this.#behind?.destroy();
    const record: InvocationRecord = {
      id: this.#parts.id,
      reason,
      status,
      durationMs: performance.now() - this.#startedMs,
      answerMs: this.#answerMs,
      clientBytes: this.#clientBytes,
      upstreamBytes: this.#upstreamBytes,
    };
    if (goodbye === undefined) over(record);
    else void goodbye().then(() => over(record));
  }
}

/** Known where the client said how long the body is. */
function bodyBytes({ headers }: IncomingMessage, frame: FormFrame | undefined): number | undefined {
  const length = headers['content-length'];
  if (length === undefined) return undefined;
  return Number(length) + (frame === undefined ? 0 : frame.head.length + frame.tail.length);
}

/** Resolves when the answer is out, or nobody reads it in time: then it is cut. */
function closed(response: ServerResponse, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed || response.destroyed) {
      resolve();
      return;
    }
    const cancel = after(timeoutMs, () => response.destroy());
    response.once('close', () => {
      cancel();
      resolve();
    });
  });
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, timerMs(delayMs));
  return () => clearTimeout(timer);
}
