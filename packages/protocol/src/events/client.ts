/** What a client says: the three events of vLLM's Realtime dialect, with the wire's spelling and nothing else. */

/**
 * Our extension, for clients that ask for it. vLLM ignores it. Members that are present are set, members that are
 * absent keep what an earlier `session.update` said; wishes begin as false.
 */
export interface KikitoriRequest {
  /** Word times: `audio_ms` in every delta, `kikitori.utterance` and `kikitori.progress` events. */
  readonly words?: boolean | undefined;
  /** `kikitori.partial` events: the unstable tail behind the stable words. */
  readonly partials?: boolean | undefined;
  /** With `words`: `kikitori.onset` events, when somebody begins to speak. */
  readonly onsets?: boolean | undefined;
  /**
   * The client keeps audio that is not settled and sends it again over another connection: every delta carries the
   * times of its words, `done` its position, and the server ends a session without cutting the word being spoken.
   */
  readonly replay?: boolean | undefined;
  /**
   * How long words may wait so that what follows them can help, in milliseconds of audio, 0…`DELAY_MS_MAX`. More is
   * later and more accurate. What a server does at least stays; in a pause nothing waits. Default: the server's own.
   */
  readonly delay_ms?: number | undefined;
}

/** Names the model, and by that opens the session for `input_audio_buffer.commit`. Never acknowledged. */
export interface SessionUpdate {
  readonly type: 'session.update';
  /** A served model name. The empty string means the default model. */
  readonly model: string;
  /** What is spoken, as people write it (`languages.ts`). Ours alone: vLLM ignores it. Default: the model finds out. */
  readonly language?: string | undefined;
  readonly kikitori?: KikitoriRequest | undefined;
}

/** Audio. Allowed in every state, also before `session.update` and before `commit`. Never acknowledged. */
export interface AudioAppend {
  readonly type: 'input_audio_buffer.append';
  /** Base64 of PCM16 little-endian, mono, 16,000 Hz. Not decoded here: `@kikitori/audio` does that. */
  readonly audio: string;
}

/**
 * `final: false` starts an utterance (it is sent BEFORE the audio); `final: true` says that its audio is complete.
 * Never acknowledged.
 */
export interface AudioCommit {
  readonly type: 'input_audio_buffer.commit';
  /** On the wire optional, default false. */
  readonly final: boolean;
}

/** Every event that a client may send. */
export type ClientEvent = SessionUpdate | AudioAppend | AudioCommit;
