import { basicLogin } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import { aborted, ClientError } from './errors.js';
import { MODELS_TIMEOUT_MS } from './limits.js';
import { modelsUrl } from './urls.js';

/** A model that a server serves. */
export interface ServedModel {
  readonly id: string;
  /** BCP 47 tags of the languages that it hears; empty where the server does not say. */
  readonly languages: readonly string[];
  /** Tokens that the model bears in one utterance (vLLM's `max_model_len`); undefined where the server does not say. */
  readonly maxModelLen: number | undefined;
}

/** What `servedModels` takes. */
export interface ModelsOptions extends WaitOptions {
  readonly apiKey?: string;
}

/** The name of the first of `servedModels`. Rejects as it does. */
export async function firstModel(url: string, options: ModelsOptions = {}): Promise<string> {
  return (await servedModels(url, options))[0].id;
}

/**
 * Asks a server which models it serves (`GET /v1/models`), the default one first, and what they hear. `url` is the
 * server's address, `http:` or `ws:`, whatever its path. Rejects as `connect` does.
 */
export async function servedModels(
  url: string,
  { apiKey, signal }: ModelsOptions = {},
): Promise<readonly [ServedModel, ...ServedModel[]]> {
  throwIfAborted(signal);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), MODELS_TIMEOUT_MS);
  const address = modelsUrl(url);
  const headers = authorizationFor(address, apiKey);
  try {
    return await abortable(fetchModels(address, { headers, signal: giveUp.signal }), signal);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (signal?.aborted === true) throw aborted(signal);
    if (giveUp.signal.aborted) throw new ClientError('timeout', 'The server did not answer in time.');
    throw new ClientError('connect_failed', 'No connection to the server; is it running at this address?', {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    giveUp.abort();
  }
}

/** The key; else the name and password of the address, which are taken out of it: `fetch` takes none there. */
function authorizationFor(address: URL, apiKey: string | undefined): Record<string, string> {
  const authorization = apiKey === undefined ? basicLogin(address) : `Bearer ${apiKey}`;
  address.username = '';
  address.password = '';
  return authorization === undefined ? {} : { authorization };
}

async function fetchModels(url: URL, init: RequestInit): Promise<readonly [ServedModel, ...ServedModel[]]> {
  const response = await fetch(url, init);
  if (!response.ok) {
    await response.body?.cancel();
    const cause = new TransportError('refused', 'An HTTP status.', { httpStatus: response.status });
    throw new ClientError('refused', 'The server refused to list its models; is the key right?', { cause });
  }
  const body: unknown = await response.json().catch(() => undefined);
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  const [first, ...others] = Array.isArray(data) ? data.flatMap(modelOf) : [];
  if (first === undefined) {
    throw new ClientError('protocol_error', 'What answered there does not list models.');
  }
  return [first, ...others];
}

/** One card of the list; none where it is no card. */
function modelOf(card: unknown): ServedModel[] {
  if (typeof card !== 'object' || card === null || !('id' in card) || typeof card.id !== 'string') return [];
  const said: unknown[] = 'languages' in card && Array.isArray(card.languages) ? card.languages : [];
  const isBounded =
    'max_model_len' in card && typeof card.max_model_len === 'number' && card.max_model_len > 0;
  const maxModelLen = isBounded ? Number(card.max_model_len) : undefined;
  return [{ id: card.id, languages: said.filter((tag) => typeof tag === 'string'), maxModelLen }];
}
