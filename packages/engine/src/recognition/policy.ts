/**
 * When to decode, what to keep and when to cut: every number that shapes the stream, with its reason.
 * Durations are milliseconds of audio.
 */
export interface StreamPolicy {
  /** A frame at least this likely begins speech … */
  readonly speechProbability: number;
  /** … and below this one it is silence again (hysteresis, as Silero's own reference does). */
  readonly silenceProbability: number;
  /** Shorter bursts are clicks, not words. */
  readonly speechMsMin: number;
  /** Audio kept before the first speech frame: soft onsets are found late. */
  readonly leadMs: number;
  /** Silence left behind the last speech frame of a window. */
  readonly tailMs: number;
  /** Silence in front of speech that begins with the audio, at least; what is missing of it is put there … */
  readonly quietBeforeMs: number;
  /** … and behind speech at whose end the audio ends. With less the model says nothing, or a word over and over. */
  readonly quietBehindMs: number;
  /**
   * Speech whose loud parts are quieter than this (in dB below full scale) is made louder, for voice detection, which passes over
   * it, and for the model …
   */
  readonly levelDbfsMin: number;
  /** … by at most so much: what is quieter still is hardly more than the steps of 16 bits. */
  readonly gainDbMax: number;
  /** How loud a stream has been is forgotten by so many dB a second. */
  readonly levelFallDb: number;
  /**
   * After this much silence all that was said is decoded in advance, so that its words are there should the silence last.
   * At least `tailMs`: then a decode at the pause would be asked the same.
   */
  readonly hushMs: number;
  /** After this much silence a decode may commit what it hears, for the words before it are whole. */
  readonly pauseMs: number;
  /** After this much silence the window is cut: the next speech starts a fresh one. */
  readonly cutMs: number;
  /** New audio that makes a live decode worth its cost. Grows by itself when the machine is late. */
  readonly intervalMs: number;
  /** A word that two decodes in a row agree on, however they write it, is said once it ends this long before the newest audio … */
  readonly agreedHoldMs: number;
  /** … one that the model is sure of at once this long … */
  readonly sureHoldMs: number;
  /** … which is when each of its tokens is at least this likely (natural logarithm) … */
  readonly sureLogProbability: number;
  /** … and any word at the latest this long. */
  readonly holdMs: number;
  /** A window's first live decode waits for this much audio: less of it is guessed, not heard. */
  readonly firstMs: number;
  /** Speech that goes on after a pause shorter than this keeps the audio before the pause as context … */
  readonly carryMs: number;
  /** … of at most this length. */
  readonly carryContextMs: number;
  /** Speech of this length behind the last word is not taken for nothing … */
  readonly unsaidMs: number;
  /** … when its frames are at least this likely in the mean. */
  readonly clearProbability: number;
  /** Speech of this length beyond what the word at its end takes is not believed to have no words: it is decoded again … */
  readonly uncoveredMs: number;
  /** … which is not said yet of this much at the edge of running speech … */
  readonly edgeMs: number;
  /** … as long as all that is decoded again stays below this share of what is decoded anyway (and a longest window). */
  readonly againShare: number;
  /** A phrase said over and over is heard in parts of at least this length, where it is unclear how often it was said. */
  readonly partMsMin: number;
  /** A window longer than this loses its committed beginning. */
  readonly windowMsMax: number;
  /** What a trimmed window keeps at least, so that the model has context. */
  readonly contextMs: number;
  /** The same two while more speakers speak than there are cores for: context is the first thing to give up. */
  readonly busyWindowMsMax: number;
  readonly busyContextMs: number;
  /** Longest stretch that one decode sees when audio waits in plenty (files, catching up). */
  readonly batchWindowMsMax: number;
  /** The same while somebody speaks, who may have to wait for the decode to end: a third of a second. */
  readonly sharedWindowMsMax: number;
  /** Tokens a second that speech can have at most; more is a loop. */
  readonly tokensPerSecondMax: number;
}

export const DEFAULT_POLICY: StreamPolicy = {
  speechProbability: 0.5,
  silenceProbability: 0.35,
  speechMsMin: 96,
  leadMs: 320,
  tailMs: 192,
  quietBeforeMs: 64,
  quietBehindMs: 128,
  levelDbfsMin: -42,
  /** What is quieter than a voice should be is made louder by so much at most. What is quieter still: stays too quiet. */
  gainDbMax: 30,
  levelFallDb: 3,
  hushMs: 224,
  pauseMs: 608,
  cutMs: 640,
  intervalMs: 320,
  agreedHoldMs: 350,
  sureHoldMs: 500,
  sureLogProbability: -0.1,
  /** A word is held back for at most this much audio. Then: it is said. */
  holdMs: 3000,
  firstMs: 640,
  carryMs: 1500,
  /** Audio from before a short pause that is kept as context, at most. Older audio goes. */
  carryContextMs: 2500,
  unsaidMs: 500,
  clearProbability: 0.8,
  uncoveredMs: 900,
  edgeMs: 500,
  /**
   * Audio decoded again since no word covered its speech, as a share of what is decoded anyway, and 15 s. Then:
   * the first answer is believed.
   */
  againShare: 0.25,
  partMsMin: 1000,
  /** A window longer than this loses its committed beginning. */
  windowMsMax: 9000,
  /** What a trimmed window keeps at least, so that the model has context. */
  contextMs: 4000,
  /**
   * The longest window while more speakers speak than there are cores for: context is the first thing to give
   * up.
   */
  busyWindowMsMax: 5000,
  /** What it keeps at least. */
  busyContextMs: 2000,
  /** Longest stretch that one decode sees when audio waits in plenty (files, catching up). */
  batchWindowMsMax: 15_000,
  /** The same while somebody speaks, who may have to wait for the decode to end. */
  sharedWindowMsMax: 6000,
  /** Tokens a second that speech can have. More is a loop: the decode is cut there. */
  tokensPerSecondMax: 8,
};

/**
 * The measured policy, with other numbers where an experiment has them. With `delayMs` every word waits so long, at
 * least as long as it would without, at most `holdMs`.
 */
export function policyOf(changes: Partial<StreamPolicy> = {}, delayMs = 0): StreamPolicy {
  const policy = { ...DEFAULT_POLICY, ...changes };
  const waitMs = Math.min(delayMs, policy.holdMs);
  return {
    ...policy,
    agreedHoldMs: Math.max(policy.agreedHoldMs, waitMs),
    sureHoldMs: Math.max(policy.sureHoldMs, waitMs),
  };
}

/** For streams that wait while somebody speaks: no decode is long. */
export function shortPolicyOf(policy: StreamPolicy): StreamPolicy {
  const { busyWindowMsMax: windowMsMax, busyContextMs: contextMs, sharedWindowMsMax } = policy;
  return { ...policy, windowMsMax, contextMs, batchWindowMsMax: sharedWindowMsMax };
}
