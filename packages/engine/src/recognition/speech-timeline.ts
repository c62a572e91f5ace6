/** From speech probabilities to stretches of speech on the timeline of the stream. */
import { VOICE_FRAME_SAMPLES } from '../decoder.js';
import type { StreamPolicy } from './policy.js';

const SAMPLES_PER_MS = 16;

/** A stretch of speech without a silence long enough to cut at. Positions are sample numbers. */
export interface SpeechStretch {
  readonly start: number;
  /** End of its last speech frame so far. */
  readonly end: number;
  /** Enough speech to be believed; a click never becomes so. */
  readonly confirmed: boolean;
  /** Mean speech probability of its speech frames, 0…1: how clear it is. */
  readonly meanProbability: number;
  /** Followed by a silence long enough: nothing is added to it any more. */
  readonly closed: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class SpeechTimeline {
  readonly #policy: StreamPolicy;
  readonly #stretches: (Mutable<SpeechStretch> & { speechFrames: number })[] = [];
  #inSpeech = false;
  #frames = 0;
  /** Probabilities of the latest frames, for finding the silence between two words, or speech without any. */
  readonly #recent: number[] = [];
  /** Which of them hold speech. */
  readonly #spoken: boolean[] = [];
  #recentFrom = 0;

  constructor(policy: StreamPolicy) {
    this.#policy = policy;
  }

  /** Sample number up to which speech and silence are known. */
  get known(): number {
    return this.#frames * VOICE_FRAME_SAMPLES;
  }

  /** Stretches not yet shifted away, oldest first; unconfirmed closed ones are dropped. */
  get stretches(): readonly SpeechStretch[] {
    return this.#stretches;
  }

  /** The oldest stretch is done with. */
  shift(): void {
    this.#stretches.shift();
  }

  push(probabilities: Float32Array): void {
    for (const probability of probabilities) this.#frame(probability);
  }

  /** No more audio comes for now: an open stretch ends here. */
  closeOpen(): void {
    const open = this.#stretches.at(-1);
    if (open !== undefined && !open.closed) this.#close(open);
    this.#inSpeech = false;
  }

  /** End of the last silence (two frames or more) between the two samples, if there is one. */
  silenceEnd(from: number, to: number): number | undefined {
    let run = 0;
    for (
      let frame = Math.floor(to / VOICE_FRAME_SAMPLES) - 1;
      frame * VOICE_FRAME_SAMPLES >= from;
      frame -= 1
    ) {
      const probability = this.#recent[frame - this.#recentFrom];
      if (probability === undefined) return undefined;
      run = probability < this.#policy.silenceProbability ? run + 1 : 0;
      if (run === 2) return (frame + 2) * VOICE_FRAME_SAMPLES;
    }
    return undefined;
  }

  /** Speech between the two samples, as far as it is remembered: frames whose middle lies there. Milliseconds. */
  speechMs(from: number, to: number): number {
    const first = Math.max(0, Math.ceil(from / VOICE_FRAME_SAMPLES - 0.5) - this.#recentFrom);
    const behind = Math.max(0, Math.ceil(to / VOICE_FRAME_SAMPLES - 0.5) - this.#recentFrom);
    const frames = this.#spoken.slice(first, behind).filter(Boolean).length;
    return (frames * VOICE_FRAME_SAMPLES) / SAMPLES_PER_MS;
  }

  /** First sample of the first speech at or behind `from`, if there is any; the last of a word is none. */
  speechStart(from: number): number | undefined {
    const framesMin = (this.#policy.speechMsMin * SAMPLES_PER_MS) / VOICE_FRAME_SAMPLES;
    let run = 0;
    for (
      let i = Math.max(0, Math.floor(from / VOICE_FRAME_SAMPLES) - this.#recentFrom);
      i < this.#spoken.length;
      i += 1
    ) {
      run = this.#spoken[i] ? run + 1 : 0;
      if (run >= framesMin) return Math.max(from, (i + 1 - run + this.#recentFrom) * VOICE_FRAME_SAMPLES);
    }
    return undefined;
  }

  /** Forgets the frames that end before `sample`. */
  forgetBefore(sample: number): void {
    const count = Math.floor(sample / VOICE_FRAME_SAMPLES) - this.#recentFrom;
    if (count < 256) return; // In blocks: shifting an array costs.
    this.#recent.splice(0, count);
    this.#spoken.splice(0, count);
    this.#recentFrom += count;
  }

  #frame(probability: number): void {
    const start = this.known;
    this.#frames += 1;
    this.#recent.push(probability);
    if (probability >= this.#policy.speechProbability) this.#inSpeech = true;
    else if (probability < this.#policy.silenceProbability) this.#inSpeech = false;
    this.#spoken.push(this.#inSpeech);
    const open = this.#stretches.at(-1);
    const current = open === undefined || open.closed ? undefined : open;
    if (this.#inSpeech) {
      const stretch = current ?? this.#open(start);
      stretch.end = this.known;
      stretch.speechFrames += 1;
      stretch.meanProbability += (probability - stretch.meanProbability) / stretch.speechFrames;
      const speechMs = (stretch.speechFrames * VOICE_FRAME_SAMPLES) / SAMPLES_PER_MS;
      if (speechMs >= this.#policy.speechMsMin) stretch.confirmed = true;
    } else if (current !== undefined && this.known - current.end >= this.#policy.cutMs * SAMPLES_PER_MS) {
      this.#close(current);
    }
  }

  #open(start: number) {
    const stretch = {
      start,
      end: start,
      confirmed: false,
      closed: false,
      meanProbability: 0,
      speechFrames: 0,
    };
    this.#stretches.push(stretch);
    return stretch;
  }

  #close(stretch: Mutable<SpeechStretch>): void {
    stretch.closed = true;
    if (!stretch.confirmed) this.#stretches.pop();
  }
}
