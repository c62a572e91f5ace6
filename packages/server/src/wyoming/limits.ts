/** Every bound of calls over TCP, with its reason; docs/server.md says what happens at each. */
export interface WyomingLimits {
  /** One header line. More: an `error`, and the end. */
  readonly headerBytesMax: number;
  /** The data behind it. More: the same. */
  readonly dataBytesMax: number;
  /** The payload. More: the same. */
  readonly payloadBytesMax: number;
  /** Calls at once. One more hears an `error`, and ends. */
  readonly callsMax: number;
  /** A call that asked for no transcript and is silent ends. */
  readonly idleMs: number;
  /** A client that does not read what it is told is cut. */
  readonly unreadMs: number;
  /** A call that is over waits for the client to end it too; then it is cut. */
  readonly closeMs: number;
}

export const WYOMING_LIMITS: WyomingLimits = {
  // The line that Python's `asyncio` reads.
  headerBytesMax: 65_536,
  dataBytesMax: 262_144,
  // Eight seconds of 16 kHz: a hundred times what clients send.
  payloadBytesMax: 262_144,
  // Far more than a house has microphones; each holds a socket and little else until it says something.
  callsMax: 256,
  idleMs: 60_000,
  unreadMs: 30_000,
  closeMs: 2_000,
};
