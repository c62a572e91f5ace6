import { TransportError } from '@kikitori/transport';
import { recall, remember } from '../shared/storage.js';

const STORED_AT = 'kikitori.key';
const MINT_TIMEOUT_MS = 10_000;

/** The visitor's key, and short-lived tokens for it: one for each connection, as the key itself never goes along. */
export class Credentials {
  readonly #isNeeded: () => boolean;
  #key: string | undefined;

  constructor(isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
    this.#key = takeFragmentKey() ?? recall(STORED_AT, 'tab');
  }

  /** A key has to be asked for. */
  get isMissing(): boolean {
    return this.#isNeeded() && this.#key === undefined;
  }

  /** The key from now on. `isKept`: it outlives a reload, in this tab alone. */
  use(key: string, { isKept }: { readonly isKept: boolean }): void {
    this.#key = key;
    remember(STORED_AT, isKept ? key : undefined, 'tab');
  }

  forget(): void {
    this.#key = undefined;
    remember(STORED_AT, undefined, 'tab');
  }

  /** `Authorization` for a request to the server; undefined where none is needed. */
  async authorization(): Promise<string | undefined> {
    const token = await this.token();
    return token === undefined ? undefined : `Bearer ${token}`;
  }

  /** A fresh token; undefined where none is needed. A key that the server does not know: `TransportError` `refused`, 401. */
  async token(): Promise<string | undefined> {
    if (!this.#isNeeded()) return undefined;
    if (this.#key === undefined) throw refused(401);
    const response = await fetch('v1/realtime/client_secrets', {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#key}` },
      signal: AbortSignal.timeout(MINT_TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new TransportError('connect_failed', 'The server does not answer.', { cause: error });
    });
    if (!response.ok) throw refused(response.status);
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'value' in body && typeof body.value === 'string') {
      return body.value;
    }
    throw refused(502);
  }
}

function refused(httpStatus: number): TransportError {
  return new TransportError('refused', 'The server gives no token for this key.', { httpStatus });
}

/** `#key=…` is taken out of the address at once, so that no bookmark and no screenshot holds it. */
function takeFragmentKey(): string | undefined {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return key === '' ? undefined : key;
}
