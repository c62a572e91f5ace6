/** Why a session ended, as a word that may be counted by. */
export type EndReason =
  /** The client said goodbye. */
  | 'client_closed'
  /** The client's line was cut, or it ended it without a goodbye. */
  | 'client_lost'
  /** The client did not answer a ping. */
  | 'client_silent'
  /** The client did not read. */
  | 'client_stalled'
  /** The client broke the rules of WebSocket. */
  | 'client_breach'
  /** The model server said goodbye. */
  | 'upstream_closed'
  | 'upstream_lost'
  | 'upstream_silent'
  | 'upstream_stalled'
  | 'upstream_breach'
  /** The model server answered the handshake with an HTTP status. */
  | 'upstream_refused'
  /** The model server was not up within the bound. */
  | 'upstream_unavailable'
  /** The bridge was told to stop. */
  | 'drained';

/** One direction of a session. */
export interface Passed {
  readonly messages: number;
  /** Payloads only. */
  readonly payloadBytes: number;
}

/** What is known of a session when it is over: never audio, text, headers or queries. */
export interface SessionRecord {
  readonly id: string;
  /** The path that was asked for, one of those configured. */
  readonly path: string;
  readonly reason: EndReason;
  readonly durationMs: number;
  /** From the upgrade request to the open line behind; undefined when there was none. */
  readonly upstreamOpenMs: number | undefined;
  /** From the upgrade request to the upstream's first message; undefined when there was none. */
  readonly firstMessageMs: number | undefined;
  /** The status that refused the client; undefined when it got a WebSocket. */
  readonly refusedStatus: number | undefined;
  readonly fromClient: Passed;
  readonly fromUpstream: Passed;
  /** Close codes on each line: what the peer said and what it was told; undefined where nothing was said. */
  readonly clientCloseCode: number | undefined;
  readonly clientToldCode: number | undefined;
  readonly upstreamCloseCode: number | undefined;
  readonly upstreamToldCode: number | undefined;
}

/** Who made the end. */
export function endedBy(reason: EndReason): 'client' | 'upstream' | 'bridge' {
  if (reason === 'drained') return 'bridge';
  return reason.startsWith('client_') ? 'client' : 'upstream';
}

/** Whether the end is one that nobody has to look into. */
export function isOrderly(reason: EndReason): boolean {
  return reason === 'client_closed' || reason === 'upstream_closed' || reason === 'drained';
}
