import { randomUUID } from 'node:crypto';
import type { ServerHttp2Stream } from 'node:http2';
import { TransportError } from '@kikitori/transport';
import { openFrames } from '@kikitori/transport/frames';
import { EVENT_STREAM_CONTENT_TYPE } from '../event-stream/request-signature.js';
import {
  accessPolicy,
  answerHeaders,
  findTarget,
  type InvocationContext,
  SHUTTING_DOWN,
  type Target,
} from './admission.js';
import { endAnswer } from './answer-end.js';
import { type ResolvedVariant, STREAMING_LABEL } from './endpoint.js';
import {
  type HttpFailure,
  inputValidationError,
  internalServerError,
  modelError,
  NO_WEBSOCKET_TEXT,
  serviceUnavailable,
  unknownOperation,
  type Verdict,
} from './http-failure.js';
import { type Invocation, type RuntimeRequest, readRequest } from './request.js';
import { type AccessPolicy, checkSignature, type Signer } from './request-access.js';
import { findOperation, readInvocation } from './request-validation.js';
import { StreamSession } from './stream-session.js';

/** A request that passed every check in front of the container. */
interface Admitted extends Target {
  readonly signer: Signer;
  readonly invocation: Invocation;
}

/** Decides about requests, opens the container's WebSocket for those that pass, and writes their line in the log. */
export class Invocations {
  readonly #context: InvocationContext;
  readonly #policy: AccessPolicy;
  readonly #sessions = new Set<StreamSession>();
  /** Handshakes on their way. */
  readonly #openings = new Set<AbortController>();

  constructor(context: InvocationContext) {
    this.#context = context;
    this.#policy = accessPolicy(context.options);
  }

  /** Ends every open stream with an exception that says so, and every one on its way with 503. */
  endAll(): void {
    for (const opening of this.#openings) opening.abort();
    for (const session of this.#sessions) session.end({ kind: 'shutdown' });
  }

  /** Cuts the container off from every open stream; the listener cuts the clients. */
  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Answers one request; resolves when nothing of it is left. Never rejects. */
  async answer(stream: ServerHttp2Stream, rawHeaders: readonly string[]): Promise<void> {
    const { logger } = this.#context.options;
    const requestId = randomUUID();
    // Without a listener a broken client would end the process.
    stream.on('error', () => logger.debug('stream failed', { requestId }));
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    try {
      const request = readRequest(rawHeaders);
      const { value, failure } = this.#admit(request);
      if (failure === undefined) await this.#carry(stream, requestId, value);
      else this.#refuse(stream, requestId, failure);
    } catch (error) {
      logger.error('stream failed inside the stand-in', { requestId, error: nameOf(error) });
      if (!stream.headersSent) this.#refuse(stream, requestId, internalServerError());
    }
    if (!stream.destroyed) await closed;
  }

  #admit(request: RuntimeRequest): Verdict<Admitted> {
    const { options, endpoints, isClosing, streamCount } = this.#context;
    if (request.headerBytes > options.limits.headerBytesMax) {
      return { failure: inputValidationError('The headers of the request are too long.', 'HeadersTooLong') };
    }
    const operation = findOperation(request);
    if (operation.failure !== undefined) return operation;
    if (operation.value.operation !== 'stream') return { failure: unknownOperation() };
    const signed = checkSignature(request, this.#policy, options.clock.unixMs());
    if (signed.failure !== undefined) return signed;
    const read = readInvocation(request, operation.value.label);
    if (read.failure !== undefined) return read;
    if (isClosing) return { failure: serviceUnavailable(SHUTTING_DOWN) };
    if (streamCount >= options.limits.streamsMax) {
      return { failure: serviceUnavailable('The service carries as many streams as it can.') };
    }
    const action = 'sagemaker:InvokeEndpointWithBidirectionalStream';
    const found = findTarget(signed.value, read.value, { endpoints, accountId: options.accountId, action });
    if (found.failure !== undefined) return found;
    return { value: { ...found.value, signer: signed.value, invocation: read.value } };
  }

  async #carry(stream: ServerHttp2Stream, requestId: string, admitted: Admitted): Promise<void> {
    const { endpoint } = admitted;
    const full = endpoint.enter();
    if (full !== undefined) {
      this.#refuse(stream, requestId, full, endpoint.name);
      return;
    }
    try {
      const { value, failure } = await this.#open(stream, requestId, admitted);
      if (failure !== undefined) {
        this.#refuse(stream, requestId, failure, endpoint.name);
        return;
      }
      await this.#run(value, requestId, admitted);
    } finally {
      endpoint.leave();
    }
  }

  async #open(
    stream: ServerHttp2Stream,
    requestId: string,
    admitted: Admitted,
  ): Promise<Verdict<StreamSession>> {
    const { options } = this.#context;
    const { endpoint, invocation, variant, signer } = admitted;
    const { name: endpointName, region, accountId } = endpoint;
    const noWebSocket = (originalMessage: string, originalStatus?: number): Verdict<StreamSession> => ({
      failure: modelError({ originalMessage, originalStatus, endpointName, region, accountId }),
    });
    if (!endpoint.hasStreamingLabel) {
      return noWebSocket(`The image has no label ${STREAMING_LABEL}=true.`);
    }
    const given = new AbortController();
    const giveUp = (): void => given.abort();
    stream.once('close', giveUp);
    this.#openings.add(given);
    try {
      const opening = await openFrames({
        url: containerAddress(variant, invocation),
        timeoutMs: options.limits.handshakeMs,
        signal: given.signal,
      });
      // As on AWS the body of the refusal is not shown to the client.
      if (opening.kind === 'refused') return noWebSocket(NO_WEBSOCKET_TEXT, opening.status);
      const { socket, head } = opening;
      const session = new StreamSession({
        ...options,
        stream,
        socket,
        head,
        responseHeaders: {
          ':status': '200',
          ...answerHeaders(requestId, options.clock),
          'content-type': EVENT_STREAM_CONTENT_TYPE,
          'x-amzn-invoked-production-variant': variant.name,
        },
        events: {
          secretAccessKey: signer.credentials.secretAccessKey,
          region: signer.region,
          seedSignature: signer.signature,
          keys: this.#policy.keys,
          eventBytesMax: options.limits.eventBytesMax,
          clockSkewMsMax: options.limits.clockSkewMsMax,
          unixMs: () => options.clock.unixMs(),
        },
      });
      return { value: session };
    } catch (error) {
      if (given.signal.aborted) return { failure: serviceUnavailable(SHUTTING_DOWN) };
      if (error instanceof TransportError) return noWebSocket(NO_WEBSOCKET_TEXT);
      throw error;
    } finally {
      this.#openings.delete(given);
      stream.off('close', giveUp);
    }
  }

  async #run(session: StreamSession, requestId: string, { endpoint, variant }: Admitted): Promise<void> {
    const { clock, logger } = this.#context.options;
    const startedMs = clock.nowMs();
    this.#sessions.add(session);
    session.start();
    const end = await session.finished;
    this.#sessions.delete(session);
    logger.info('stream ended', {
      requestId,
      endpoint: endpoint.name,
      variant: variant.name,
      end: end.kind,
      closeCode: 'code' in end ? end.code : undefined,
      fault: 'fault' in end ? end.fault : undefined,
      durationMs: Math.round(clock.nowMs() - startedMs),
      ...session.counts,
    });
  }

  #refuse(stream: ServerHttp2Stream, requestId: string, failure: HttpFailure, endpoint?: string): void {
    const { logger } = this.#context.options;
    const { status, name, members } = failure;
    if (stream.destroyed || stream.closed) {
      logger.info('stream refused', { requestId, endpoint, end: 'client_gone' });
      return;
    }
    logger.info('stream refused', { requestId, endpoint, status, error: name });
    stream.respond({
      ':status': status,
      ...answerHeaders(requestId, this.#context.options.clock),
      'content-type': 'application/json',
      'x-amzn-errortype': name,
    });
    stream.write(JSON.stringify(members));
    endAnswer(stream, this.#context.options);
  }
}

function containerAddress(
  { containerUrl }: ResolvedVariant,
  { containerPath, containerQuery }: Invocation,
): URL {
  const url = new URL(containerUrl);
  url.pathname = `/${containerPath}`;
  url.search = containerQuery;
  return url;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
