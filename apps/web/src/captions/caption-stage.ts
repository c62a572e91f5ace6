import type { CaptionView } from '@kikitori/client/shared-captions';
import { gapBetween } from './caption-wording.js';

/** The elements that words are put into. */
export interface CaptionStageOptions {
  /** Final utterances, one paragraph each; a screen reader announces what is added. */
  readonly said: HTMLElement;
  /** What is being said: hidden from screen readers, which would read every revision of it. */
  readonly live: HTMLElement;
  readonly stable: HTMLElement;
  readonly unstable: HTMLElement;
  /** Utterances that stay on the page. */
  readonly keptMax: number;
  readonly showsUnstable: boolean;
  readonly announces: boolean;
}

/** A paragraph per utterance; numbers tell which one. */
export class CaptionStage {
  readonly #options: CaptionStageOptions;
  readonly #paragraphs = new Map<number, HTMLElement>();
  #session = '';
  #liveText = '';
  /** Everything up to this utterance was cleared away. */
  #clearedTo = -1;
  #last = -1;
  /** The tallest that the live paragraph was: a word that is taken back takes no line back. */
  #heightPx = 0;

  constructor(options: CaptionStageOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#paragraphs.size === 0 && this.#liveText === '';
  }

  /** Shows a state; what is already there is left alone. True when something was not. */
  show(view: CaptionView): boolean {
    if (view.session !== this.#session) this.#begin(view.session);
    const { said, announces, keptMax } = this.#options;
    const shown = view.utterances
      .filter(({ number, text }) => number > this.#clearedTo && text !== '')
      .slice(-keptMax);
    const first = shown[0]?.number ?? Number.POSITIVE_INFINITY;
    for (const [number, paragraph] of this.#paragraphs) {
      if (number >= first) continue;
      paragraph.remove();
      this.#paragraphs.delete(number);
    }
    let isNew = false;
    for (const { number, text } of shown) isNew = this.#put(number, text) || isNew;
    this.#last = view.utterances.at(-1)?.number ?? this.#last;
    const { stable, unstable } = view.live;
    const isChanged = this.#showLive(stable, this.#options.showsUnstable ? unstable : '', isNew) || isNew;
    // What was said before somebody came is not read out to them.
    if (announces && said.ariaLive === 'off') {
      requestAnimationFrame(() => said.setAttribute('aria-live', 'polite'));
    }
    return isChanged;
  }

  /** Takes everything away; what is said from now on is shown again. */
  clear(): void {
    this.#clearedTo = this.#last;
    for (const paragraph of this.#paragraphs.values()) paragraph.remove();
    this.#paragraphs.clear();
    if (this.#liveText === '') return;
    this.#options.live.classList.add('cleared');
  }

  #begin(session: string): void {
    this.#session = session;
    this.#clearedTo = -1;
    this.#last = -1;
    for (const paragraph of this.#paragraphs.values()) paragraph.remove();
    this.#paragraphs.clear();
  }

  /** True when it was not there. */
  #put(number: number, text: string): boolean {
    const known = this.#paragraphs.get(number);
    const words = known?.firstElementChild ?? document.createElement('span');
    if (words.textContent !== text) words.textContent = text;
    if (known !== undefined) return false;
    const paragraph = document.createElement('p');
    words.className = 'words';
    paragraph.append(words);
    this.#options.said.append(paragraph);
    this.#paragraphs.set(number, paragraph);
    return true;
  }

  /** True when it is another text than before. */
  #showLive(stable: string, unstable: string, isNew: boolean): boolean {
    const { live, stable: stableWords, unstable: unstableWords } = this.#options;
    const text = stable + gapBetween(stable, unstable) + unstable;
    const isChanged = text !== this.#liveText;
    if (isChanged || isNew) live.classList.remove('cleared');
    this.#liveText = text;
    if (stableWords.textContent !== stable) stableWords.textContent = stable;
    const tail = gapBetween(stable, unstable) + unstable;
    if (unstableWords.textContent !== tail) unstableWords.textContent = tail;
    live.hidden = text === '';
    if (isNew || text === '') this.#heightPx = 0;
    live.style.minHeight = `${this.#heightPx}px`;
    this.#heightPx = Math.max(this.#heightPx, live.getBoundingClientRect().height);
    live.style.minHeight = `${this.#heightPx}px`;
    return isChanged;
  }
}
