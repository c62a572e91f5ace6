import { randomUUID } from 'node:crypto';
import { abortable } from '@kikitori/core';
import type { Connect, Connection, Message } from '@kikitori/transport';
import { SageMakerError } from '../errors.js';
import { EventSigner } from '../event-stream/event-signer.js';
import type { PartHeaders } from '../event-stream/payload-part.js';
import { SigningKeys } from '../event-stream/signing-key.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import {
  type ResolvedConnectOptions,
  resolveConnectOptions,
  type SageMakerConnectOptions,
} from './connect-options.js';
import { dataTypeOf, SageMakerConnection } from './connection.js';
import { type AwsCredentials, freshCredentials } from './credentials.js';
import { awaitAnswer } from './invocation.js';
import { LinkPool } from './link-pool.js';
import { type ClientIdentity, type SignedRequest, signRequest } from './signed-headers.js';

const IDENTITY: ClientIdentity = {
  userAgent: `kikitori/0.1.0 lang/js md/nodejs#${process.versions.node} api/sagemaker-runtime-http2`,
  amzUserAgent: 'kikitori/0.1.0',
  // What follows a failure is another stream, which somebody else decides on.
  attempt: 'attempt=1; max=1',
  invocationId: () => randomUUID(),
};

/** What is not for callers to set: everything that makes two runs differ. */
export interface ConnectInternals {
  readonly identity: ClientIdentity;
  readonly now: () => number;
  readonly partHeadersOf: (message: Message) => PartHeaders;
}

const INTERNALS: ConnectInternals = { identity: IDENTITY, now: Date.now, partHeadersOf: dataTypeOf };

/**
 * Makes a `Connect` that opens bidirectional streams to one SageMaker endpoint: HTTP/2, event streams, SigV4 of the
 * request and of every event. The `url`, `headers` and `protocols` of a call are ignored: the options name the place.
 *
 * A stream keeps the credentials that it was opened with, as with AWS's JavaScript client: its signatures are a chain that
 * names one access key. It resolves when the container has taken the WebSocket.
 *
 * Throws `SageMakerError` with an `invalid_…` reason here; its connect rejects with `SageMakerError` or the signal's
 * reason.
 */
export function createSageMakerConnect(options: SageMakerConnectOptions): Connect {
  const resolved = resolveConnectOptions(options);
  if (options.endpointUrl !== undefined) return makeConnect(resolved, INTERNALS);
  let connect: Promise<Connect> | undefined;
  return async (call) => {
    connect ??= configuredConnect(options);
    return await (await abortable(connect, call.signal))(call);
  };
}

/** To where AWS's clients were told to go, read as late as they read it. */
async function configuredConnect(options: SageMakerConnectOptions): Promise<Connect> {
  const { configuredEndpointUrl } = await import('../aws-config/index.js');
  const endpointUrl = await configuredEndpointUrl();
  return makeConnect(resolveConnectOptions({ ...options, endpointUrl }), INTERNALS);
}

/** `createSageMakerConnect` on resolved options, with a clock and an identity of the caller's. */
export function makeConnect(options: ResolvedConnectOptions, internals: ConnectInternals): Connect {
  const connector = new Connector(options, internals);
  return ({ signal }) => connector.connect(signal);
}

class Connector {
  readonly #options: ResolvedConnectOptions;
  readonly #internals: ConnectInternals;
  readonly #pool: LinkPool;
  readonly #keys = new SigningKeys();
  /** How far the service's clock is ahead of ours, once it said so and it matters. */
  #clockOffsetMs = 0;

  constructor(options: ResolvedConnectOptions, internals: ConnectInternals) {
    this.#options = options;
    this.#internals = internals;
    this.#pool = new LinkPool(options, options.streamsPerConnection);
  }

  async connect(signal: AbortSignal | undefined): Promise<Connection> {
    const offsetMs = this.#clockOffsetMs;
    try {
      return await this.#open(signal);
    } catch (error) {
      // Refused for our clock, and told the right time: once more with that.
      const isRefused = error instanceof SageMakerError && error.reason === 'clock_wrong';
      if (!isRefused || this.#clockOffsetMs === offsetMs) throw error;
      return this.#open(signal);
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<Connection> {
    const { region, answerTimeoutMs, closeTimeoutMs, messageBytesMax } = this.#options;
    signal?.throwIfAborted();
    const credentials = await this.#credentials(signal);
    let seedSignature = '';
    const linked = await this.#pool.open(async () => {
      const { headers, signature } = await this.#signRequest(credentials);
      seedSignature = signature;
      return headers;
    }, signal);
    const requestId = await awaitAnswer(linked, {
      timeoutMs: answerTimeoutMs,
      signal,
      onServiceDate: (dateMs) => this.#noteServiceDate(dateMs),
    });
    const { secretAccessKey } = credentials;
    return new SageMakerConnection({
      linked,
      signer: new EventSigner({ secretAccessKey, region, seedSignature, keys: this.#keys }),
      now: () => this.#now(),
      partHeadersOf: this.#internals.partHeadersOf,
      requestId,
      closeTimeoutMs,
      messageBytesMax,
    });
  }

  #signRequest(credentials: AwsCredentials): Promise<SignedRequest> {
    const { endpoint, region, target } = this.#options;
    const { identity } = this.#internals;
    return signRequest({ endpoint, region, target, credentials, identity, nowMs: this.#now() });
  }

  async #credentials(signal: AbortSignal | undefined): Promise<AwsCredentials> {
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort(signal?.reason);
    const timer = setTimeout(
      () => giveUp.abort(new SageMakerError('credentials_unavailable')),
      SAGEMAKER_LIMITS.credentialsTimeoutMs,
    );
    signal?.addEventListener('abort', onAbort);
    try {
      return await abortable(freshCredentials(this.#options.credentials, this.#now()), giveUp.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #now(): number {
    return this.#internals.now() + this.#clockOffsetMs;
  }

  #noteServiceDate(dateMs: number): void {
    const offsetMs = dateMs - this.#internals.now();
    if (Math.abs(offsetMs - this.#clockOffsetMs) >= SAGEMAKER_LIMITS.clockSkewMsMin)
      this.#clockOffsetMs = offsetMs;
  }
}
