import type { Usage as WireUsage } from '@kikitori/protocol';
import type { ClientError } from './errors.js';

/** A word with its place in the session's audio, in milliseconds since the first sample sent. */
export interface Word {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A stretch of speech. With `words` asked for and understood by the server it is what the engine found between two
 * pauses; otherwise it is everything between two ends of utterance, timed by the audio sent, and has no words. */
export interface Utterance {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly Word[];
  /** It does not sound like a language that the model hears: its words may be invented. */
  readonly unsure?: true;
  /** Whose words they are, where more than one voice is heard. */
  readonly label?: string;
}

/** Tokens used, as the server counts them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
}

/** New text, final: append it to what came before, as it is. vLLM sends many empty ones. */
export interface DeltaEvent {
  readonly type: 'delta';
  readonly text: string;
  /** Audio position of the end of its last word, when words were asked for. */
  readonly audioMs?: number;
  /** With `audioMs`: the utterance so far does not sound like a language that the model hears. Nothing is withheld for it. */
  readonly unsure?: true;
  /** With `audioMs`, from a server that places words itself: the words of the text. */
  readonly words?: readonly Word[];
}

/** The text behind the last delta that may still change. Replaces the last partial; asked for with `partials`. */
export interface PartialEvent {
  readonly type: 'partial';
  readonly text: string;
  readonly audioMs: number;
}

/** Somebody begins to speak, before any word is known; asked for with `words` and `onsets`. The next utterance is his. */
export interface OnsetEvent {
  readonly type: 'onset';
  /** Where the voice was first heard. */
  readonly startMs: number;
}

/** The server found the end of an utterance; asked for with `words`. Its text has already come as deltas; with `onsets` it may be none. */
export interface UtteranceEvent extends Utterance {
  readonly type: 'utterance';
}

/** How far the server is; asked for with `words`. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly receivedMs: number;
  /** Every word that ends before this position has been told. */
  readonly settledMs: number;
  /** Audio given to `send` and not settled: what is on its way, waits here, or is being recognised. */
  readonly lagMs: number;
}

/** Everything sent up to an `endUtterance` or `finish` is transcribed. */
export interface DoneEvent {
  readonly type: 'done';
  /** All deltas since the last one, joined. */
  readonly text: string;
  readonly usage: Usage | null;
}

/** The connection was lost. Audio is kept, and another connection is sought; nothing has to be done. */
export interface DisconnectEvent {
  readonly type: 'disconnect';
  /** What ended it. */
  readonly error: ClientError;
}

/** Another connection took over. Text and times go on as if nothing had happened. */
export interface ReconnectEvent {
  readonly type: 'reconnect';
  /** True: the last one was as old as `sessionMsMax` allows. False: it was lost. */
  readonly isPlanned: boolean;
  /** Audio is sent again from here on. */
  readonly fromMs: number;
}

/** Audio that no server has heard, because more had to be kept than `keepMs` allows. Its words are missing. */
export interface GapEvent {
  readonly type: 'gap';
  readonly startMs: number;
  readonly endMs: number;
}

/** After a break a server without positions said something else than before: words may be doubled or missing here. */
export interface AmbiguousEvent {
  readonly type: 'ambiguous';
  /** Audio was sent again from here on. */
  readonly fromMs: number;
}

/** An event of a newer server. */
export interface UnknownEvent {
  readonly type: 'unknown';
  /** Its `type` on the wire. */
  readonly name: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What a session tells. Errors are thrown, not told. */
export type SessionEvent =
  | DeltaEvent
  | PartialEvent
  | OnsetEvent
  | UtteranceEvent
  | ProgressEvent
  | DoneEvent
  | DisconnectEvent
  | ReconnectEvent
  | GapEvent
  | AmbiguousEvent
  | UnknownEvent;

/** Turns the wire's spelling into ours. */
export function toUsage({ prompt_tokens, completion_tokens, total_tokens }: WireUsage): Usage {
  return { promptTokens: prompt_tokens, completionTokens: completion_tokens, totalTokens: total_tokens };
}

/** Both together; null only when neither counts. */
export function sumOfUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return a ?? b;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}
