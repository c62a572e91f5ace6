/**
 * THE SEAM of recognition: what a speech engine is, and what it guarantees. Types and prose only.
 *
 * Every engine (Moonshine on this machine's CPU, the scripted one of the tests, vLLM upstream) passes the suite
 * in `conformance/engine.ts`.
 */

/** A recognised word on the timeline of its stream. Times are milliseconds of audio since the stream's first sample. */
export interface Word {
  /** With its own punctuation, without surrounding space. */
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * What an engine says, in order.
 *
 * Guarantees:
 * - `words` is append-only: a word once emitted is never changed or taken back; start times never decrease.
 * - Every word belongs to exactly one utterance, and is emitted before the `utterance` that closes it.
 * - `settledMs` never decreases: every word that ends before it has been emitted.
 * - `unsure` withholds nothing. Once `words` carry it, the later ones of their utterance and its `utterance` do too.
 * - To a stream that asks, `onset` comes once for each utterance, before its words; its `utterance` follows, without words where
 *   what was heard turned out to hold none.
 * - `flushed` comes back after everything that the audio written before its `flush` contains.
 */
export type Hypothesis =
  /** Stable words, new since the last one. Joined by single spaces. */
  | {
      readonly type: 'words';
      readonly words: readonly Word[];
      readonly settledMs: number;
      /** What the utterance holds so far does not sound like a language that the model hears. */
      readonly unsure?: true;
    }
  /** Somebody begins to speak. Only for streams that ask. */
  | {
      readonly type: 'onset';
      /** Where the voice was first heard: the first word may be placed a little before it. */
      readonly startMs: number;
      readonly settledMs: number;
    }
  /** The unstable tail behind the stable words; replaces the previous partial. Only for streams that ask. */
  | { readonly type: 'partial'; readonly text: string; readonly settledMs: number }
  /** The end of an utterance was found; `words` repeats all of its words: none only behind an `onset`. */
  | {
      readonly type: 'utterance';
      readonly words: readonly Word[];
      readonly startMs: number;
      readonly endMs: number;
      /** Which endpointing rule closed it, or `flush`. */
      readonly rule: string;
      readonly settledMs: number;
      /** It does not sound like a language that the model hears: its words may be invented. */
      readonly unsure?: true;
    }
  /**
   * Instead of `words`, to a stream that wants none: text as the model writes it, with its spaces, new since the last one. It
   * may end in the middle of a word.
   */
  | {
      readonly type: 'text';
      readonly text: string;
      /** Where what it says ends. */
      readonly endMs: number;
      readonly settledMs: number;
    }
  /** How far the engine is although nothing was said: silence was passed over. At most a few a second. */
  | { readonly type: 'progress'; readonly settledMs: number }
  /** Answer to `flush(marker)`. `tokens`: decoder tokens that the words since the previous flush took. */
  | {
      readonly type: 'flushed';
      readonly marker: number;
      readonly settledMs: number;
      readonly tokens: number;
    };

export interface StreamOptions {
  /**
   * Wants words with their places, and utterances. Default true. Without them an engine whose model writes piece by piece says
   * `text` as soon as it has some, and looks for no utterances; one that makes whole words at once says them as ever.
   */
  readonly words?: boolean;
  /** Wants `partial` hypotheses. Default false. */
  readonly partials?: boolean;
  /** Wants `onset` hypotheses, of words alone. Default false. */
  readonly onsets?: boolean;
  /**
   * `live`: audio arrives at the pace of speech, words are wanted soon. `batch`: the audio is all there and only
   * the text counts; yields to live streams. Default `live`.
   */
  readonly mode?: 'live' | 'batch';
  /**
   * How far behind the newest audio a word may have to lie before it is said, in milliseconds: more is later and more
   * accurate. A wish: an engine says no word sooner than is its own way, and one that cannot wait ignores it.
   * Default: the engine's own.
   */
  readonly delayMs?: number;
}

/** What the engine is, for `/v1/models`, logs and the page. */
export interface EngineInfo {
  /** Served model name, such as `moonshine-base`. */
  readonly model: string;
  /** BCP 47 tags of the languages it understands. */
  readonly languages: readonly string[];
  /** Streams that may be open at once; one more is refused with `engine_busy`. */
  readonly streamsMax: number;
  /** Samples per second that `write` expects: 16000. */
  readonly sampleRateHz: number;
}

/** One listener: audio in, hypotheses out. */
export interface SpeechStream {
  /**
   * Takes mono samples, −1…1, at the engine's rate; any length; copied before the promise settles. Resolves when
   * the engine can take more (its backlog of undecoded audio is below the bound): awaiting it is the back-pressure.
   * Rejects with `EngineError` once the stream failed or was closed.
   */
  write(samples: Float32Array): Promise<void>;

  /**
   * Everything written so far is to be said now: closes the running utterance and answers `flushed` with the
   * same marker. The stream goes on afterwards.
   */
  flush(marker: number): void;

  /** One consumer. Ends after `close`; throws `EngineError` when the engine failed. */
  readonly hypotheses: AsyncIterable<Hypothesis>;

  /** Drops what was not said yet and frees the slot at once. Idempotent. */
  close(): Promise<void>;
}

export interface SpeechEngine {
  readonly info: EngineInfo;
  /** Takes a slot or rejects with `EngineError` `engine_busy` at once. */
  open(options?: StreamOptions & { readonly signal?: AbortSignal }): Promise<SpeechStream>;
  /** Fails every open stream with `engine_closed`, then frees threads and memory. Idempotent. */
  close(): Promise<void>;
}
