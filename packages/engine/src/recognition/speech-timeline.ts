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
  /** A longer one was cut here, in a pause of no length: what was said before it is no context. */
  readonly isPart?: true;
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

  /**
   * Cuts the oldest stretch in the middle of its pauses, of two frames or more, into parts of at least `partMs`. False when
   * it is not closed, was cut already, or has no such pause.
   */
  split(partMs: number): boolean {
    const [whole, ...others] = this.#stretches;
    if (whole === undefined || !whole.closed || whole.isPart === true) return false;
    const least = partMs * SAMPLES_PER_MS;
    const cuts = [whole.start];
    for (const at of this.#pauses(whole))
      if (at - (cuts.at(-1) ?? 0) >= least && whole.end - at >= least) cuts.push(at);
    if (cuts.length < 2) return false;
    const parts = cuts.map((start, i) => {
      return { ...whole, start, end: cuts[i + 1] ?? whole.end, isPart: true as const };
    });
    this.#stretches.splice(0, this.#stretches.length, ...parts, ...others);
    return true;
  }

  /** The middles of the silences of two frames or more inside a stretch. */
  #pauses({ start, end }: SpeechStretch): number[] {
    const middles: number[] = [];
    let spokenTo = start;
    for (let at = start; at < end; at += VOICE_FRAME_SAMPLES) {
      if (this.#spoken[at / VOICE_FRAME_SAMPLES - this.#recentFrom] !== true) continue;
      if (at - spokenTo >= 2 * VOICE_FRAME_SAMPLES) middles.push((spokenTo + at) / 2);
      spokenTo = at + VOICE_FRAME_SAMPLES;
    }
    return middles;
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
