import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  accessPolicy,
  answerHeaders,
  findTarget,
  type InvocationContext,
  SHUTTING_DOWN,
  type Target,
} from './admission.js';
import { type ContainerCall, callContainer, passedAnswerHeaders } from './container-call.js';
import type { Exchange } from './exchange.js';
import { HeldBytes, type ReadBody } from './held-bytes.js';
import {
  contentTooLong,
  type HttpFailure,
  inputValidationError,
  internalServerError,
  invocationError,
  plainFailure,
  requestTimeout,
  serviceUnavailable,
  unknownOperation,
  type Verdict,
} from './http-failure.js';
import { type AccessPolicy, checkClaim, type SignerClaim, verifyClaim } from './request-access.js';
import { findOperation, type Operation, readPlainInvocation } from './request-validation.js';
import { type AnswerEnd, streamAnswer } from './streamed-answer.js';

/** A request that has yet to be read. */
interface Claimed {
  readonly claim: SignerClaim;
  readonly label: string;
  readonly operation: Operation;
}

/** What the log says of a request when it is over. */
interface Outcome {
  readonly endpoint?: string;
  readonly variant?: string;
  /** The container's. */
  readonly containerStatus?: number;
  readonly bodyBytes?: number;
  readonly answerBytes?: number;
  /** Of a streamed answer. */
  readonly end?: AnswerEnd;
}

/** What SageMaker says of a container that is late, word for word. */
const LATE_TEXT =
  'Your invocation timed out while waiting for a response from container primary. Review the latency metrics for ' +
  'each container in Amazon CloudWatch, resolve the issue, and try again.';
const NO_ANSWER_TEXT = 'The container did not answer.';
const FULL_TEXT = 'The service holds as many bodies as it can.';

/** `InvokeEndpoint` and `InvokeEndpointWithResponseStream`: a body for the container's `/invocations`, and what it answers. */
export class PlainInvocations {
  readonly #context: InvocationContext;
  readonly #policy: AccessPolicy;
  readonly #held: HeldBytes;
  readonly #running = new Set<AbortController>();

  constructor(context: InvocationContext) {
    this.#context = context;
    this.#policy = accessPolicy(context.options);
    this.#held = new HeldBytes(context.options);
  }

  /** Ends every one that is not answered with 503, and cuts the others. */
  endAll(): void {
    for (const running of this.#running) running.abort();
  }

  /** Answers one request; resolves when nothing of it is left. Never rejects. */
  async answer(exchange: Exchange): Promise<void> {
    const { logger } = this.#context.options;
    const requestId = randomUUID();
    const running = new AbortController();
    this.#running.add(running);
    void exchange.closed.then(() => running.abort());
    try {
      const { value, failure } = this.#admit(exchange);
      if (failure === undefined) await this.#serve(exchange, requestId, { ...value, signal: running.signal });
      else this.#refuse(exchange, requestId, failure);
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      logger.error('invocation failed inside the stand-in', { requestId, error: name });
      this.#refuse(exchange, requestId, internalServerError());
    }
    if (!exchange.isClosed) await exchange.closed;
    this.#running.delete(running);
  }

  /** What can be said before the body is there. */
  #admit({ request }: Exchange): Verdict<Claimed> {
    const { options, isClosing, streamCount } = this.#context;
    if (request.headerBytes > options.limits.headerBytesMax) {
      return { failure: inputValidationError('The headers of the request are too long.') };
    }
    const found = findOperation(request);
    if (found.failure !== undefined) return found;
    const { label, operation } = found.value;
    // Streams go both ways over HTTP/2 alone.
    if (operation === 'stream') return { failure: unknownOperation() };
    const claimed = checkClaim(request, this.#policy, options.clock.unixMs());
    if (claimed.failure !== undefined) return claimed;
    if (isClosing) return { failure: serviceUnavailable(SHUTTING_DOWN) };
    if (streamCount >= options.limits.streamsMax) {
      return { failure: serviceUnavailable('The service carries as many requests as it can.') };
    }
    if (Number(request.headers['content-length'] ?? 0) > options.limits.bodyBytesMax) {
      return { failure: contentTooLong(options.limits.bodyBytesMax) };
    }
    return { value: { claim: claimed.value, label, operation } };
  }

  async #serve(
    exchange: Exchange,
    requestId: string,
    claimed: Claimed & { readonly signal: AbortSignal },
  ): Promise<void> {
    const { limits } = this.#context.options;
    const { signal } = claimed;
    const read = await this.#held.read(exchange.body, { stallMs: limits.bodyStallMs, signal });
    if (read.kind !== 'whole') {
      this.#refuse(exchange, requestId, this.#unread(read.kind));
      return;
    }
    try {
      const found = this.#findTarget(exchange, read.bytes, claimed);
      const full = found.failure ?? found.value.endpoint.enter();
      if (found.failure !== undefined || full !== undefined) {
        this.#refuse(exchange, requestId, full ?? internalServerError(), found.value?.endpoint.name);
        return;
      }
      try {
        await this.#call(exchange, requestId, { ...claimed, ...found.value, body: read.bytes });
      } finally {
        found.value.endpoint.leave();
      }
    } finally {
      this.#held.free(read.bytes);
    }
  }

  /** The signature covers the body, so nothing is told of the endpoint before. */
  #findTarget({ request }: Exchange, body: Buffer, { claim, label, operation }: Claimed): Verdict<Target> {
    const { options, endpoints } = this.#context;
    const ofBody = createHash('sha256').update(body).digest('hex');
    // A client that streams its body puts a word in place of its hash; any hash that it says must be right.
    const said = request.headers['x-amz-content-sha256'];
    const payloadHash = said === 'UNSIGNED-PAYLOAD' ? said : ofBody;
    const signed = verifyClaim(request, claim, this.#policy, payloadHash);
    if (signed.failure !== undefined) return signed;
    const asked = readPlainInvocation(request, label);
    if (asked.failure !== undefined) return asked;
    const action =
      operation === 'plain' ? 'sagemaker:InvokeEndpoint' : 'sagemaker:InvokeEndpointWithResponseStream';
    return findTarget(signed.value, asked.value, { endpoints, accountId: options.accountId, action });
  }

  async #call(
    exchange: Exchange,
    requestId: string,
    asked: Claimed & Target & { readonly body: Buffer; readonly signal: AbortSignal },
  ): Promise<void> {
    const { limits, clock, logger } = this.#context.options;
    const { endpoint, variant, operation, signal, body } = asked;
    const startedMs = clock.nowMs();
    const late = new AbortController();
    const waitMs = operation === 'plain' ? limits.answerMsMax : limits.streamedAnswerMsMax;
    const cancel = clock.after(waitMs, () => late.abort());
    const call: ContainerCall = {
      containerUrl: variant.containerUrl,
      request: exchange.request,
      body,
      signal: AbortSignal.any([signal, late.signal]),
    };
    try {
      const answer = await callContainer(call);
      const status = answer?.statusCode ?? 0;
      const outcome = { endpoint: endpoint.name, variant: variant.name, bodyBytes: body.length };
      const isGood = status >= 200 && status < 300;
      const told =
        answer === undefined
          ? this.#fail(exchange, requestId, { endpoint, status: 0, signal, isLate: late.signal.aborted })
          : operation === 'plain' || !isGood
            ? await this.#answerWhole(exchange, requestId, { ...asked, answer, late: late.signal })
            : await this.#answerInParts(exchange, requestId, { ...asked, answer, late: late.signal });
      const durationMs = Math.round(clock.nowMs() - startedMs);
      logger.info('invocation ended', {
        requestId,
        containerStatus: status,
        durationMs,
        ...outcome,
        ...told,
      });
    } finally {
      cancel();
    }
  }

  async #answerWhole(exchange: Exchange, requestId: string, asked: Answered): Promise<Outcome> {
    const { limits } = this.#context.options;
    const { answer, endpoint, variant, signal, late } = asked;
    const status = answer.statusCode ?? 0;
    // The call has its own time.
    const read = await this.#held.read(answer, { stallMs: limits.answerMsMax, signal });
    answer.destroy();
    if (read.kind !== 'whole') {
      const isLate = late.aborted || read.kind === 'stalled';
      const isLost = read.kind === 'cut';
      return this.#fail(exchange, requestId, {
        endpoint,
        status: isLost ? 0 : status,
        signal,
        isLate,
        isLost,
      });
    }
    try {
      if (status < 200 || status >= 300) {
        const message = read.bytes.toString('utf8');
        return this.#fail(exchange, requestId, { endpoint, status, message, signal, isLate: false });
      }
      this.#send(
        exchange,
        200,
        { ...this.#headersOf(requestId, variant.name), ...passedAnswerHeaders(answer) },
        [read.bytes],
      );
      await exchange.closed;
      return { answerBytes: read.bytes.length };
    } finally {
      this.#held.free(read.bytes);
    }
  }

  async #answerInParts(exchange: Exchange, requestId: string, asked: Answered): Promise<Outcome> {
    const { answer, variant, late } = asked;
    return await streamAnswer(exchange, answer, {
      ...this.#context.options,
      headers: this.#headersOf(requestId, variant.name),
      late,
    });
  }

  /** What the client hears of a container that answered something else than 2xx, or nothing. */
  #fail(exchange: Exchange, requestId: string, fault: Fault): Outcome {
    const { endpoint, status, message, signal, isLate, isLost = status === 0 } = fault;
    const isStopping = signal.aborted && !exchange.isClosed;
    const said = isLate ? LATE_TEXT : isLost ? NO_ANSWER_TEXT : message;
    const failure = isStopping
      ? serviceUnavailable(SHUTTING_DOWN)
      : invocationError({ status: isLate ? 0 : status, message: said }, endpoint);
    this.#refuse(exchange, requestId, failure, endpoint.name);
    return {};
  }

  #unread(kind: Exclude<ReadBody['kind'], 'whole'>): HttpFailure {
    switch (kind) {
      case 'too_long':
        return contentTooLong(this.#context.options.limits.bodyBytesMax);
      case 'full':
        return serviceUnavailable(FULL_TEXT);
      case 'stalled':
        return requestTimeout();
      case 'cut':
        return serviceUnavailable(SHUTTING_DOWN);
      default:
        return kind satisfies never;
    }
  }

  #refuse(exchange: Exchange, requestId: string, shared: HttpFailure, endpoint?: string): void {
    const { logger, clock } = this.#context.options;
    const { status, name, members } = plainFailure(shared);
    if (exchange.isClosed) {
      logger.info('invocation refused', { requestId, endpoint, end: 'client_gone' });
      return;
    }
    logger.info('invocation refused', { requestId, endpoint, status, error: name });
    const errorType: Record<string, string> = name === '' ? {} : { 'x-amzn-errortype': name };
    const headers = { ...answerHeaders(requestId, clock), 'content-type': 'application/json', ...errorType };
    this.#send(exchange, status, headers, [Buffer.from(JSON.stringify(members))]);
  }

  #send(
    exchange: Exchange,
    status: number,
    headers: Readonly<Record<string, string>>,
    [body]: readonly [Uint8Array],
  ): void {
    if (exchange.isClosed) return;
    exchange.begin(status, { ...headers, 'content-length': String(body.length) }).write(body);
    exchange.end();
  }

  #headersOf(requestId: string, variant: string): Record<string, string> {
    return {
      ...answerHeaders(requestId, this.#context.options.clock),
      'x-amzn-invoked-production-variant': variant,
    };
  }
}

/** An invocation whose container has begun to answer. */
interface Answered extends Target {
  readonly answer: IncomingMessage;
  readonly signal: AbortSignal;
  /** Aborted when the container's time is over. */
  readonly late: AbortSignal;
}

/** What went wrong behind. */
interface Fault extends Pick<Target, 'endpoint'> {
  readonly status: number;
  readonly message?: string;
  readonly signal: AbortSignal;
  readonly isLate: boolean;
  readonly isLost?: boolean;
}
