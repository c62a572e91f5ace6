/**
 * What a server says: the four events of vLLM's Realtime dialect and the three of our extension, with the wire's
 * spelling. Times are whole milliseconds of audio since the session's first sample, over all commits.
 */

/** The first message of every session. */
export interface SessionCreated {
  readonly type: 'session.created';
  /** `sess-` and 16 lower-case hexadecimal digits; opaque to clients. */
  readonly id: string;
  /** Unix time in whole seconds. */
  readonly created: number;
}

/** New text, to be concatenated verbatim. vLLM sends many empty ones; our server sends none. */
export interface TranscriptionDelta {
  readonly type: 'transcription.delta';
  readonly delta: string;
  /** Only for clients that asked for words: the end of the delta's last word. */
  readonly audio_ms?: number;
  /** Only for clients that asked for `replay`, and only beside `audio_ms`: its words, each with its place. */
  readonly words?: readonly KikitoriWord[];
  /** Only beside `audio_ms`: the utterance so far does not sound like a language that the model hears. */
  readonly unsure?: true;
}

/** A part of `usage`; our server has no prompt cache and sends null in its place. */
export interface PromptTokensDetails {
  readonly cached_tokens: number | null;
}

/** Tokens that the utterance took. */
export interface Usage {
  readonly prompt_tokens: number;
  /** The sum of the other two. */
  readonly total_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details: PromptTokensDetails | null;
}

/** The end of an utterance; the next `commit` may follow. */
export interface TranscriptionDone {
  readonly type: 'transcription.done';
  /** The exact concatenation of the deltas since the `commit`. */
  readonly text: string;
  readonly usage: Usage | null;
  /** Only for clients that asked for `replay`: the audio up to here is answered. */
  readonly audio_ms?: number;
}

/** Something went wrong. Whether the session lives on depends on the code: see `ERRORS`. */
export interface ErrorEvent {
  readonly type: 'error';
  /** For people; may be empty (vLLM, engine failures). */
  readonly error: string;
  /** For programs; one of `ErrorCode` from our server, any string or null from others. */
  readonly code: string | null;
}

/** A word with its place in the session's audio. */
export interface KikitoriWord {
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

/**
 * The engine found the end of an utterance. One commit may hold several. Only for clients that asked for words. Without words
 * only for those that asked for onsets: it was no speech.
 */
export interface KikitoriUtterance {
  readonly type: 'kikitori.utterance';
  /** The words joined by one space. */
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly words: readonly KikitoriWord[];
  /** It does not sound like a language that the model hears: its words may be invented. */
  readonly unsure?: true;
}

/** Somebody begins to speak; the next utterance is his. Only for clients that asked for words and onsets. */
export interface KikitoriOnset {
  readonly type: 'kikitori.onset';
  /** Where the voice was first heard. */
  readonly start_ms: number;
}

/** How far the server is; at most four a second. Only for clients that asked for words. */
export interface KikitoriProgress {
  readonly type: 'kikitori.progress';
  /** Audio received. */
  readonly received_ms: number;
  /** Every word that ends before it has been delivered. */
  readonly settled_ms: number;
  /** Audio received and not settled. Older servers leave it out. */
  readonly lag_ms?: number;
}

/** The unstable tail behind the deltas; replaces the previous one. Only for clients that asked for partials. */
export interface KikitoriPartial {
  readonly type: 'kikitori.partial';
  readonly text: string;
  /** Audio up to which the tail reaches. */
  readonly audio_ms: number;
}

/** Every event that this package knows. */
export type ServerEvent =
  | SessionCreated
  | TranscriptionDelta
  | TranscriptionDone
  | ErrorEvent
  | KikitoriOnset
  | KikitoriUtterance
  | KikitoriProgress
  | KikitoriPartial;

/**
 * An event of a type that this package does not know, passed through so that a newer server does not break an
 * older client. `type` is a literal so that `switch (event.type)` narrows; the wire's own type is `name`.
 */
export interface UnknownServerEvent {
  readonly type: 'unknown';
  readonly name: string;
  /** The decoded JSON object as it came, its `type` included. */
  readonly raw: Readonly<Record<string, unknown>>;
}
