import type { SpokenRecord } from './conversation.js';
import { WEB_LIMITS } from './limits.js';

const DATABASE = 'kikitori';
const STORE = 'sessions';

/**
 * Sessions in this browser (IndexedDB). Rejects where the browser keeps nothing: in some private windows, or with storage
 * switched off.
 */
export class SessionStore {
  #opening: Promise<IDBDatabase> | undefined;

  /** Keeps it, in place of what was kept under its id; the oldest beyond the bound are deleted. */
  async put(record: SpokenRecord): Promise<void> {
    const store = await this.#store('readwrite');
    await settled(store.put(record));
    const ids = await settled(store.index('startedAtMs').getAllKeys());
    const spare = ids.slice(0, Math.max(0, ids.length - WEB_LIMITS.sessionsMax));
    for (const id of spare) store.delete(id);
  }

  /** All of them, the newest first. */
  async list(): Promise<readonly SpokenRecord[]> {
    const store = await this.#store('readonly');
    const found: unknown[] = await settled(store.index('startedAtMs').getAll());
    return found.filter(isRecord).reverse();
  }

  async get(id: string): Promise<SpokenRecord | undefined> {
    const found: unknown = await settled((await this.#store('readonly')).get(id));
    return isRecord(found) ? found : undefined;
  }

  async delete(id: string): Promise<void> {
    await settled((await this.#store('readwrite')).delete(id));
  }

  async deleteAll(): Promise<void> {
    await settled((await this.#store('readwrite')).clear());
  }

  async #store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    try {
      return (await this.#database()).transaction(STORE, mode).objectStore(STORE);
    } catch {
      // WebKit loses its connection to the store behind the back of a page that slept: once more, over another one.
      this.#opening = undefined;
      return (await this.#database()).transaction(STORE, mode).objectStore(STORE);
    }
  }

  async #database(): Promise<IDBDatabase> {
    this.#opening ??= open();
    return await this.#opening;
  }
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: 'id' });
    store.createIndex('startedAtMs', 'startedAtMs');
  };
  return await settled(request);
}

async function settled<T>(request: IDBRequest<T>): Promise<T> {
  return await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser keeps nothing here.'));
  });
}

/** What an older page may have kept is not trusted to have the shape of today. */
function isRecord(value: unknown): value is SpokenRecord {
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
