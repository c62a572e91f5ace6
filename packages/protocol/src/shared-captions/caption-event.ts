/** A stretch of speech that is final. */
export interface Caption {
  /** Counted by the speaker, one by one. */
  readonly number: number;
  readonly text: string;
  /** Its place in the speaker's session, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What is being said: replaced as a whole. */
export interface LiveCaption {
  /** Words that stay. */
  readonly stable: string;
  /** Words behind them that may still change. */
  readonly unstable: string;
}

/** Nothing is being said. */
export const SILENCE: LiveCaption = { stable: '', unstable: '' };

/** How the speaker stands: has not begun, speaks, rests for a while (muted, cut off), or has come to an end. */
export type SpeakerState = 'waiting' | 'live' | 'paused' | 'ended';

export const SPEAKER_STATES: readonly SpeakerState[] = ['waiting', 'live', 'paused', 'ended'];

/** All that a reader who comes now has to know. */
export interface CaptionSnapshot {
  readonly type: 'snapshot';
  /** The speaker's session; with another one the transcript begins anew. */
  readonly session: string;
  /** BCP 47; undefined where the speaker does not say. */
  readonly language: string | undefined;
  /** In order. */
  readonly utterances: readonly Caption[];
  readonly live: LiveCaption;
  /** Undefined: from a server that does not say. */
  readonly speaker?: SpeakerState | undefined;
}

/** What changed, all of it at once: a final utterance and the end of its live words are never apart. */
export interface CaptionChange {
  readonly type: 'update';
  /** New, or changed: their numbers tell. */
  readonly utterances: readonly Caption[];
  /** Undefined: as before. */
  readonly live: LiveCaption | undefined;
  /** Undefined: as before. */
  readonly speaker?: SpeakerState | undefined;
}

/** What a reader of shared captions is told. `closed`: nobody shares under this link any more. */
export type CaptionEvent = CaptionSnapshot | CaptionChange | { readonly type: 'closed' };
