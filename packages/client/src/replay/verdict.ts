import { TransportError } from '@kikitori/transport';
import type { ClientError } from '../errors.js';

/**
 * What to do after the end of a connection that nobody asked for.
 * - `never`: the session fails
 * - `at_once`: the peer told us to come back; the first try does not wait
 * - `back_off`: after a growing pause
 * - `when_needed`: as soon as there is something to say again
 */
export type Verdict = 'never' | 'at_once' | 'back_off' | 'when_needed';

const RESTART = 1012;

/**
 * The one table of what is worth another try; docs/client.md shows it row by row.
 *
 * `isIdle`: nothing waits to be sent or answered. A connection that was ended cleanly (1000, 1001, no code: transports
 * do not tell them apart) in the middle of work is opened again; one that was idle, when there is work.
 */
export function verdictOf(error: ClientError, isIdle: boolean): Verdict {
  if (error.serverCode === 'session_expired') return 'at_once';
  if (error.serverCode === 'idle_timeout') return 'when_needed';
  if (error.closeCode === RESTART || error.code === 'limit_reached') return 'at_once';
  const isCleanEnd = error.code === 'closed' && error.cause === undefined;
  if (isCleanEnd) return isIdle ? 'when_needed' : 'back_off';
  return isWorthIt(error) ? 'back_off' : 'never';
}

function isWorthIt(error: ClientError): boolean {
  const { cause } = error;
  if (!(cause instanceof TransportError) || cause.code !== 'closed') return error.retryable;
  // Found closed when something was to be sent, by the peer: its close code decides, where it gave one.
  const { closeCode } = cause;
  return closeCode === undefined || new TransportError('peer_closed', '', { closeCode }).retryable;
}

/**
 * Nobody was there to say goodbye: how long to stay away if somebody asked for it, milliseconds. Undefined where the server
 * is there and has trouble.
 */
export function awayMsOf({ cause }: ClientError): number | undefined {
  const isAway = cause instanceof TransportError && cause.closeCode === undefined;
  return isAway ? (cause.retryAfterMs ?? 0) : undefined;
}
