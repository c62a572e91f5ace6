/**
 * The seam behind which a local model lies. Whoever hears a stream (`recognition/`) decides what is decoded when, which
 * words are stable and who waits; a model only answers what it hears in a window of audio.
 */

/** A piece of a word as its model counts them. What it means only the model's own `Vocabulary` knows. */
export type Token = number;

/** A window of audio, and what is known of it. */
export interface DecodeRequest {
  /** Mono, 16 kHz, −1…1; given away with the request. */
  readonly samples: Float32Array;
  /** What the text must begin with: it was said already. */
  readonly prefix: readonly Token[];
  /** A guess at what follows the prefix, such as the last decode's tail: may be verified in one pass, never trusted. */
  readonly draft: readonly Token[];
  /** Bound on the tokens after the prefix. */
  readonly tokensMax: number;
  /**
   * Something was certainly said. Models sometimes answer plain speech with nothing, and the same speech cut 0.1 s
   * elsewhere with all of it; then the likeliest answer that is one is wanted, if it turns out likely enough.
   */
  readonly mustSpeak?: boolean;
}

/** What was heard in it. */
export interface DecodeResult {
  /** What follows the prefix. */
  readonly tokens: Token[];
  /** Natural logarithm of each token's probability. */
  readonly logProbabilities: number[];
  /** How undecided the model was at each token: the entropy of what it might have said instead, in nats. */
  readonly entropies: number[];
  /** For each token of the prefix and then each token: when it ended, in milliseconds from the first sample. */
  readonly endMs: number[];
  /** True when the model said that nothing more follows, false when it was cut off: too long, or in a loop. */
  readonly ended: boolean;
}

/**
 * One model that decodes, one request after the other. Requests carry all that they need: one that rejects, with
 * `EngineError`, may be asked again.
 */
export interface Decoder {
  /** Requests that are not answered. */
  readonly pending: number;
  /** It failed too often: everything that it is asked rejects at once. */
  readonly isGivenUp: boolean;
  decode(request: DecodeRequest): Promise<DecodeResult>;
  /** Rejects what is under way with `engine_closed`, and ends. Idempotent. */
  close(): Promise<void>;
}

/** A word as a model hears it. */
export interface HeardWord {
  readonly tokens: readonly Token[];
  /** With its punctuation, without surrounding space. */
  readonly text: string;
  /** When it ended, in milliseconds from the first sample of the window. */
  readonly endMs: number;
  /** Natural logarithm of its least likely token's probability. */
  readonly logProbability: number;
  /** Of its tokens, summed: how undecided the model was, in nats. */
  readonly entropy: number;
}

/** What the tokens of a model mean. */
export interface Vocabulary {
  /**
   * Gathers tokens into words, in order; every token belongs to one of them or to none. The three lists beside them are
   * as long as `tokens`.
   */
  words(tokens: readonly Token[], heard: Omit<DecodeResult, 'tokens' | 'ended'>): HeardWord[];
}

/** Samples of 16 kHz for which it is told whether they are speech: 32 ms. */
export const VOICE_FRAME_SAMPLES = 512;

/** Some more audio of a stream. */
export interface VoiceRequest {
  /** Whole frames of `VOICE_FRAME_SAMPLES`; given away with the request. */
  readonly samples: Float32Array;
  /** What the detector answered last for the stream; what `begin` gave at its beginning, or after a request that failed. */
  readonly state: VoiceState;
}

/** What a detector remembers of one stream. Opaque, and never written to once it was answered. */
export type VoiceState = unknown;

export interface VoiceResult {
  /** How likely each frame is speech, 0…1. */
  readonly probabilities: Float32Array;
  readonly state: VoiceState;
}

/** Tells speech from everything else, for many streams, each with a state of its own. */
export interface VoiceDetector {
  begin(): VoiceState;
  /** Rejects with `EngineError`; the same request may be made again. */
  listen(request: VoiceRequest): Promise<VoiceResult>;
  /** As a decoder's. */
  close(): Promise<void>;
}
