import type { Leg } from './leg.js';

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
  leg: Leg,
  tickMs: number,
  { silenceMsMax, untriedMsMax = silenceMsMax }: SilenceLimits,
): boolean {
  if (!leg.isTried) {
    leg.isTried = true;
    leg.sendPing();
    leg.isPinged = false;
  }
  if (leg.isHeard || leg.isPaused) {
    leg.isHeard = false;
    leg.quietMs = 0;
    leg.isPinged = false;
    return true;
  }
  leg.quietMs += tickMs;
  const deadAtMs = (leg.hasAnswered ? silenceMsMax : Math.max(silenceMsMax, untriedMsMax)) * DEAD_AT;
  if (leg.isPinged) return leg.quietMs < deadAtMs || leg.hasPending;
  if (leg.quietMs >= silenceMsMax * PING_AT) leg.sendPing();
  return true;
}
