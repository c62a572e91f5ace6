import type { Utterance } from '@kikitori/client';
import { EndFollower } from '../shared/end-follower.js';
import { type Conversation, inOrder, type SpokenGap, type SpokenRecord } from './conversation.js';
import { make } from './element.js';
import { WEB_LIMITS } from './limits.js';
import type { Wording } from './wording.js';

/** Where the words stand. */
export interface TranscriptPlaces {
  readonly list: HTMLOListElement;
  /** For screen readers: finished sentences, each once. */
  readonly announcer: HTMLElement;
  readonly toNow: HTMLButtonElement;
}

/** One line: a time, words that stay, words that may change. */
interface Line {
  readonly item: HTMLLIElement;
  readonly time: HTMLElement;
  readonly stable: HTMLElement;
  readonly unstable: HTMLElement;
}

/** A finished line. */
type Said = Pick<Utterance, 'startMs' | 'text' | 'unsure' | 'label'>;

/** Whoever scrolls down to within this of the end of the page follows it again. */
const FOLLOW_PX = 96;

/**
 * The words on the page. A line that is being spoken becomes the finished one in its place: nothing moves. What changes is drawn
 * once a frame. The page follows the newest words until the reader scrolls away.
 */
export class TranscriptView {
  readonly #places: TranscriptPlaces;
  readonly #wording: Wording;
  #live: Line | undefined;
  #shownUtterances = 0;
  #shownGaps = 0;
  readonly #end = new EndFollower(document.documentElement, FOLLOW_PX);
  #frame: number | undefined;
  #conversation: Conversation | undefined;

  constructor(places: TranscriptPlaces, wording: Wording) {
    this.#places = places;
    this.#wording = wording;
    addEventListener('scroll', () => this.#onScroll(), { passive: true });
    addEventListener('resize', () => {
      if (this.#conversation !== undefined) this.#end.keep();
    });
    places.toNow.addEventListener('click', () => {
      this.#end.toEnd();
      this.#onScroll();
    });
  }

  /** A finished session, or an empty page. */
  show(record: SpokenRecord | undefined): void {
    this.#conversation = undefined;
    this.#clear();
    if (record === undefined) return;
    const gaps = [...record.gaps];
    for (const utterance of inOrder(record.utterances)) {
      while (gaps[0] !== undefined && gaps[0].startMs <= utterance.startMs) this.#addGap(gaps.shift());
      this.#addLine(utterance);
    }
    for (const gap of gaps) this.#addGap(gap);
    const openMs = record.utterances.at(-1)?.endMs ?? 0;
    if (record.open !== '') this.#addLine({ startMs: openMs, text: record.open });
  }

  /** From now on the words of this conversation; `update` after each change. */
  follow(conversation: Conversation): void {
    this.#clear();
    this.#conversation = conversation;
    this.#end.isFollowing = true;
  }

  update(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  /** Draws what is still to be drawn, now. */
  flush(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#draw();
  }

  #draw(): void {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    const { utterances, gaps, open, unstable, isOpenUnsure } = conversation;
    for (; this.#shownGaps < gaps.length; this.#shownGaps += 1) this.#addGap(gaps[this.#shownGaps]);
    for (; this.#shownUtterances < utterances.length; this.#shownUtterances += 1) {
      const utterance = utterances[this.#shownUtterances];
      if (utterance !== undefined) this.#finish(utterance);
    }
    this.#drawLive(open, unstable);
    if (this.#live !== undefined) this.#mark(this.#live, isOpenUnsure);
    this.#end.keep();
  }

  #drawLive(open: string, unstable: string): void {
    if (open === '' && unstable === '') {
      this.#live?.item.remove();
      this.#live = undefined;
      return;
    }
    this.#live ??= this.#newLine();
    const { stable, unstable: tail } = this.#live;
    if (stable.textContent !== open) stable.textContent = open;
    const text = open === '' ? unstable : ` ${unstable}`;
    if (tail.textContent !== text) tail.textContent = text;
  }

  /** The live line becomes a finished one. */
  #finish(said: Said): void {
    const line = this.#live ?? this.#newLine();
    this.#live = undefined;
    this.#write(line, said);
    this.#announce(said);
  }

  #announce({ text, label = '' }: Said): void {
    const { announcer } = this.#places;
    const told = make('p', '', label === '' ? text : `${label}: ${text}`);
    announcer.append(told);
    setTimeout(() => told.remove(), WEB_LIMITS.announcedMs);
    while (announcer.childElementCount > WEB_LIMITS.announcedMax) announcer.firstElementChild?.remove();
  }

  #addLine(said: Said): void {
    this.#write(this.#newLine(), said);
  }

  #write(line: Line, { startMs, text, unsure, label = '' }: Said): void {
    line.time.textContent = clock(startMs);
    line.stable.textContent = text;
    if (label !== '') {
      line.stable.before(make('b', 'speaker', `${label}: `));
      this.#place(line.item, startMs);
    }
    line.unstable.remove();
    line.item.classList.remove('is-live');
    this.#mark(line, unsure === true);
  }

  /** Voices are recognised apart: one may be ahead of the other. */
  #place(item: HTMLLIElement, startMs: number): void {
    item.dataset['startMs'] = String(startMs);
    let next: Element = item;
    for (let before = item.previousElementSibling; before instanceof HTMLElement; ) {
      if (Number(before.dataset['startMs'] ?? 0) <= startMs) break;
      next = before;
      before = before.previousElementSibling;
    }
    if (next !== item) this.#places.list.insertBefore(item, next);
  }

  /** Says under the words that they may be invented; nothing of them is hidden. */
  #mark({ item }: Line, isUnsure: boolean): void {
    const mark = item.querySelector('.doubt');
    if (isUnsure === (mark !== null)) return;
    mark?.remove();
    if (!isUnsure) return;
    item.append(make('p', 'doubt', this.#wording.say('doubt')));
  }

  #addGap(gap: SpokenGap | undefined): void {
    if (gap === undefined) return;
    const item = make('li', 'gap');
    const seconds = Math.max(1, Math.round((gap.endMs - gap.startMs) / 1000));
    item.append(make('span', 'time', clock(gap.startMs)));
    item.append(make('p', '', this.#wording.say('gap', { n: seconds })));
    this.#places.list.insertBefore(item, this.#live?.item ?? null);
  }

  #newLine(): Line {
    const item = make('li', 'is-live');
    const time = make('span', 'time');
    const words = make('p');
    const stable = make('span', 'stable');
    const unstable = make('span', 'unstable');
    words.append(stable, unstable);
    item.append(time, words);
    this.#places.list.append(item);
    return { item, time, stable, unstable };
  }

  #clear(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#live = undefined;
    this.#shownUtterances = 0;
    this.#shownGaps = 0;
    this.#places.list.replaceChildren();
    this.#places.announcer.replaceChildren();
    this.#places.toNow.hidden = true;
  }

  #onScroll(): void {
    this.#end.note();
    this.#places.toNow.hidden = this.#end.isFollowing || this.#conversation === undefined;
  }
}

/** `3:07`, or `1:03:07` from an hour on. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const head = minutes < 60 ? String(minutes) : `${Math.floor(minutes / 60)}:${two(minutes)}`;
  return `${head}:${two(seconds)}`;
}
