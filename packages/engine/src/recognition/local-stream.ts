/** One open stream of a local engine: a recogniser, its bounds, and its side of the conversation with threads. */
import {
  type DecodeRequest,
  type DecodeResult,
  VOICE_FRAME_SAMPLES,
  type VoiceRequest,
  type VoiceResult,
  type VoiceState,
} from '../decoder.js';
import type { Hypothesis, SpeechStream } from '../engine.js';
import { EngineError } from '../errors.js';
import { HypothesisQueue } from '../hypothesis-queue.js';
import { AudioBuffer } from './audio-buffer.js';
import type { EngineClock } from './engine-clock.js';
import { RECOGNITION_LIMITS } from './limits.js';
import { loudEnoughToNotice, UNHEARD } from './loudness.js';
import { Pace } from './pace.js';
import { type StreamPolicy, shortPolicyOf } from './policy.js';
import { type DecodePlan, Recogniser, type RecogniserOptions } from './recogniser.js';

const SAMPLES_PER_MS = 16;
/** Audio is taken in pieces, so that one enormous write does not lie in memory twice. */
const PIECE_SAMPLES = 16_000;

/** What the stream asks of the engine. */
export interface StreamHost {
  readonly clock: EngineClock;
  /** What the voice detector knows of a stream that begins. */
  beginVoice(): VoiceState;
  /** Somebody else speaks, who must not wait long behind this stream. */
  hasSpeakers(): boolean;
  /** Something may have become worth doing. */
  wake(): void;
  /** The stream is gone; its slot is free. */
  released(stream: LocalStream): void;
}

export class LocalStream implements SpeechStream {
  readonly #mode: 'live' | 'batch';
  readonly #policy: StreamPolicy;
  /** What the recogniser goes by; changes with the pace of the stream. */
  readonly #ways: { -readonly [K in keyof RecogniserOptions]: RecogniserOptions[K] };
  readonly #pace: Pace;
  /** Runs while a stream is ahead: what it holds back is due when it is live again, also if nothing more comes. */
  #endPaceTimer: (() => void) | undefined;
  readonly #host: StreamHost;
  readonly #recogniser: Recogniser;
  readonly #queue: HypothesisQueue;
  /** Audio whose probabilities are not known yet. */
  readonly #unheard = new AudioBuffer();
  /** What the detector remembers; undefined while it listens. */
  #voice: { readonly state: VoiceState } | undefined;
  #heardTo = 0;
  /** How loud the speech before `#heardTo` was, and before what the detector listens to. */
  #loudness = UNHEARD;
  #nextLoudness = UNHEARD;
  #flushes: { readonly marker: number; readonly at: number }[] = [];
  /** Flushes without their answer yet, whoever holds them. */
  #flushesOpen = 0;
  #waiting: (() => void)[] = [];
  #failure: EngineError | undefined;
  /** In a row; a success of the same kind makes up for them. */
  #failedDecodes = 0;
  #failedListens = 0;
  constructor(options: RecogniserOptions, host: StreamHost) {
    this.#mode = options.mode;
    this.#host = host;
    this.#pace = new Pace(host.clock.nowMs());
    this.#policy = options.policy;
    this.#ways = { ...options };
    this.#recogniser = new Recogniser(this.#ways);
    this.#voice = { state: host.beginVoice() };
    this.#queue = new HypothesisQueue(
      () => host.wake(),
      () => void this.close(),
    );
  }

  /** A file, or audio that comes faster than it is spoken: it has the time that speakers leave. */
  get isWaiter(): boolean {
    return this.#ways.mode === 'batch';
  }

  get hypotheses(): AsyncIterable<Hypothesis> {
    return this.#queue;
  }

  async write(samples: Float32Array): Promise<void> {
    for (let from = 0; from < samples.length; from += PIECE_SAMPLES) {
      while (this.#failure === undefined && this.#isFull) await this.#room();
      if (this.#failure !== undefined) throw this.#failure;
      const piece = samples.slice(from, from + PIECE_SAMPLES);
      this.#recogniser.pushAudio(piece);
      this.#unheard.append(piece);
      this.#pace.took(piece.length / SAMPLES_PER_MS, this.#host.clock.nowMs());
      this.#host.wake();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Too much waits, or what was written belongs behind a flush that is not answered yet. */
  get #isFull(): boolean {
    return this.#flushesOpen > 0 || this.#recogniser.backlogMs > RECOGNITION_LIMITS.backlogMsMax;
  }

  flush(marker: number): void {
    if (this.#failure !== undefined) return;
    if (this.#flushesOpen >= RECOGNITION_LIMITS.flushesPendingMax) {
      this.fail(new EngineError('engine_internal', 'Too many flushes wait for their answer.'));
      return;
    }
    this.#flushesOpen += 1;
    this.#flushes.push({ marker, at: this.#unheard.end });
    this.#host.wake();
  }

  async close(): Promise<void> {
    if (this.#failure === undefined)
      this.#failure = new EngineError('engine_closed', 'The stream was closed.');
    this.#queue.end();
    this.#leave();
  }

  /** Ends the stream with an error that its reader sees. */
  fail(error: EngineError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#queue.fail(error);
    this.#leave();
  }

  #leave(): void {
    this.#endPaceTimer?.();
    this.#wakeWriters();
    this.#host.released(this);
  }

  /** Audio for the voice detector, or undefined while it has enough; `heard` takes the answer. */
  nextVoice(): VoiceRequest | undefined {
    const voice = this.#voice;
    const frames = Math.floor((this.#unheard.end - this.#heardTo) / VOICE_FRAME_SAMPLES);
    const most = Math.floor((RECOGNITION_LIMITS.vadMsMax * SAMPLES_PER_MS) / VOICE_FRAME_SAMPLES);
    if (this.#failure !== undefined || voice === undefined || frames === 0) return undefined;
    this.#voice = undefined;
    const to = this.#heardTo + Math.min(frames, most) * VOICE_FRAME_SAMPLES;
    const heard = loudEnoughToNotice(this.#unheard.slice(this.#heardTo, to), this.#loudness, this.#policy);
    this.#nextLoudness = heard.loudness;
    return { samples: heard.samples, state: voice.state };
  }

  heard(result: VoiceResult): void {
    this.#voice = { state: result.state };
    this.#loudness = this.#nextLoudness;
    this.#heardTo += result.probabilities.length * VOICE_FRAME_SAMPLES;
    this.#unheard.dropBefore(this.#heardTo);
    this.#recogniser.pushProbabilities(result.probabilities);
    this.#failedListens = 0;
  }

  /** What to decode next and how urgently, or undefined. */
  plan(): DecodePlan | undefined {
    if (this.#failure !== undefined || this.#queue.size >= RECOGNITION_LIMITS.hypothesesUnreadMax)
      return undefined;
    this.#choosePace();
    this.#passFlushes();
    const plan = this.#recogniser.plan();
    this.#publish();
    return plan;
  }

  /** A stream that is ahead of real time is recognised as a file is, until it is live again. */
  #choosePace(): void {
    const isAhead = this.#mode === 'live' && this.#pace.isAhead(this.backlogMs, this.#host.clock.nowMs());
    this.#ways.mode = isAhead ? 'batch' : this.#mode;
    this.#ways.policy =
      this.isWaiter && this.#host.hasSpeakers() ? shortPolicyOf(this.#policy) : this.#policy;
    if (!isAhead) return;
    this.#endPaceTimer ??= this.#host.clock.after(RECOGNITION_LIMITS.pacedMsMin, () => {
      this.#endPaceTimer = undefined;
      this.#host.wake();
    });
  }

  /** Milliseconds of audio that wait behind the last settled word. */
  get backlogMs(): number {
    return this.#recogniser.backlogMs;
  }

  begin(plan: DecodePlan): DecodeRequest {
    return this.#recogniser.begin(plan);
  }

  decoded(result: DecodeResult): void {
    if (this.#failure !== undefined) return;
    this.#recogniser.finish(result);
    this.#failedDecodes = 0;
    this.#publish();
  }

  /** The decode under way failed: the same audio is tried again, a few times. */
  decodeFailed(error: EngineError): void {
    this.#recogniser.abandon();
    this.#failedDecodes += 1;
    this.#giveUpAfter(this.#failedDecodes, error);
  }

  /** The voice detector failed: it forgets what it remembered and hears the same audio again. */
  listenFailed(error: EngineError): void {
    this.#voice = { state: this.#host.beginVoice() };
    this.#failedListens += 1;
    this.#giveUpAfter(this.#failedListens, error);
  }

  #giveUpAfter(attempts: number, error: EngineError): void {
    if (attempts >= RECOGNITION_LIMITS.attemptsMax || error.code === 'engine_closed') this.fail(error);
  }

  /** A flush counts from when the probabilities of the whole frames before it are known. */
  #passFlushes(): void {
    if (this.#recogniser.isDecoding) return;
    const first = this.#flushes[0];
    if (first === undefined || first.at - this.#heardTo >= VOICE_FRAME_SAMPLES) return;
    this.#flushes.shift();
    this.#recogniser.flush(first.marker);
  }

  #publish(): void {
    const ready = this.#recogniser.drain();
    for (const hypothesis of ready) {
      if (hypothesis.type === 'flushed') this.#flushesOpen -= 1;
      this.#queue.push(hypothesis);
    }
    if (!this.#isFull) this.#wakeWriters();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wakeWriters(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
