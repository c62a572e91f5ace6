/** How a file over HTTP ended, as a word that may be counted by. */
export type InvocationReason =
  /** The model server's answer reached the client whole. */
  | 'answered'
  /** The same, and it is an error. */
  | 'upstream_refused'
  /** The client hung up. */
  | 'client_lost'
  /** The client stopped sending, or does not read the answer. */
  | 'client_stalled'
  /** The file is above the bound. */
  | 'client_too_large'
  /** Nobody listens where the model server should be. */
  | 'upstream_unavailable'
  /** The model server hung up without an answer, or in the middle of it. */
  | 'upstream_lost'
  /** The model server took too long: to take the file, or to answer. */
  | 'upstream_late'
  /** The bridge was told to stop. */
  | 'drained';

/** What is known of a file over HTTP when it is over: never audio, text, fields, headers or queries. */
export interface InvocationRecord {
  readonly id: string;
  readonly reason: InvocationReason;
  /** What the client was told; undefined: it left before. */
  readonly status: number | undefined;
  readonly durationMs: number;
  /** From the request's head to that of the model server's answer; undefined: there was none. */
  readonly answerMs: number | undefined;
  /** Of the request's body, as it came. */
  readonly clientBytes: number;
  /** Of the answer's body. */
  readonly upstreamBytes: number;
}

/** Whether somebody should look. */
export function isFailure(reason: InvocationReason): boolean {
  return reason !== 'answered' && reason !== 'client_lost' && reason !== 'drained';
}
