/**
 * Every bound of this package, with its reason and with what happens there. What browsers use are constants, so that a
 * bundle holds numbers and not their names; `TRANSPORT_LIMITS` shows all of them together.
 */

/** Largest message either side accepts; vLLM behind uvicorn has the same figure. Above it: close 1009. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** `send` waits while this much is not yet written: about four seconds of base64 audio. */
export const SEND_HIGH_WATER_BYTES = 128 * 1024;
/** What callers that do not await `send` may pile up. At the bound `send` rejects with `send_overflow`. */
export const SEND_BYTES_MAX = 64 * 1024 * 1024;

/** Unread bytes and messages from which on the peer is made to wait. */
export const RECEIVE_HIGH_WATER_BYTES = 1024 * 1024;
export const RECEIVE_HIGH_WATER_COUNT = 1024;
/**
 * Unread bytes and messages that end the connection with `receive_overflow`. Where the platform lets us pause the
 * peer it cannot be reached: one read chunk and one maximum message fit between the mark and this.
 */
export const RECEIVE_BYTES_MAX = 40 * 1024 * 1024;
export const RECEIVE_COUNT_MAX = 100_000;

/** A handshake that takes longer is given up, whatever the caller's signal says. */
export const CONNECT_TIMEOUT_MS = 30_000;
/** `close` waits this long for the peer, then cuts the line. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code. Longer reasons are cut. */
export const CLOSE_REASON_BYTES_MAX = 123;

/** A browser tells nobody when its send buffer drains: we look, first often, then less often. */
export const DRAIN_POLL_MS_MIN = 4;
export const DRAIN_POLL_MS_MAX = 100;

/** All of them, by name. */
export const TRANSPORT_LIMITS = {
  messageBytesMax: MESSAGE_BYTES_MAX,
  sendHighWaterBytes: SEND_HIGH_WATER_BYTES,
  sendBytesMax: SEND_BYTES_MAX,
  receiveHighWaterBytes: RECEIVE_HIGH_WATER_BYTES,
  receiveHighWaterCount: RECEIVE_HIGH_WATER_COUNT,
  receiveBytesMax: RECEIVE_BYTES_MAX,
  receiveCountMax: RECEIVE_COUNT_MAX,
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  closeTimeoutMs: CLOSE_TIMEOUT_MS,
  /** A refused peer has this long to read the answer. */
  refusalTimeoutMs: 2_000,
  /**
   * Pings, and the wait for any sign of life after one. Then: close 1011. A peer that vanishes right behind its answer
   * is noticed after both, 9 s; one whose event loop stands still for four answers in time. vLLM's 20 and 20 mean 40 s.
   */
  pingIntervalMs: 4_500,
  pongTimeoutMs: 4_500,
  closeReasonBytesMax: CLOSE_REASON_BYTES_MAX,
  /** Open connections of one listener. At the bound a handshake is answered with 503. */
  connectionsMax: 4096,
  drainPollMsMin: DRAIN_POLL_MS_MIN,
  drainPollMsMax: DRAIN_POLL_MS_MAX,
} as const;

/**
 * What to give `http.createServer` under a WebSocket listener. A peer that has not finished its handshake lives in
 * the HTTP server, so the bounds on it belong there: header size, the time to send the header, and how often overdue
 * peers are looked for.
 */
export const HTTP_SERVER_DEFAULTS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const;
