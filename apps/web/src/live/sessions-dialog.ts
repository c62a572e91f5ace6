import type { SpokenRecord } from './conversation.js';
import { byId, make } from './element.js';
import { plainText } from './exports.js';
import type { SessionStore } from './session-store.js';
import type { Wording } from './wording.js';

const EXCERPT_CHARS = 90;

/** The sessions that this browser keeps: open one, delete one, delete all. */
export class SessionsDialog {
  readonly #dialog = byId('sessions-dialog', HTMLDialogElement);
  readonly #list = byId('session-list', HTMLUListElement);
  readonly #deleteAll = byId('delete-all', HTMLButtonElement);
  readonly #store: SessionStore;
  readonly #wording: Wording;
  readonly #onOpen: (record: SpokenRecord) => void;
  readonly #onDelete: (id: string | undefined) => void;

  /** `onDelete` hears which one is gone; undefined: all. */
  constructor(
    store: SessionStore,
    wording: Wording,
    on: { readonly open: (record: SpokenRecord) => void; readonly delete: (id: string | undefined) => void },
  ) {
    this.#store = store;
    this.#wording = wording;
    this.#onOpen = on.open;
    this.#onDelete = on.delete;
    this.#deleteAll.addEventListener('click', () => void this.#removeAll());
  }

  async show(): Promise<void> {
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
    if (record !== undefined) this.#onOpen(record);
  }

  async #remove(id: string): Promise<void> {
    await this.#store.delete(id);
    this.#onDelete(id);
    await this.#draw();
    // The button that had the focus is gone.
    (this.#list.querySelector('button') ?? this.#deleteAll).focus();
    if (this.#deleteAll.disabled) this.#dialog.querySelector<HTMLElement>('[data-close]')?.focus();
  }

  async #removeAll(): Promise<void> {
    await this.#store.deleteAll();
    this.#onDelete(undefined);
    await this.#draw();
    this.#dialog.querySelector<HTMLElement>('[data-close]')?.focus();
  }
}
