/**
 * Bounds of the stand-in, with the reason of each and what happens there. Times in milliseconds. "SageMaker" marks a
 * figure that AWS documents; the others are ours.
 */
export interface StandInLimits {
  /** TCP connections at once. One more is dropped. */
  readonly connectionsMax: number;
  /** Streams at once of one connection: SETTINGS_MAX_CONCURRENT_STREAMS. One more is reset with REFUSED_STREAM. */
  readonly streamsPerConnectionMax: number;
  /** Streams at once of the whole stand-in. One more is answered with 503 `ServiceUnavailableError`. */
  readonly streamsMax: number;
  /** Streams at once of one endpoint, unless the endpoint says otherwise. One more: 429 `ThrottlingException`. */
  readonly streamsPerEndpointMax: number;
  /**
   * Bytes of all request headers, names included. Above it: 400 `InputValidationError`; far above it the HTTP/2 layer
   * resets the stream by itself.
   */
  readonly headerBytesMax: number;
  /** A connection without any stream is closed after it. */
  readonly connectionIdleMs: number;
  /** A TLS handshake that takes longer is cut. */
  readonly tlsHandshakeMs: number;

  /** Difference between the caller's clock and ours, either way. Beyond it a signature counts as expired. */
  readonly clockSkewMsMax: number;

  /** Longest stream (SageMaker). Then: ModelStreamError `ModelInvocationTimeExceeded`. */
  readonly streamMsMax: number;
  /** Whole signed event, prelude included. Above it nothing is allocated: ModelStreamError `InvalidEvent`. */
  readonly eventBytesMax: number;
  /** Payload of one frame of the container. Above it: Close 1009 to the container and ModelStreamError. */
  readonly frameBytesMax: number;
  /** While so much waits to be read by the client, nothing is read from the container. */
  readonly clientHighWaterBytes: number;
  /** While so much waits to be read by the container, nothing is read from the client. */
  readonly containerHighWaterBytes: number;
  /** HTTP/2 window of one stream: what a client may send before anybody looks at it. */
  readonly streamWindowBytes: number;

  /** From the TCP connection to the 101 of the container. Then: 424 `ModelError`. */
  readonly handshakeMs: number;
  /** Time between two pings to the container (SageMaker). */
  readonly pingIntervalMs: number;
  /** Pings in a row without a pong that end the stream (SageMaker): ModelStreamError. */
  readonly missedPongsMax: number;
  /** How long the container has to answer a Close. Then its socket is cut. */
  readonly closeMs: number;
  /** How long a client that was told the end may go on sending into the void. Then: RST_STREAM(NO_ERROR). */
  readonly lingerMs: number;
  /** How long an answer may wait to be read by its client. Then: RST_STREAM(CANCEL). */
  readonly flushMs: number;

  /** Time between two `GET /ping` (SageMaker: "every few seconds"). */
  readonly healthIntervalMs: number;
  /** How long an answer to `GET /ping` may take (SageMaker). Then it counts as a failure. */
  readonly healthTimeoutMs: number;
  /** From the start to the first 200 of `GET /ping` (SageMaker). Then the endpoint is `Failed`. */
  readonly healthWindowMs: number;
}

export const STAND_IN_LIMITS: StandInLimits = {
  // Every stream of the official client has a connection of its own.
  connectionsMax: 4_096,
  streamsPerConnectionMax: 128,
  streamsMax: 4_096,
  // AWS publishes no figure. A laptop's model gives up long before.
  streamsPerEndpointMax: 1_024,
  // A query string of 2,048 bytes, a session token of some 2 KB and the usual rest, with room.
  headerBytesMax: 32 * 1024,
  connectionIdleMs: 60_000,
  tlsHandshakeMs: 10_000,

  // What AWS's services tolerate.
  clockSkewMsMax: 300_000,

  streamMsMax: 1_800_000,
  // AWS's convention for event streams: 16 MiB of payload and 128 KiB of headers, twice because events are nested.
  eventBytesMax: 16 * 1024 * 1024 + 2 * 128 * 1024,
  frameBytesMax: 16 * 1024 * 1024,
  // About four seconds of base64 audio; the mark of the transports here.
  clientHighWaterBytes: 128 * 1024,
  containerHighWaterBytes: 128 * 1024,
  streamWindowBytes: 64 * 1024 - 1,

  handshakeMs: 30_000,
  pingIntervalMs: 60_000,
  missedPongsMax: 5,
  closeMs: 5_000,
  lingerMs: 1_000,
  flushMs: 5_000,

  healthIntervalMs: 2_000,
  healthTimeoutMs: 2_000,
  healthWindowMs: 480_000,
};
