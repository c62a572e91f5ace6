/** Every bound of the frame layer, with its reason and with what happens there. */
export const FRAME_LIMITS = {
  /**
   * Largest message, all its fragments together, that a reader takes unless told otherwise; vLLM's figure. Above it:
   * `message_too_big`, before anything is allocated.
   */
  messageBytesMax: 16 * 1024 * 1024,
  /** RFC 6455 section 5.5. Above it: `protocol_error`. */
  controlBytesMax: 125,
  /** Head of a handshake's answer. Above it: `protocol_error`. */
  headBytesMax: 16 * 1024,
  /** Interim answers (1xx) before the one that counts. Above it: `protocol_error`. */
  interimAnswersMax: 8,
  /** How much of a refusal's body is kept; the rest is cut off. */
  refusalBodyBytesMax: 16 * 1024,
  /** How long a refusal's body may take to arrive. Then: what came until then. */
  refusalBodyTimeoutMs: 1_000,
  /** A handshake that takes longer is given up (`connect_timeout`), whatever the caller's signal says. */
  handshakeTimeoutMs: 10_000,
} as const;
