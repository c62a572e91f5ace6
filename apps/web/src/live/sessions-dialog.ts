import type { SpokenRecord } from './conversation.js';
import { byId, make, setText } from './element.js';
import { plainText } from './exports.js';
import type { SessionStore } from './session-store.js';
import type { Wording } from './wording.js';

const EXCERPT_CHARS = 90;

/** What the page does about it. */
export interface SessionWishes {
  readonly open: (record: SpokenRecord) => void;
  /** That one is gone; undefined: all are. */
  readonly delete: (id: string | undefined) => void;
  /** These are there again. */
  readonly restore: (records: readonly SpokenRecord[]) => void;
}

/** The sessions that this browser keeps: open one, delete one, delete all. What was deleted can be had back until it is closed. */
export class SessionsDialog {
  readonly #dialog = byId('sessions-dialog', HTMLDialogElement);
  readonly #list = byId('session-list', HTMLUListElement);
  readonly #deleteAll = byId('delete-all', HTMLButtonElement);
  readonly #store: SessionStore;
  readonly #wording: Wording;
  readonly #ask = byId('delete-ask', HTMLElement);
  readonly #undo = byId('delete-undo', HTMLElement);
  readonly #wishes: SessionWishes;
  #deleted: readonly SpokenRecord[] = [];

  constructor(store: SessionStore, wording: Wording, wishes: SessionWishes) {
    this.#store = store;
    this.#wording = wording;
    this.#wishes = wishes;
    const no = byId('delete-no', HTMLButtonElement);
    this.#deleteAll.addEventListener('click', () => {
      this.#isAsking = true;
      no.focus();
    });
    no.addEventListener('click', () => {
      this.#isAsking = false;
      this.#deleteAll.focus();
    });
    byId('delete-yes', HTMLButtonElement).addEventListener('click', () => void this.#removeAll());
    byId('undo', HTMLButtonElement).addEventListener('click', () => void this.#restore());
    this.#dialog.addEventListener('close', () => this.#offer([]));
  }

  async show(): Promise<void> {
    this.#isAsking = false;
    this.#offer([]);
    await this.#draw();
    this.#dialog.showModal();
  }

  async #draw(): Promise<void> {
    const records = await this.#store.list().catch(() => []);
    this.#deleteAll.disabled = records.length === 0;
    const items = records.map((record) => this.#itemOf(record));
    this.#list.replaceChildren(
      ...(items.length > 0 ? items : [make('li', 'fine', this.#wording.say('sessionsNone'))]),
    );
  }

  #itemOf(record: SpokenRecord): HTMLLIElement {
    const time = this.#wording.time(record.startedAtMs);
    const item = make('li');
    const open = make('button', 'session');
    open.type = 'button';
    open.append(make('span', 'session-time', `${time} · ${record.name}`));
    const text = plainText(record).replace(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARS);
    open.append(make('span', 'session-text', text === '' ? this.#wording.say('sessionEmpty') : text));
    open.addEventListener('click', () => void this.#open(record.id));
    const remove = make('button', 'quiet', this.#wording.say('sessionDelete'));
    remove.type = 'button';
    remove.setAttribute('aria-label', this.#wording.say('sessionDeleteOf', { time }));
    remove.addEventListener('click', () => void this.#remove(record.id));
    item.append(open, remove);
    return item;
  }

  async #open(id: string): Promise<void> {
    const record = await this.#store.get(id).catch(() => undefined);
    this.#dialog.close();
    if (record !== undefined) this.#wishes.open(record);
  }

  async #remove(id: string): Promise<void> {
    const deleted = await this.#store.delete(id);
    this.#wishes.delete(id);
    await this.#draw();
    this.#offer(deleted);
  }

  async #removeAll(): Promise<void> {
    const deleted = await this.#store.deleteAll();
    this.#isAsking = false;
    this.#wishes.delete(undefined);
    await this.#draw();
    this.#offer(deleted);
  }

  /** The button that had the focus is gone: the one that brings all back has it now. */
  #offer(deleted: readonly SpokenRecord[]): void {
    this.#deleted = deleted;
    this.#undo.hidden = deleted.length === 0;
    setText(byId('delete-told', HTMLElement), deleted.length === 0 ? '' : this.#wording.say('deleted'));
    if (deleted.length > 0) byId('undo', HTMLButtonElement).focus();
  }

  async #restore(): Promise<void> {
    const deleted = this.#deleted;
    await this.#store.restore(deleted);
    this.#wishes.restore(deleted);
    this.#offer([]);
    await this.#draw();
    this.#list.querySelector('button')?.focus();
  }

  set #isAsking(isAsking: boolean) {
    this.#ask.hidden = !isAsking;
    this.#deleteAll.hidden = isAsking;
  }
}
