import { recall, remember } from '../shared/storage.js';
import { type Conversation, NOTHING_SPOKEN, type SpokenRecord } from './conversation.js';
import { WEB_LIMITS } from './limits.js';
import type { SessionStore } from './session-store.js';

const STORED_AT = 'kikitori.session';

/** Saves the running session while its words come, and finds it again after a reload of the tab. */
export class RecordKeeper {
  readonly #store: SessionStore;
  readonly #onFailure: () => void;
  #conversation: Conversation | undefined;
  /** What was deleted while it was being said: it may be wanted back. */
  #forgotten: Conversation | undefined;
  /** What is kept of it, or on its way there. */
  #kept = NOTHING_SPOKEN;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onFailure`: this browser keeps nothing; called once for each session at most. */
  constructor(store: SessionStore, onFailure: () => void) {
    this.#store = store;
    this.#onFailure = onFailure;
    addEventListener('pagehide', () => void this.save());
    document.addEventListener('visibilitychange', () => void this.save());
  }

  follow(conversation: Conversation): void {
    this.#conversation = conversation;
    this.#forgotten = undefined;
    this.#kept = NOTHING_SPOKEN;
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
      await this.#store.add(conversation.record(before), before);
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
    void this.save();
  }

  /** What this tab showed before it was loaded again. */
  async last(): Promise<SpokenRecord | undefined> {
    const id = recall(STORED_AT, 'tab');
    return id === undefined ? undefined : await this.#store.get(id).catch(() => undefined);
  }
}

/** The session that the tab shows. Where the browser keeps nothing the page begins empty after a reload. */
export function point(id: string | undefined): void {
  remember(STORED_AT, id, 'tab');
}
