import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@kikitori/core';
import type { Upstream } from '../http/upstream.js';
import type { BridgeLimits } from '../limits.js';
import { invocationLine } from '../metrics/emf.js';
import { passedHeaders } from '../session/request-headers.js';
import { fieldsOf, frameFile, isForm } from './form.js';
import { Invocation, type InvocationTarget } from './invocation.js';
import { type InvocationRecord, isFailure } from './record.js';
import { discardBody, type Refusal, sendRefusal } from './refusal.js';
import { ServedModel } from './served-model.js';

/** What files over HTTP are passed on with. */
export interface InvocationsOptions {
  readonly upstream: Upstream;
  /** Path of the model server's route; undefined: OpenAI's, beside its `/v1/realtime`. */
  readonly path: string | undefined;
  readonly limits: BridgeLimits;
  readonly logger: Logger;
  readonly isModelLoading: () => boolean;
  readonly writeMetrics: ((line: string) => void) | undefined;
  /** Called whenever one is over. */
  readonly onOver: () => void;
}

const WRONG_METHOD: Refusal = {
  status: 405,
  message: 'A file is sent with POST; its body is the audio, or a form with a part named file.',
};

/** `POST /invocations`: SageMaker's plain InvokeEndpoint, passed on to the model server's own route for files. */
export class Invocations {
  readonly #options: InvocationsOptions;
  readonly #url: URL;
  readonly #model: ServedModel;
  readonly #running = new Set<Invocation>();

  constructor(options: InvocationsOptions) {
    this.#options = options;
    const { upstream, path, limits } = options;
    this.#url = path === undefined ? upstream.transcriptionsUrl : new URL(path, upstream.transcriptionsUrl);
    this.#model = new ServedModel(upstream, limits);
  }

  /** Those that are running. */
  get count(): number {
    return this.#running.size;
  }

  /** Passes a request on, or refuses it with what is given. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal | undefined,
  ): Promise<void> {
    const { limits, logger, isModelLoading, writeMetrics, onOver } = this.#options;
    const no = request.method === 'POST' ? refusal : WRONG_METHOD;
    if (no !== undefined) {
      await discardBody(request, limits);
      sendRefusal(response, no);
      return;
    }
    const invocation = new Invocation({
      id: randomBytes(8).toString('hex'),
      request,
      response,
      limits,
      isModelLoading,
      findTarget: (signal) => this.#findTarget(request, signal),
    });
    this.#running.add(invocation);
    const record = await invocation.run();
    this.#running.delete(invocation);
    log(record, logger);
    writeMetrics?.(invocationLine(record, { active: this.#running.size, unixMs: Date.now() }));
    onOver();
  }

  /** Ends all of them now. */
  abort(): void {
    for (const invocation of this.#running) invocation.abort();
  }

  async #findTarget(request: IncomingMessage, signal: AbortSignal): Promise<InvocationTarget> {
    const url = this.#url;
    const { 'content-type': type, accept, authorization } = request.headers;
    const headers = {
      ...this.#options.upstream.headers,
      ...passedHeaders(request.headers),
      ...(accept === undefined ? {} : { accept }),
    };
    if (isForm(request))
      return { url, headers: { ...headers, 'content-type': type ?? '' }, frame: undefined };
    const given = fieldsOf(request);
    const name = given.has('model') ? undefined : await this.#model.name(authorization, signal);
    const fields = name === undefined ? given : new Map([['model', [name]] as const, ...given]);
    return { url, headers, frame: frameFile(fields, type) };
  }
}

function log(record: InvocationRecord, logger: Logger): void {
  const { id, reason, status, durationMs, answerMs, clientBytes, upstreamBytes } = record;
  logger[isFailure(reason) ? 'warn' : 'info']('invocation ended', {
    invocation: id,
    reason,
    status,
    duration_ms: Math.round(durationMs),
    answer_ms: answerMs === undefined ? undefined : Math.round(answerMs),
    client_bytes: clientBytes,
    upstream_bytes: upstreamBytes,
  });
}
