import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Proxies } from '@kikitori/transport/proxy';
import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import { dial } from './dial.js';
import type { Endpoint } from './endpoint.js';
import { Liveness } from './liveness.js';

/** What a link is made with. */
export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly ca?: string | Uint8Array | undefined;
  readonly proxies?: Proxies | undefined;
  readonly connectTimeoutMs: number;
  readonly livenessIntervalMs: number;
  readonly livenessTimeoutMs: number;
}

/** One HTTP/2 connection and the streams on it. It ends itself with its last stream. */
export class Http2Link {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #liveness: Liveness;
  #streamCount = 0;
  #isHttp2 = false;
  #isUsedUp = false;
  #isLost = false;
  #failure: SageMakerError | undefined;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket;
    const { authority, isTls } = options.endpoint;
    this.#session = connectHttp2(`${isTls ? 'https' : 'http'}://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: SAGEMAKER_LIMITS.streamWindowBytes },
    });
    this.#liveness = new Liveness({
      intervalMs: options.livenessIntervalMs,
      timeoutMs: options.livenessTimeoutMs,
      signsOfLife: () => socket.bytesRead,
      ping: () => this.#ping(),
      onDead: () => this.#fail(new SageMakerError('no_sign_of_life')),
    });
    this.#listen();
  }

  /** Dials and begins to speak HTTP/2. Rejects with what `dial` rejects with. */
  static async open(options: LinkOptions, signal?: AbortSignal): Promise<Http2Link> {
    const { endpoint, ca, proxies, connectTimeoutMs: timeoutMs } = options;
    return new Http2Link(await dial({ endpoint, ca, proxies, timeoutMs, signal }), options);
  }

  /** Why the link is gone, if it was not us who ended it. */
  get failure(): SageMakerError | undefined {
    return this.#failure ?? (this.#isLost ? new SageMakerError('line_lost') : undefined);
  }

  /** Whether new streams may go here. */
  get isUsable(): boolean {
    return !this.#isGone && !this.#isUsedUp;
  }

  get #isGone(): boolean {
    return this.#session.destroyed || this.#session.closed || this.#socket.destroyed;
  }

  /** Whether one more stream may be opened here; the service says how many it takes. */
  hasRoom(streamsMax: number): boolean {
    const { maxConcurrentStreams = streamsMax } = this.#isHttp2 ? this.#session.remoteSettings : {};
    return this.isUsable && this.#streamCount < Math.min(streamsMax, maxConcurrentStreams);
  }

  /** Opens a stream. Throws `line_lost` when the link is gone meanwhile. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    if (this.#isGone) throw this.failure ?? new SageMakerError('line_lost');
    // The constructor of the stream does not copy.
    const stream = this.#session.request({ ...headers }, { endStream: false });
    this.#streamCount += 1;
    // The session tells its own failure only after its streams.
    stream.on('error', (cause) => {
      if (this.#isGone) this.#noteFailure(cause);
    });
    stream.once('close', () => {
      this.#streamCount -= 1;
      // A lost line ends its streams first.
      if (this.#isGone) this.#isLost = true;
      if (this.#streamCount === 0) this.#end();
    });
    return stream;
  }

  /** To be called when a link was opened and nothing is asked for on it. */
  releaseIfIdle(): void {
    if (this.#streamCount === 0) this.#end();
  }

  #listen(): void {
    const session = this.#session;
    session.on('connect', () => session.setLocalWindowSize(SAGEMAKER_LIMITS.connectionWindowBytes));
    session.on('remoteSettings', () => {
      this.#isHttp2 = true;
    });
    // The streams that live go on; new ones go elsewhere.
    session.on('goaway', () => {
      this.#isUsedUp = true;
    });
    session.on('error', (cause) => this.#noteFailure(cause));
    session.on('close', () => {
      this.#liveness.stop();
      clearTimeout(this.#endTimer);
      this.#socket.destroy();
    });
    this.#liveness.start();
  }

  #noteFailure(cause: Error): void {
    const isParsing = 'code' in cause && cause.code === 'ERR_HTTP2_ERROR';
    // What cannot be parsed before the first SETTINGS is another protocol.
    const reason = isParsing && !this.#isHttp2 ? 'not_http2' : 'line_lost';
    this.#failure ??= new SageMakerError(reason, { cause });
  }

  #ping(): void {
    if (!this.#isGone) this.#session.ping(() => undefined);
  }

  #fail(failure: SageMakerError): void {
    this.#failure ??= failure;
    this.#cut();
  }

  /** The session waits for its last write, which a dead line never ends: the socket goes with it. */
  #cut(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#session.destroyed) return;
    this.#liveness.stop();
    // Sends GOAWAY, and lets go of the socket once it is written; a peer that is gone already would make it wait for ever.
    this.#session.close();
    this.#endTimer ??= setTimeout(() => this.#cut(), SAGEMAKER_LIMITS.linkCloseTimeoutMs);
  }
}
