import type { TransportError } from '@kikitori/transport';
import type { CloseInfo } from '@kikitori/transport/frames';
import type { Side } from './line.js';
import type { EndReason } from './record.js';

/** What each peer is told when a session ends for a reason that no close frame gave; undefined: nothing can be said. */
export interface Ending {
  readonly toClient: CloseInfo | undefined;
  readonly toUpstream: CloseInfo | undefined;
}

const TRY_LATER = 1013;

const say = (code: number, reason: string): CloseInfo => ({ code, reason });

/**
 * The table. Close frames of the peers themselves are carried over as they are; this is for the rest. A model server that
 * is lost is 1011, "unexpected condition", which clients may try again after; a lost client is 1001, "going away".
 */
export const ENDINGS: Readonly<Record<EndReason, Ending>> = {
  client_closed: { toClient: undefined, toUpstream: undefined },
  client_lost: { toClient: undefined, toUpstream: say(1001, 'client connection lost') },
  client_silent: { toClient: undefined, toUpstream: say(1001, 'client does not answer') },
  client_stalled: { toClient: undefined, toUpstream: say(1001, 'client does not read') },
  client_breach: {
    toClient: say(1002, 'protocol error'),
    toUpstream: say(1001, 'client broke the protocol'),
  },
  upstream_closed: { toClient: undefined, toUpstream: undefined },
  upstream_lost: { toClient: say(1011, 'model server connection lost'), toUpstream: undefined },
  upstream_silent: { toClient: say(1011, 'model server does not answer'), toUpstream: undefined },
  upstream_stalled: { toClient: say(1011, 'model server does not read'), toUpstream: undefined },
  upstream_breach: {
    toClient: say(1011, 'model server broke the protocol'),
    toUpstream: say(1002, 'protocol error'),
  },
  upstream_refused: { toClient: say(1011, 'model server refused'), toUpstream: undefined },
  upstream_unavailable: { toClient: say(TRY_LATER, 'model server not ready'), toUpstream: undefined },
  drained: { toClient: say(1012, 'service restart'), toUpstream: say(1001, 'going away') },
};

/** What a client hears whose model server is not up: to come back, and whether it is worth it soon. */
export const UNAVAILABLE = {
  loading: {
    close: say(TRY_LATER, 'model is loading'),
    body: 'The model is still loading; try again later.',
  },
  absent: {
    close: ENDINGS.upstream_unavailable.toClient,
    body: 'The model server is not ready; try again later.',
  },
} as const;

/** Whose line is cut at once, because nothing said on it would be heard. */
export const CUT_SIDES: Readonly<Partial<Record<EndReason, Side>>> = {
  client_silent: 'client',
  client_stalled: 'client',
  upstream_lost: 'upstream',
  upstream_silent: 'upstream',
  upstream_stalled: 'upstream',
};

/** Close code for a peer that broke a rule: 1002, 1007 or 1009. */
export function breachClose(error: TransportError): CloseInfo {
  switch (error.code) {
    case 'message_too_big':
      return say(1009, 'message too big');
    case 'invalid_utf8':
      return say(1007, 'invalid UTF-8');
    default:
      return say(1002, 'protocol error');
  }
}

/**
 * Close code for a refusal that comes when the client already has its WebSocket: 1008 where the request is at fault, 1013
 * where another time may be better, 1011 for the rest.
 */
export function refusalClose(status: number): CloseInfo {
  if (status === 408 || status === 425 || status === 429 || status === 503) {
    return say(TRY_LATER, `model server refused: ${status}`);
  }
  return say(status >= 400 && status < 500 ? 1008 : 1011, `model server refused: ${status}`);
}

/**
 * An error event in the shape of the dialect, for a client that has its WebSocket but will get no session. Where another time
 * may be better it has the code of the protocol by which clients try again, whatever the reason.
 */
export function errorEvent(reason: EndReason, close: CloseInfo | undefined): string {
  const code = close?.code === TRY_LATER ? 'engine_busy' : reason;
  return JSON.stringify({ type: 'error', error: close?.reason ?? reason, code });
}
