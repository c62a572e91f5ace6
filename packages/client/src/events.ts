import type { KikitoriWord, ServerEvent, UnknownServerEvent, Usage as WireUsage } from '@kikitori/protocol';

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
}

/** The text behind the last delta that may still change. Replaces the last partial; asked for with `partials`. */
export interface PartialEvent {
  readonly type: 'partial';
  readonly text: string;
  readonly audioMs: number;
}

/** The server found the end of an utterance; asked for with `words`. Its text has already come as deltas. */
export interface UtteranceEvent extends Utterance {
  readonly type: 'utterance';
}

/** How far the server is; asked for with `words`. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly receivedMs: number;
  /** Every word before this position has been delivered. */
  readonly settledMs: number;
}

/** Everything sent up to an `endUtterance` or `finish` is transcribed. */
export interface DoneEvent {
  readonly type: 'done';
  /** All deltas since the last one, joined. */
  readonly text: string;
  readonly usage: Usage | null;
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
  | UtteranceEvent
  | ProgressEvent
  | DoneEvent
  | UnknownEvent;

/** What of the server's events becomes an event of ours: all but the greeting and errors. */
type TellableEvent = Exclude<
  ServerEvent | UnknownServerEvent,
  { readonly type: 'session.created' | 'error' }
>;

/** Turns the wire's spelling into ours. */
export function toSessionEvent(event: TellableEvent): SessionEvent {
  switch (event.type) {
    case 'transcription.delta':
      return event.audio_ms === undefined
        ? { type: 'delta', text: event.delta }
        : { type: 'delta', text: event.delta, audioMs: event.audio_ms };
    case 'transcription.done':
      return { type: 'done', text: event.text, usage: event.usage === null ? null : toUsage(event.usage) };
    case 'kikitori.utterance':
      return {
        type: 'utterance',
        text: event.text,
        startMs: event.start_ms,
        endMs: event.end_ms,
        words: event.words.map(toWord),
      };
    case 'kikitori.progress':
      return { type: 'progress', receivedMs: event.received_ms, settledMs: event.settled_ms };
    case 'kikitori.partial':
      return { type: 'partial', text: event.text, audioMs: event.audio_ms };
    case 'unknown':
      return event;
  }
}

function toUsage({ prompt_tokens, completion_tokens, total_tokens }: WireUsage): Usage {
  return { promptTokens: prompt_tokens, completionTokens: completion_tokens, totalTokens: total_tokens };
}

function toWord({ text, start_ms, end_ms }: KikitoriWord): Word {
  return { text, startMs: start_ms, endMs: end_ms };
}
