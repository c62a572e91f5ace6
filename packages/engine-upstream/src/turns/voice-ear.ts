import {
  EngineError,
  type UtteranceState,
  VOICE_FRAME_SAMPLES,
  type VoiceDetector,
  type VoiceState,
} from '@kikitori/engine';
import { DEFAULT_POLICY, loudEnoughToNotice, UNHEARD } from '@kikitori/engine/recognition';
import { UPSTREAM_LIMITS } from '../limits.js';
import type { HeardAudio, TurnEar } from './turn-ear.js';

const SAMPLES_PER_MS = 16;
const FRAME_MS = VOICE_FRAME_SAMPLES / SAMPLES_PER_MS;
/** Silence behind which somebody begins to speak, and does not only go on. */
const STRETCH_GAP_MS = 200;

/** Hears with a voice detector, as the embedded engine does: 32 ms at a time, by the same thresholds. */
export class VoiceEar implements TurnEar {
  readonly stepSamples = VOICE_FRAME_SAMPLES;
  readonly #detector: VoiceDetector;
  #memory: VoiceState;
  #loudness = UNHEARD;
  #samples = 0;
  #isSpeech = false;
  /** Speech in a row that is not believed yet: shorter bursts are clicks. */
  #burstMs = 0;
  #speechMs = 0;
  #trailingSilenceMs = 0;
  #utteranceMs = 0;
  #speechEndMs = 0;
  #stretchStartMs: number | undefined;

  constructor(detector: VoiceDetector) {
    this.#detector = detector;
    this.#memory = detector.begin();
  }

  get stretchStartMs(): number | undefined {
    return this.#stretchStartMs;
  }

  async hear(samples: Float32Array): Promise<HeardAudio> {
    const probabilities = await this.#listen(samples);
    let at = 0;
    return {
      take: (isEnd) => {
        const from = at;
        while (at < probabilities.length) {
          this.#frame(probabilities[at] ?? 0);
          at += 1;
          if (isEnd(this.#state)) break;
        }
        return (at - from) * VOICE_FRAME_SAMPLES;
      },
    };
  }

  restart(): void {
    this.#speechMs = 0;
    this.#trailingSilenceMs = 0;
    this.#utteranceMs = 0;
  }

  get #state(): UtteranceState {
    return {
      speechMs: this.#speechMs,
      trailingSilenceMs: this.#trailingSilenceMs,
      utteranceMs: this.#utteranceMs,
    };
  }

  /** A detector that failed hears the same again, having forgotten what it remembered. */
  async #listen(samples: Float32Array): Promise<Float32Array> {
    const heard = loudEnoughToNotice(samples, this.#loudness, DEFAULT_POLICY);
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Given away with the request.
        const request = { samples: heard.samples.slice(), state: this.#memory };
        const { probabilities, state } = await this.#detector.listen(request);
        this.#memory = state;
        this.#loudness = heard.loudness;
        return probabilities;
      } catch (error) {
        const isClosed = error instanceof EngineError && error.code === 'engine_closed';
        if (isClosed || attempt >= UPSTREAM_LIMITS.voiceAttemptsMax) throw error;
        this.#memory = this.#detector.begin();
      }
    }
  }

  #frame(probability: number): void {
    this.#samples += VOICE_FRAME_SAMPLES;
    this.#utteranceMs += FRAME_MS;
    if (probability >= DEFAULT_POLICY.speechProbability) this.#isSpeech = true;
    else if (probability < DEFAULT_POLICY.silenceProbability) this.#isSpeech = false;
    this.#burstMs = this.#isSpeech ? this.#burstMs + FRAME_MS : 0;
    if (this.#burstMs < DEFAULT_POLICY.speechMsMin) {
      this.#trailingSilenceMs += FRAME_MS;
      return;
    }
    const isBelievedNow = this.#burstMs - FRAME_MS < DEFAULT_POLICY.speechMsMin;
    this.#speechMs += isBelievedNow ? this.#burstMs : FRAME_MS;
    this.#trailingSilenceMs = 0;
    const atMs = this.#samples / SAMPLES_PER_MS;
    if (this.#stretchStartMs === undefined || atMs - this.#burstMs - this.#speechEndMs > STRETCH_GAP_MS) {
      this.#stretchStartMs = atMs - this.#burstMs;
    }
    this.#speechEndMs = atMs;
  }
}
