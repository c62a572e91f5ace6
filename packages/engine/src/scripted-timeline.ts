import type { Hypothesis, Word } from './engine.js';

/** One utterance of a script. Words in order of time, at least one, none overlapping the next. */
export interface ScriptedUtterance {
  readonly words: readonly Word[];
  /** The endpointing rule that the engine names when it closes the utterance. Default `pause`. */
  readonly rule?: string;
  /** The engine is unsure of it, from its so many-th word on, counted from 1. Default: it is sure. */
  readonly unsureFrom?: number;
}

/** When a scripted stream says what. All times are milliseconds of audio. */
export interface TimelineOptions {
  readonly script: readonly ScriptedUtterance[];
  /** A word comes when this much audio behind its end has been heard. */
  readonly lookAheadMs: number;
  /** An utterance closes when this much audio behind its last word has been heard. */
  readonly pauseMs: number;
  /** In silence `progress` comes on this grid. */
  readonly progressMs: number;
  /** Length of one round when the script repeats; undefined: silence after its end. */
  readonly periodMs: number | undefined;
  readonly partials: boolean;
  readonly onsets: boolean;
}

interface Step {
  readonly atMs: number;
  readonly take: () => void;
}

/**
 * What one scripted stream says while it hears. Pure of time: `hear` and `flush` are called with positions, and
 * what comes out depends on the positions alone, never on how the audio between them was cut.
 */
export class ScriptedTimeline {
  readonly #options: TimelineOptions;
  readonly #emit: (hypothesis: Hypothesis) => void;
  /** Utterance of the script that runs or comes next, and its next words to begin and to be said. */
  #utterance = 0;
  #begun = 0;
  #said = 0;
  /** Words said that no `utterance` has closed yet. */
  #open: Word[] = [];
  /** Somebody was said to speak, and no utterance has closed it. */
  #hasOnset = false;
  #settledMs = 0;
  #progressAtMs: number;
  #tokens = 0;
  #tail = '';

  constructor(options: TimelineOptions, emit: (hypothesis: Hypothesis) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#progressAtMs = options.progressMs;
  }

  /** Says everything that is due once the audio up to `heardMs` has been heard. */
  hear(heardMs: number): void {
    for (;;) {
      const step = this.#nextStep();
      if (step.atMs > heardMs) return;
      step.take();
    }
  }

  /**
   * Says everything that the audio up to `heardMs` contains: a word that has begun counts as said and ends at
   * `heardMs` at the latest. Closes the running utterance; the rest of its script becomes a new one.
   */
  flush(marker: number, heardMs: number): void {
    this.hear(heardMs);
    // Several utterances may have begun when the look-ahead is longer than the pause between them.
    while (this.#sayBegun(heardMs)) {
      // #sayBegun advances.
    }
    this.#settledMs = Math.max(this.#settledMs, heardMs);
    this.#close('flush');
    this.#emit({ type: 'flushed', marker, settledMs: this.#settledMs, tokens: this.#tokens });
    this.#tokens = 0;
  }

  #sayBegun(heardMs: number): boolean {
    const rest = this.#words().slice(this.#said);
    const begun = rest.filter((word) => word.startMs < heardMs);
    if (begun[0] !== undefined) {
      this.#tellOnset(begun[0]);
      this.#settledMs = Math.max(this.#settledMs, Math.min(heardMs, begun.at(-1)?.endMs ?? 0));
      this.#say(begun.map((word) => ({ ...word, endMs: Math.min(word.endMs, heardMs) })));
    }
    if (begun.length < rest.length || this.#words().length === 0) return false;
    const next = this.#wordsOf(this.#utterance + 1)[0];
    const goesOn = next !== undefined && next.startMs < heardMs;
    this.#close(goesOn ? this.#rule() : 'flush');
    this.#advance();
    return goesOn;
  }

  /** The earliest thing still to come; at one instant words go before the end of their utterance. */
  #nextStep(): Step {
    const { lookAheadMs, pauseMs, progressMs } = this.#options;
    const steps: Step[] = [];
    const word = this.#words()[this.#said];
    if (word !== undefined) {
      steps.push({ atMs: word.endMs + lookAheadMs, take: () => this.#sayNext(word) });
    } else {
      const last = this.#open.at(-1);
      if (last !== undefined) {
        const next = this.#wordsOf(this.#utterance + 1)[0];
        // The next utterance must not wait for the end of this one, or `settledMs` would be a lie.
        const nextAtMs = next === undefined ? Number.POSITIVE_INFINITY : next.endMs + lookAheadMs;
        const atMs = Math.min(last.endMs + Math.max(pauseMs, lookAheadMs), nextAtMs);
        steps.push({ atMs, take: () => this.#closeAt(atMs) });
      }
    }
    if (this.#options.onsets && !this.#hasOnset && word !== undefined) {
      steps.push({ atMs: word.startMs, take: () => this.#tellOnset(word) });
    }
    const begins = this.#words()[this.#begun];
    if (this.#options.partials && begins !== undefined) {
      steps.push({ atMs: begins.startMs, take: () => this.#begin(begins.startMs) });
    }
    const gridMs = this.#progressAtMs;
    steps.push({ atMs: gridMs, take: () => this.#progress(gridMs, progressMs) });
    return steps.reduce((first, step) => (step.atMs < first.atMs ? step : first));
  }

  #sayNext(word: Word): void {
    this.#tellOnset(word);
    this.#settledMs = Math.max(this.#settledMs, word.endMs);
    this.#say([word]);
  }

  #tellOnset({ startMs }: Word): void {
    if (!this.#options.onsets || this.#hasOnset) return;
    this.#hasOnset = true;
    this.#emit({ type: 'onset', startMs, settledMs: this.#settledMs });
  }

  #say(words: readonly Word[]): void {
    this.#said += words.length;
    this.#begun = Math.max(this.#begun, this.#said);
    this.#open.push(...words);
    this.#tokens += words.length;
    this.#emit({ type: 'words', words, settledMs: this.#settledMs, ...this.#doubt() });
    this.#showTail();
  }

  #begin(atMs: number): void {
    this.#begun += 1;
    this.#settledMs = Math.max(this.#settledMs, atMs - this.#options.lookAheadMs);
    this.#showTail();
  }

  /** The unstable tail: words that have begun and are not said. Shown when it changes. */
  #showTail(): void {
    if (!this.#options.partials) return;
    const words = this.#words().slice(this.#said, this.#begun);
    const text = words.map((word) => word.text).join(' ');
    if (text === this.#tail) return;
    this.#tail = text;
    this.#emit({ type: 'partial', text, settledMs: this.#settledMs });
  }

  #closeAt(atMs: number): void {
    this.#settledMs = Math.max(this.#settledMs, atMs - this.#options.lookAheadMs);
    this.#close(this.#rule());
    this.#advance();
  }

  #close(rule: string): void {
    const words = this.#open;
    const first = words[0];
    const last = words.at(-1);
    if (first === undefined || last === undefined) return;
    this.#open = [];
    this.#hasOnset = false;
    const { startMs } = first;
    const settledMs = this.#settledMs;
    this.#emit({ type: 'utterance', words, startMs, endMs: last.endMs, rule, settledMs, ...this.#doubt() });
  }

  #doubt(): { readonly unsure?: true } {
    const { script } = this.#options;
    const { unsureFrom = Number.POSITIVE_INFINITY } = script[this.#utterance % script.length] ?? {};
    return this.#said >= unsureFrom ? { unsure: true } : {};
  }

  #advance(): void {
    this.#utterance += 1;
    this.#begun = 0;
    this.#said = 0;
  }

  #progress(atMs: number, everyMs: number): void {
    this.#progressAtMs = atMs + everyMs;
    const settledMs = atMs - this.#options.lookAheadMs;
    if (settledMs <= this.#settledMs) return;
    this.#settledMs = settledMs;
    this.#emit({ type: 'progress', settledMs });
  }

  #words(): readonly Word[] {
    return this.#wordsOf(this.#utterance);
  }

  #rule(): string {
    const { script } = this.#options;
    return script[this.#utterance % script.length]?.rule ?? 'pause';
  }

  /** Words of the n-th utterance over all rounds; empty once the script is over. */
  #wordsOf(utterance: number): readonly Word[] {
    const { script, periodMs } = this.#options;
    const round = Math.floor(utterance / script.length);
    if (script.length === 0 || (round > 0 && periodMs === undefined)) return [];
    const offsetMs = round * (periodMs ?? 0);
    const words = script[utterance % script.length]?.words ?? [];
    if (offsetMs === 0) return words;
    return words.map((word) => ({
      text: word.text,
      startMs: word.startMs + offsetMs,
      endMs: word.endMs + offsetMs,
    }));
  }
}
