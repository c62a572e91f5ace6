/**
 * Bounds of the stand-in, with the reason of each and what happens there. Times in milliseconds. "SageMaker" marks a
 * figure that AWS documents; the others are ours.
 */
export const STAND_IN_LIMITS = {
  // Every stream of the official client has a connection of its own.
  /** TCP connections at once. One more is dropped. */
  connectionsMax: 4_096,
  /** Streams at once of one connection: SETTINGS_MAX_CONCURRENT_STREAMS. One more is reset with REFUSED_STREAM. */
  streamsPerConnectionMax: 128,
  /** Streams at once of the whole stand-in. One more is answered with 503 `ServiceUnavailableError`. */
  streamsMax: 4_096,
  // AWS publishes no figure. A laptop's model gives up long before.
  /** Streams at once of one endpoint, unless the endpoint says otherwise. One more: 429 `ThrottlingException`. */
  streamsPerEndpointMax: 1_024,
  // A query string of 2,048 bytes, a session token of some 2 KB and the usual rest, with room.
  /**
   * Bytes of all request headers, names included. Above it: 400 `InputValidationError`; far above it the HTTP/2 layer
   * resets the stream by itself.
   */
  headerBytesMax: 32 * 1024,
  /** A connection without any stream is closed after it. */
  connectionIdleMs: 60_000,
  /** A TLS handshake that takes longer is cut. */
  tlsHandshakeMs: 10_000,

  // What AWS's services tolerate.
  /** Difference between the caller's clock and ours, either way. Beyond it a signature counts as expired. */
  clockSkewMsMax: 300_000,

  /** Longest stream (SageMaker). Then: ModelStreamError `ModelInvocationTimeExceeded`. */
  streamMsMax: 1_800_000,
  // AWS's convention for event streams: 16 MiB of payload and 128 KiB of headers, twice because events are nested.
  /** Whole signed event, prelude included. Above it nothing is allocated: ModelStreamError `InvalidEvent`. */
  eventBytesMax: 16 * 1024 * 1024 + 2 * 128 * 1024,
  /** Payload of one frame of the container. Above it: Close 1009 to the container and ModelStreamError. */
  frameBytesMax: 16 * 1024 * 1024,
  // About four seconds of base64 audio; the mark of the transports here.
  /** While so much waits to be read by the client, nothing is read from the container. */
  clientHighWaterBytes: 128 * 1024,
  /** While so much waits to be read by the container, nothing is read from the client. */
  containerHighWaterBytes: 128 * 1024,
  /** HTTP/2 window of one stream: what a client may send before anybody looks at it. */
  streamWindowBytes: 64 * 1024 - 1,

  /** Largest body of `InvokeEndpoint`, either way (SageMaker). Then: 413 of a request, 424 `ModelError` of an answer. */
  bodyBytesMax: 25 * 1024 * 1024,
  // Bodies are kept whole: a signature covers all of one, and an answer may turn out to be a failure.
  /** Bodies of all requests and answers together. Then: 503 `ServiceUnavailable`, or 424. */
  bodiesBytesMax: 256 * 1024 * 1024,
  /** How long a request's body may stop arriving. Then: 408. */
  bodyStallMs: 30_000,
  /** From the container's having the body to the end of its answer (SageMaker). Then: 424 `ModelError`. */
  answerMsMax: 60_000,
  /** The same where the answer is streamed (SageMaker). Then: ModelStreamError `ModelInvocationTimeExceeded`. */
  streamedAnswerMsMax: 480_000,

  /** From the TCP connection to the 101 of the container. Then: 424 `ModelError`. */
  handshakeMs: 30_000,
  /** Time between two pings to the container (SageMaker). */
  pingIntervalMs: 60_000,
  /** Pings in a row without a pong that end the stream (SageMaker): ModelStreamError. */
  missedPongsMax: 5,
  /** How long the container has to answer a Close. Then its socket is cut. */
  closeMs: 5_000,
  /** How long a client that was told the end may go on sending into the void. Then: RST_STREAM(NO_ERROR). */
  lingerMs: 1_000,
  /** How long an answer may wait to be read by its client. Then: RST_STREAM(CANCEL). */
  flushMs: 5_000,

  /** Time between two `GET /ping` (SageMaker: "every few seconds"). */
  healthIntervalMs: 2_000,
  /** How long an answer to `GET /ping` may take (SageMaker). Then it counts as a failure. */
  healthTimeoutMs: 2_000,
  /** From the start to the first 200 of `GET /ping` (SageMaker). Then the endpoint is `Failed`. */
  healthWindowMs: 480_000,
} as const;

/** Any of them may be another. */
export type StandInLimits = { readonly [Name in keyof typeof STAND_IN_LIMITS]: number };
