import { NOTHING_SPOKEN, type SpokenCount, type SpokenRecord } from './conversation.js';
import { WEB_LIMITS } from './limits.js';

const DATABASE = 'kikitori';
const SESSIONS = 'sessions';
const PARTS = 'parts';
/** 1: a session was one object, with all of its words. Those are still read. */
const VERSION = 2;

/** What was said since the part before it, and how much that was. */
interface Part extends SpokenCount {
  readonly session: string;
  readonly said: Pick<SpokenRecord, 'utterances' | 'gaps'>;
}

/**
 * Sessions in this browser (IndexedDB): what was said is only ever added, so that a long session costs no more to keep than a
 * short one. Rejects where the browser keeps nothing: in some private windows, or with storage switched off.
 */
export class SessionStore {
  #opening: Promise<IDBDatabase> | undefined;

  /**
   * Adds to a session, or begins it: `news` has what was said behind `before`, everything else of it is kept in place of what
   * was. The oldest sessions beyond the bound are deleted when one is begun.
   */
  async add(news: SpokenRecord, before: SpokenCount): Promise<void> {
    const transaction = await this.#transaction('readwrite');
    const sessions = transaction.objectStore(SESSIONS);
    const { utterances, gaps, ...head } = news;
    sessions.put({ ...head, utterances: [], gaps: [] });
    if (utterances.length > 0 || gaps.length > 0) {
      const part: Part = { session: news.id, ...before, said: { utterances, gaps } };
      transaction.objectStore(PARTS).put(part);
    }
    // A page that goes away takes along what it has not committed.
    transaction.commit();
    await completed(transaction);
    if (before.utteranceCount === 0) await this.#deleteBeyondBound();
  }

  /** All of them, the newest first, each with its first words alone. */
  async list(): Promise<readonly SpokenRecord[]> {
    const transaction = await this.#transaction('readonly');
    const found: unknown[] = await settled(transaction.objectStore(SESSIONS).index('startedAtMs').getAll());
    const parts = transaction.objectStore(PARTS);
    const records = found
      .filter(isRecord)
      .reverse()
      .map(async (head) => joined(head, await settled(parts.getAll(partsOf(head.id), 1))));
    return await Promise.all(records);
  }

  async get(id: string): Promise<SpokenRecord | undefined> {
    const transaction = await this.#transaction('readonly');
    const [head, parts] = await Promise.all([
      settled<unknown>(transaction.objectStore(SESSIONS).get(id)),
      settled<unknown[]>(transaction.objectStore(PARTS).getAll(partsOf(id))),
    ]);
    return isRecord(head) ? joined(head, parts) : undefined;
  }

  /** Deletes one; what it was, to be put back. */
  async delete(id: string): Promise<readonly SpokenRecord[]> {
    const record = await this.get(id);
    const transaction = await this.#transaction('readwrite');
    remove(transaction, id);
    await completed(transaction);
    return record === undefined ? [] : [record];
  }

  /** Deletes all; what they were, to be put back. */
  async deleteAll(): Promise<readonly SpokenRecord[]> {
    const heads = await this.list();
    const records = await Promise.all(heads.map(({ id }) => this.get(id)));
    const transaction = await this.#transaction('readwrite');
    for (const name of [SESSIONS, PARTS]) transaction.objectStore(name).clear();
    await completed(transaction);
    return records.filter((record) => record !== undefined);
  }

  /** Puts back what was deleted. */
  async restore(records: readonly SpokenRecord[]): Promise<void> {
    for (const record of records) await this.add(record, NOTHING_SPOKEN);
  }

  async #deleteBeyondBound(): Promise<void> {
    const transaction = await this.#transaction('readwrite');
    const ids = await settled(transaction.objectStore(SESSIONS).index('startedAtMs').getAllKeys());
    for (const id of ids.slice(0, Math.max(0, ids.length - WEB_LIMITS.sessionsMax))) {
      remove(transaction, String(id));
    }
    await completed(transaction);
  }

  async #transaction(mode: IDBTransactionMode): Promise<IDBTransaction> {
    try {
      return (await this.#database()).transaction([SESSIONS, PARTS], mode);
    } catch {
      // WebKit loses its connection to the store behind the back of a page that slept: once more, over another one.
      this.#opening = undefined;
      return (await this.#database()).transaction([SESSIONS, PARTS], mode);
    }
  }

  async #database(): Promise<IDBDatabase> {
    this.#opening ??= open();
    return await this.#opening;
  }
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = ({ oldVersion }) => {
    const { result } = request;
    if (oldVersion < 1) {
      result.createObjectStore(SESSIONS, { keyPath: 'id' }).createIndex('startedAtMs', 'startedAtMs');
    }
    result.createObjectStore(PARTS, { keyPath: ['session', 'utteranceCount', 'gapCount'] });
  };
  const opened = settled(request).then((database) => {
    // A later page is not kept from opening it in another way.
    database.onversionchange = () => database.close();
    return database;
  });
  const blocked = new Promise<never>((_, reject) => {
    request.onblocked = () => reject(new Error('A page of before is open in another tab.'));
  });
  return await Promise.race([opened, blocked]);
}

function remove(transaction: IDBTransaction, id: string): void {
  transaction.objectStore(SESSIONS).delete(id);
  transaction.objectStore(PARTS).delete(partsOf(id));
}

/** Every part of a session, in order. */
function partsOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/** A part that was added again, and longer, reaches into those behind it: what stands in both counts once. */
function joined(head: SpokenRecord, parts: readonly unknown[]): SpokenRecord {
  let { utterances, gaps } = head;
  for (const { utteranceCount, gapCount, said } of parts.filter(isPart)) {
    utterances = [...utterances.slice(0, utteranceCount), ...said.utterances];
    gaps = [...gaps.slice(0, gapCount), ...said.gaps];
  }
  return { ...head, utterances, gaps };
}

async function settled<T>(request: IDBRequest<T>): Promise<T> {
  return await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error(KEEPS_NOTHING));
  });
}

async function completed(transaction: IDBTransaction): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error(KEEPS_NOTHING));
  });
}

const KEEPS_NOTHING = 'The browser keeps nothing here.';

function isPart(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null || !('said' in value)) return false;
  const { said } = value;
  return (
    typeof said === 'object' &&
    said !== null &&
    'utterances' in said &&
    Array.isArray(said.utterances) &&
    'gaps' in said &&
    Array.isArray(said.gaps)
  );
}

/** What an older page may have kept is not trusted to have the shape of today. */
export function isRecord(value: unknown): value is SpokenRecord {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'id' in value &&
    typeof value.id === 'string' &&
    'startedAtMs' in value &&
    typeof value.startedAtMs === 'number' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'open' in value &&
    typeof value.open === 'string' &&
    'utterances' in value &&
    Array.isArray(value.utterances) &&
    'gaps' in value &&
    Array.isArray(value.gaps)
  );
}
