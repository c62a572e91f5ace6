import { SageMakerError } from '../errors.js';
import type { InvocationContext } from './admission.js';
import { makeCertificate, type ServerCertificate, useCertificate } from './certificate.js';
import type { RuntimeCredentials } from './credentials.js';
import { Endpoint, type EndpointState } from './endpoint.js';
import { exchangeOfStream } from './exchange.js';
import { Invocations } from './invocation.js';
import { type Listener, listen } from './listener.js';
import { type ResolvedOptions, resolveOptions, type SageMakerStandInOptions } from './options.js';
import { PlainInvocations } from './plain-invocation.js';
import { readRequest } from './request.js';
import { findOperation } from './request-validation.js';

/** A stand-in that listens. */
export interface SageMakerStandIn {
  /** What clients take as their endpoint: `https://127.0.0.1:8443`, or `http:` in plain text. */
  readonly url: string;
  readonly host: string;
  /** The port that was really taken. */
  readonly port: number;
  /** File with the certificate that clients must trust (PEM); absent in plain text or with a given certificate. */
  readonly authorityPath: string | undefined;
  /** The same, as text. */
  readonly authority: string | undefined;
  /** Who may call, secrets included: for printing where the caller is told, not for logs. */
  readonly credentials: readonly RuntimeCredentials[];
  readonly region: string;
  /** Live: each one's status and streams as they are when read. */
  readonly endpoints: readonly EndpointState[];
  /** Streams, and requests with a body of their own, that live. */
  readonly streamCount: number;
  /** Open TCP connections of clients. */
  readonly connectionCount: number;
  /**
   * Waits until every endpoint is InService.
   *
   * @throws SageMakerError `endpoint_failed`, `runtime_closed`; or the signal's reason
   */
  whenInService(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Takes no new streams (503) and no new connections, lets the open streams go on until the deadline, ends those that
   * are left with InternalStreamFailure, then lets go of everything. Idempotent; the first deadline counts.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
  /** Cuts everything now; resolves when nothing is left. Idempotent. */
  destroy(): Promise<void>;
}

/** How long `close` waits for open streams where the caller does not say. */
export const CLOSE_DEADLINE_MS = 5_000;

/**
 * Stands in for SageMaker's runtime on this machine: HTTP/2 and event streams on one side, WebSocket frames to a
 * container on the other; and bodies over HTTP/1.1, which go to its `/invocations`. Resolves when it listens; endpoints become InService when their containers are healthy.
 *
 * @throws SageMakerError `invalid_option`, `unsafe_address`, `port_in_use`, `port_forbidden`, `address_unavailable`,
 * `listen_failed`, `certificate_failed`
 */
export async function createSageMakerStandIn(options: SageMakerStandInOptions): Promise<SageMakerStandIn> {
  const resolved = resolveOptions(options);
  const certificate = resolved.isPlaintext ? undefined : await certificateFor(resolved);
  const runtime = new Runtime(resolved, certificate);
  try {
    await runtime.listen();
  } catch (error) {
    await certificate?.remove();
    throw error;
  }
  return runtime;
}

async function certificateFor({
  certificate,
  host,
  tlsNames,
  authorityPath,
}: ResolvedOptions): Promise<ServerCertificate> {
  if (certificate !== undefined) return useCertificate(certificate);
  try {
    return await makeCertificate({ host, names: tlsNames, path: authorityPath });
  } catch (cause) {
    throw new SageMakerError('certificate_failed', { cause });
  }
}

class Runtime implements SageMakerStandIn, InvocationContext {
  readonly options: ResolvedOptions;
  readonly endpoints: readonly Endpoint[];
  readonly #certificate: ServerCertificate | undefined;
  readonly #invocations: Invocations;
  readonly #plain: PlainInvocations;
  readonly #answers = new Set<Promise<void>>();
  readonly #watchers = new Set<() => void>();
  #listener: Listener | undefined;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #destroyed: Promise<void> | undefined;

  constructor(options: ResolvedOptions, certificate: ServerCertificate | undefined) {
    this.options = options;
    this.#certificate = certificate;
    const { limits, clock, logger } = options;
    this.endpoints = options.endpoints.map(
      (endpoint) =>
        new Endpoint({
          options: endpoint,
          limits,
          clock,
          logger,
          onStatus: (state) => this.#onStatus(state),
        }),
    );
    this.#invocations = new Invocations(this);
    this.#plain = new PlainInvocations(this);
  }

  get url(): string {
    const { isPlaintext, host } = this.options;
    const name = host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host;
    return `${isPlaintext ? 'http' : 'https'}://${name}:${this.port}`;
  }

  get host(): string {
    return this.options.host;
  }

  get port(): number {
    return this.#listener?.port ?? this.options.port;
  }

  get authorityPath(): string | undefined {
    return this.#certificate?.authorityPath;
  }

  get authority(): string | undefined {
    return this.#certificate?.authority;
  }

  get credentials(): readonly RuntimeCredentials[] {
    return this.options.credentials;
  }

  get region(): string {
    return this.options.region;
  }

  get streamCount(): number {
    return this.#answers.size;
  }

  get connectionCount(): number {
    return this.#listener?.connectionCount ?? 0;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Starts to listen, and to ask for the containers' health. */
  async listen(): Promise<void> {
    this.#listener = await listen({
      ...this.options,
      certificate: this.#certificate,
      onStream: (stream, rawHeaders) => {
        const operation = findOperation(readRequest(rawHeaders)).value?.operation ?? 'stream';
        if (operation === 'stream') this.#keep(this.#invocations.answer(stream, rawHeaders));
        else this.#keep(this.#plain.answer(exchangeOfStream(stream, rawHeaders, this.options)));
      },
      onExchange: (exchange) => this.#keep(this.#plain.answer(exchange)),
    });
    for (const endpoint of this.endpoints) endpoint.start();
  }

  #keep(answering: Promise<void>): void {
    const answer = answering.finally(() => this.#answers.delete(answer));
    this.#answers.add(answer);
  }

  whenInService({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#watchers.delete(look);
        signal?.removeEventListener('abort', look);
        act();
      };
      const look = (): void => {
        const statuses = this.endpoints.map(({ status }) => status);
        if (signal?.aborted === true) settle(() => reject(signal.reason));
        else if (this.#isClosing) settle(() => reject(new SageMakerError('runtime_closed')));
        else if (statuses.includes('Failed')) settle(() => reject(new SageMakerError('endpoint_failed')));
        else if (!statuses.includes('Creating')) settle(resolve);
      };
      this.#watchers.add(look);
      signal?.addEventListener('abort', look);
      look();
    });
  }

  close({ deadlineMs = CLOSE_DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#retire();
    this.#listener?.stop();
    const cancel = this.options.clock.after(deadlineMs, () => {
      this.#invocations.endAll();
      this.#plain.endAll();
    });
    await Promise.all(this.#answers);
    cancel();
    await this.destroy();
  }

  async #destroy(): Promise<void> {
    this.#retire();
    this.#invocations.destroyAll();
    this.#plain.endAll();
    await this.#listener?.destroy();
    await Promise.all(this.#answers);
    await this.#certificate?.remove();
  }

  #retire(): void {
    this.#isClosing = true;
    for (const endpoint of this.endpoints) endpoint.stop();
    this.#tellWatchers();
  }

  #onStatus(state: EndpointState): void {
    this.options.onEndpointStatus(state);
    this.#tellWatchers();
  }

  #tellWatchers(): void {
    for (const look of [...this.#watchers]) look();
  }
}
