import type { Leg } from './leg.js';

// A ping after this share of the allowed silence; the verdict after that one, so that a tick too late is not too late.
const PING_AT = 0.4;
const DEAD_AT = 0.9;

/**
 * Whether a peer is alive, after another `tickMs`. Any byte is a sign of life. Silence says nothing while we do not read
 * (its answer may be stuck) or while our question could not be sent.
 */
export function isAlive(leg: Leg, tickMs: number, silenceMsMax: number): boolean {
  if (leg.isHeard || leg.isPaused) {
    leg.isHeard = false;
    leg.quietMs = 0;
    leg.isPinged = false;
    return true;
  }
  leg.quietMs += tickMs;
  if (leg.isPinged) return leg.quietMs < silenceMsMax * DEAD_AT || leg.hasPending;
  if (leg.quietMs >= silenceMsMax * PING_AT) leg.sendPing();
  return true;
}
