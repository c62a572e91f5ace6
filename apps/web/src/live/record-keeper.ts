import { recall, remember } from '../shared/storage.js';
import { type Conversation, NOTHING_SPOKEN, type SpokenCount, type SpokenRecord } from './conversation.js';
import { WEB_LIMITS } from './limits.js';
import { isRecord, type SessionStore } from './session-store.js';

const STORED_AT = 'kikitori.session';
/** What the store has not confirmed when the page goes: only what is written at once is there when it is loaded again. */
const UNSAVED_AT = 'kikitori.unsaved';

/** Saves the running session while its words come, and finds it again after a reload of the tab. */
export class RecordKeeper {
  readonly #store: SessionStore;
  readonly #onFailure: () => void;
  #conversation: Conversation | undefined;
  /** What was deleted while it was being said: it may be wanted back. */
  #forgotten: Conversation | undefined;
  /** What is kept of it, or on its way there. */
  #kept = NOTHING_SPOKEN;
  /** What surely is kept of it. */
  #confirmed = NOTHING_SPOKEN;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onFailure`: this browser keeps nothing; called once for each session at most. */
  constructor(store: SessionStore, onFailure: () => void) {
    this.#store = store;
    this.#onFailure = onFailure;
    const leave = (): void => {
      this.#stash();
      void this.save();
    };
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', leave);
  }

  follow(conversation: Conversation): void {
    this.#conversation = conversation;
    this.#forgotten = undefined;
    this.#kept = NOTHING_SPOKEN;
    this.#confirmed = NOTHING_SPOKEN;
    point(conversation.id);
  }

  /** Something was said: it is saved soon, an utterance at once. */
  note({ isUrgent }: { readonly isUrgent: boolean }): void {
    if (isUrgent) void this.save();
    else this.#timer ??= setTimeout(() => void this.save(), WEB_LIMITS.saveEveryMs);
  }

  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const conversation = this.#conversation;
    if (conversation === undefined || conversation.isEmpty) return;
    const before = this.#kept;
    this.#kept = conversation.count;
    try {
      const kept = this.#kept;
      await this.#store.add(conversation.record(before), before);
      if (this.#conversation === conversation) this.#confirmed = kept;
    } catch {
      // Of what comes now nothing would be readable: it is not gone on with.
      if (this.#conversation === conversation) this.#conversation = undefined;
      this.#onFailure();
    }
  }

  /** No more of that session is saved; undefined: of any. */
  forget(id: string | undefined): void {
    if (this.#conversation === undefined || (id !== undefined && this.#conversation.id !== id)) return;
    this.#forgotten = this.#conversation;
    this.#conversation = undefined;
  }

  /** The deletion is undone: what is still being said is saved again, from its beginning. */
  remember(ids: readonly string[]): void {
    const forgotten = this.#forgotten;
    if (forgotten === undefined || !ids.includes(forgotten.id)) return;
    this.#conversation = forgotten;
    this.#forgotten = undefined;
    this.#kept = NOTHING_SPOKEN;
    this.#confirmed = NOTHING_SPOKEN;
    void this.save();
  }

  /** What this tab showed before it was loaded again. */
  async last(): Promise<SpokenRecord | undefined> {
    const id = recall(STORED_AT, 'tab');
    if (id === undefined) return undefined;
    await this.#takeStash(id).catch(() => undefined);
    return await this.#store.get(id).catch(() => undefined);
  }

  #stash(): void {
    const conversation = this.#conversation;
    const before = this.#confirmed;
    const isNothing = conversation === undefined || conversation.isEmpty;
    const unsaved = isNothing ? undefined : JSON.stringify({ news: conversation.record(before), before });
    remember(UNSAVED_AT, unsaved, 'tab');
  }

  /** Saves what the page before took along. */
  async #takeStash(id: string): Promise<void> {
    const text = recall(UNSAVED_AT, 'tab');
    remember(UNSAVED_AT, undefined, 'tab');
    if (text === undefined) return;
    // Written above, by this page or an older one.
    const { news, before } = JSON.parse(text) as { news: unknown; before: SpokenCount };
    if (isRecord(news) && news.id === id) await this.#store.add(news, before);
  }
}

/** The session that the tab shows. Where the browser keeps nothing the page begins empty after a reload. */
export function point(id: string | undefined): void {
  remember(STORED_AT, id, 'tab');
}
