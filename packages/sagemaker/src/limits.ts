/** Every bound of the event-stream code and of the client, with its reason and with what happens there. */
export const SAGEMAKER_LIMITS = {
  /** Largest message of ours in either direction; vLLM behind uvicorn has the same figure. Above: `message_too_big`. */
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
} as const;
