import type { Line } from './line.js';

// A ping after this share of the allowed silence; the verdict after that one, so that a tick too late is not too late.
const PING_AT = 0.4;
const DEAD_AT = 0.9;

/** How long a peer may be silent, milliseconds. */
export interface SilenceLimits {
  /** One that has answered a ping. */
  readonly silenceMsMax: number;
  /** One that has not yet: it may be of a kind that never does. Absent: as above. */
  readonly untriedMsMax?: number;
}

/**
 * Whether a peer is alive, after another `tickMs`. Any byte is a sign of life. Silence says nothing while we do not read
 * (its answer may be stuck) or while our question could not be sent. The first ping goes out at once, to find out
 * whether the peer answers: who streams would not be asked otherwise until it is too late to know.
 */
export function isAlive(
  line: Line,
  tickMs: number,
  { silenceMsMax, untriedMsMax = silenceMsMax }: SilenceLimits,
): boolean {
  if (!line.isTried) {
    line.isTried = true;
    line.sendPing();
    line.isPinged = false;
  }
  if (line.isHeard || line.isPaused) {
    line.isHeard = false;
    line.quietMs = 0;
    line.isPinged = false;
    return true;
  }
  line.quietMs += tickMs;
  const deadAtMs = (line.hasAnswered ? silenceMsMax : Math.max(silenceMsMax, untriedMsMax)) * DEAD_AT;
  if (line.isPinged) return line.quietMs < deadAtMs || line.hasPending;
  if (line.quietMs >= silenceMsMax * PING_AT) line.sendPing();
  return true;
}
