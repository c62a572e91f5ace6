import type { WaitOptions } from './abortable.js';
import type { Pcm } from './audio-intake.js';
import type { SessionEvent } from './events.js';
import type { Span } from './replay/ledger.js';
import type { Transcript } from './transcript.js';

/** What happened to a session's connections so far. */
export interface Continuity {
  /** Connections that were lost and replaced. */
  readonly reconnects: number;
  /** Connections that were replaced because they were as old as `sessionMsMax` allows. */
  readonly handovers: number;
  /** Turns that were ended, and gone on with, because the model bears no longer one. */
  readonly rollovers: number;
  /** Audio that no server has heard, in order. Empty: the transcript is whole. */
  readonly gaps: readonly Span[];
}

/** What a session holds in memory at this moment; docs/client.md has the bound of each. */
export interface Held {
  /** Audio that is kept until its words have come, in whole pages. */
  readonly audioBytes: number;
  /** Audio of `send` calls that have not resolved. */
  readonly waitingBytes: number;
  /** Events that nobody has read. */
  readonly events: number;
}

/**
 * An open conversation with a Realtime server: audio goes in, events come out.
 *
 * It outlives its connections: audio is kept until its words have come, and sent again where a connection was lost
 * (docs/client.md). It ends once, in one of three ways: `finish` (everything transcribed), `close` or `destroy` (the
 * caller had enough), or a failure that no other connection can mend. After a failure every call rejects with that
 * failure, and a loop over the events throws it.
 */
export interface Session extends AsyncIterable<SessionEvent>, AsyncDisposable {
  /** The server's name for the session of the latest connection, empty before the first; safe to log. */
  readonly id: string;
  /** What was said so far; also there after the end and after a failure. */
  readonly transcript: Transcript;
  /** What happened to the connections so far. */
  readonly continuity: Continuity;
  /**
   * How places of words are known: the server tells them and finds utterances itself, or they are counted from its deltas
   * (vLLM: one for each 80 ms of audio). Undefined: they are not, or not yet.
   */
  readonly timing: 'told' | 'counted' | undefined;
  /** For gauges: what waits here. */
  readonly held: Held;
  /** Fires when the session has ended, however. Its reason is the failure, or `ClientError` `closed`. */
  readonly ended: AbortSignal;

  /**
   * Sends mono audio at the rate given to `connect`. Resolves once it is on its way, or kept: for the next utterance
   * while the last one is being finished, or for the next connection. A caller that awaits it cannot fill memory.
   * `pcm` is borrowed until then. An aborted call may have sent a part.
   */
  send(pcm: Pcm, options?: WaitOptions): Promise<void>;

  /**
   * Says that the speaker has come to an end (a released button, a pause that the caller heard) and resolves when
   * all text so far has arrived. The session goes on: audio sent from now on is kept until then. Our server finds
   * ends of utterance itself; vLLM does not.
   */
  endUtterance(options?: WaitOptions): Promise<void>;

  /** Waits for the text of everything sent, ends the session, and resolves with all of it. */
  finish(options?: WaitOptions): Promise<Transcript>;

  /** Ends the session without waiting for text. Resolves when the server knows, or after a few seconds. */
  close(): Promise<void>;

  /** Ends the session now. A loop over the events throws the reason. */
  destroy(reason?: Error): void;
}
