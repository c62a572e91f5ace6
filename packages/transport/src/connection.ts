/**
 * THE SEAM between what is said and how it travels: types and prose only.
 *
 * Every transport (WebSocket on Node, WebSocket in a browser, the in-memory pair, HTTP/2 to SageMaker) is a
 * `Connection`, and each one passes the suite in `conformance/connection.ts`. Nothing of `ws` or `http2` shows
 * through: text is `string`, bytes are `Uint8Array`, every failure is a `TransportError` with a code.
 */

/** One whole message. Text stays text and bytes stay bytes, in both directions. */
export type Message = string | Uint8Array;

/**
 * A bidirectional, ordered, message-based connection that is already open.
 *
 * Order: messages arrive in the order in which the peer sent them, each exactly once.
 * Ownership: bytes passed to `send` are borrowed until its promise settles; bytes received belong to the reader.
 */
export interface Connection {
  /** Opaque, unique within the process; safe to log. */
  readonly id: string;

  /**
   * What the peer sends; one consumer. Ends when the peer closed cleanly (1000, 1001 or no code) or after our own
   * `close`; throws `TransportError` for everything else (its `closeCode` and `closeReason` are the peer's).
   * Leaving the loop early destroys the connection. Reading slowly makes the peer wait: at most a bounded number
   * of bytes is held here (`limits.ts`).
   */
  readonly messages: AsyncIterable<Message>;

  /**
   * Sends one message. The promise is the back-pressure: it resolves once less than the high-water mark waits to
   * be written, so a caller that awaits it can never fill memory. Rejects with `TransportError` when the
   * connection is closed, or with `signal.reason` when aborted; an aborted message may still have been sent.
   */
  send(message: Message, options?: { readonly signal?: AbortSignal }): Promise<void>;

  /**
   * Closes in order: what was sent before is delivered first. Resolves when the peer confirmed or the closing
   * deadline passed. Idempotent. `code` defaults to 1000.
   */
  close(code?: number, reason?: string): Promise<void>;

  /** Ends now: nothing more is delivered in either direction; `messages` throws `reason` if still being read. Idempotent. */
  destroy(reason?: Error): void;
}

/** What opening a connection needs. */
export interface ConnectOptions {
  /** Where to. The transport decides which schemes it knows (`ws:`, `wss:`, …). */
  readonly url: string;
  /** Sent with the handshake where the platform allows it (browsers do not). */
  readonly headers?: Readonly<Record<string, string>>;
  /** WebSocket subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** Bounds the wait for the handshake; rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Opens a connection or rejects with `TransportError` (`refused` carries the HTTP status of the handshake). */
export type Connect = (options: ConnectOptions) => Promise<Connection>;

/** What a peer asked for when it knocked. Header names are lower case. */
export interface Handshake {
  readonly path: string;
  /** Without the leading `?`. May hold credentials: never log it. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  /** Subprotocols offered by the peer. */
  readonly protocols: readonly string[];
}

/** The answer to a handshake: let in (optionally choosing one offered subprotocol), or refuse with an HTTP answer. */
export type Admission =
  | { readonly accept: true; readonly protocol?: string }
  | {
      readonly accept: false;
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** What a listener calls. `admit` must not throw; a throw is answered with 500. */
export interface ListenHandlers {
  admit(handshake: Handshake): Admission;
  onConnection(connection: Connection, handshake: Handshake): void;
}

/** A listener that was attached to something that accepts peers. */
export interface Listener {
  /** Refuses new peers from now on; connections that live are left alone. */
  close(): Promise<void>;
}

/** Attaches to a host (for WebSocket: a `node:http` server) and starts to admit peers. */
export type Listen<Host> = (host: Host, handlers: ListenHandlers) => Listener;
