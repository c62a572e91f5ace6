/** Every bound of the event-stream code and of the client, with its reason and with what happens there. */
export const SAGEMAKER_LIMITS = {
  /** Largest message of ours in either direction; vLLM behind uvicorn has the same figure. Above: `message_too_large`. */
  messageBytesMax: 16 * 1024 * 1024,
  /** Headers of one event-stream message, by AWS's convention. Above: `frame_malformed`. */
  headersBytesMax: 128 * 1024,
  /** Headers of one event-stream message, in number; AWS sends at most eight. Above: `frame_malformed`. */
  headersCountMax: 64,
  /** One frame: the largest message in its inner frame, in the outer one. A longer one is refused by its prelude. */
  frameBytesMax: 16 * 1024 * 1024 + 2 * (128 * 1024 + 16),
  /** First allocation for a frame that comes in pieces; it doubles as bytes arrive, never as they are announced. */
  frameFirstBytes: 16 * 1024,

  /** Derived signing keys that are kept: a day and the day before, for a handful of credentials. The oldest goes. */
  signingKeysMax: 32,

  /** Name, TCP and TLS together. Below the SDK's ten seconds, so that our sentence is the one that is seen. */
  connectTimeoutMs: 8_000,
  /** AWS's chain asks files, processes and the network. Then: `credentials_unavailable`. */
  credentialsTimeoutMs: 8_000,
  /** From the request to the first byte of the answer; a cold container may take its time. Then: `answer_timeout`. */
  answerTimeoutMs: 30_000,
  /** What of an answer that refuses is read. The rest is dropped. */
  answerBytesMax: 64 * 1024,
  /** A refusal whose words do not come in this time is told without them. */
  answerBodyTimeoutMs: 3_000,
  /** What of the service's own words an error repeats. */
  serviceTextMax: 1024,

  /** Credentials that live shorter than this are asked for again, once, before a stream is opened. */
  credentialsLifeMsMin: 5 * 60_000,
  /** A clock that is further off than this gets refused; as AWS's clients do, we correct from here on. */
  clockSkewMsMin: 4 * 60_000,

  /** Streams of one HTTP/2 connection at most, whatever was asked for and whatever the service allows. */
  streamsPerConnectionMax: 100,
  /** What the service may send on one stream ahead of our reading, in front of the receive queue of the seam. */
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 4 * 1024 * 1024,

  /** `close` waits this long for the service to end the answer, then resets the stream. */
  closeTimeoutMs: 5_000,

  /** A connection without streams has this long to write its last frames, then it is cut. */
  linkCloseTimeoutMs: 250,

  /** How often we look whether bytes came; if none did, a PING asks for a sign. Dead after at most 2 + 2 + 5 s. */
  livenessIntervalMs: 2_000,
  livenessTimeoutMs: 5_000,
} as const;
