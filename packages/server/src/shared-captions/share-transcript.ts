import {
  type Caption,
  type CaptionChange,
  type LiveCaption,
  SILENCE,
} from '@kikitori/protocol/shared-captions';
import type { CaptionsLimits } from '../limits.js';

/** What came of a change. */
export interface Applied {
  /** Undefined: nothing that readers have to hear. */
  readonly change: CaptionChange | undefined;
  /** Number of the utterance that is wanted next; null while any would do. */
  readonly nextNumber: number | null;
}

/**
 * What was said under a share: the newest utterances within the bounds, in order, without a gap, and what is being
 * said. The speaker is the source of truth and may say everything again: what is known changes nothing.
 */
export class ShareTranscript {
  readonly #limits: Pick<CaptionsLimits, 'utterancesMax' | 'transcriptCharsMax'>;
  #utterances: Caption[] = [];
  #chars = 0;
  #nextNumber: number | null = null;
  #live = SILENCE;

  constructor(limits: Pick<CaptionsLimits, 'utterancesMax' | 'transcriptCharsMax'>) {
    this.#limits = limits;
  }

  /** The oldest that is kept first. */
  get utterances(): readonly Caption[] {
    return this.#utterances;
  }

  get live(): LiveCaption {
    return this.#live;
  }

  /** Number of the utterance that is wanted next; null while any would do. */
  get nextNumber(): number | null {
    return this.#nextNumber;
  }

  /**
   * Takes utterances and what is being said. At a gap it stops: what is behind the gap is not taken, `live` neither,
   * and `nextNumber` tells from where to say it again.
   */
  apply(utterances: readonly Caption[], live: LiveCaption | undefined): Applied {
    const changed: Caption[] = [];
    let hasGap = false;
    for (const utterance of utterances) {
      if (this.#nextNumber !== null && utterance.number > this.#nextNumber) {
        hasGap = true;
        break;
      }
      if (this.#take(utterance)) changed.push(utterance);
    }
    const isNews = live !== undefined && !hasGap && !isSameLive(live, this.#live);
    if (isNews) this.#live = live;
    this.#dropOldest();
    if (changed.length === 0 && !isNews) return { change: undefined, nextNumber: this.#nextNumber };
    const change = { type: 'update', utterances: changed, live: isNews ? live : undefined } as const;
    return { change, nextNumber: this.#nextNumber };
  }

  /** True when readers have to hear of it. */
  #take(utterance: Caption): boolean {
    const next = this.#nextNumber ?? utterance.number;
    if (utterance.number === next) {
      this.#utterances.push(utterance);
      this.#nextNumber = next + 1;
      this.#chars += utterance.text.length;
      return true;
    }
    const at = this.#utterances.length - (next - utterance.number);
    const known = this.#utterances[at];
    // What was dropped for its age stays dropped.
    if (known === undefined || isSameUtterance(known, utterance)) return false;
    this.#utterances[at] = utterance;
    this.#chars += utterance.text.length - known.text.length;
    return true;
  }

  #dropOldest(): void {
    const { utterancesMax, transcriptCharsMax } = this.#limits;
    let count = Math.max(0, this.#utterances.length - utterancesMax);
    for (const { text } of this.#utterances.slice(0, count)) this.#chars -= text.length;
    while (this.#chars > transcriptCharsMax) {
      this.#chars -= this.#utterances[count]?.text.length ?? 0;
      count += 1;
    }
    if (count > 0) this.#utterances = this.#utterances.slice(count);
  }
}

function isSameUtterance(one: Caption, other: Caption): boolean {
  return one.text === other.text && one.startMs === other.startMs && one.endMs === other.endMs;
}

function isSameLive(one: LiveCaption, other: LiveCaption): boolean {
  return one.stable === other.stable && one.unstable === other.unstable;
}
