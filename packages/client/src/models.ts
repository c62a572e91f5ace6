import { TransportError } from '@kikitori/transport';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import { aborted, ClientError } from './errors.js';
import { MODELS_TIMEOUT_MS } from './limits.js';
import { modelsUrl } from './urls.js';

/** What `firstModel` takes. */
export interface ModelsOptions extends WaitOptions {
  readonly apiKey?: string;
}

/**
 * Asks a server which model it serves (`GET /v1/models`) and answers the first one's name. `url` is the server's
 * address, `http:` or `ws:`, whatever its path. Rejects as `connect` does.
 */
export async function firstModel(url: string, { apiKey, signal }: ModelsOptions = {}): Promise<string> {
  throwIfAborted(signal);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), MODELS_TIMEOUT_MS);
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  try {
    return await abortable(fetchFirst(modelsUrl(url), { headers, signal: giveUp.signal }), signal);
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

async function fetchFirst(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  if (!response.ok) {
    await response.body?.cancel();
    const cause = new TransportError('refused', 'An HTTP status.', { httpStatus: response.status });
    throw new ClientError('refused', 'The server refused to list its models; is the key right?', { cause });
  }
  const body: unknown = await response.json().catch(() => undefined);
  const id = firstId(body);
  if (id === undefined) {
    throw new ClientError('protocol_error', 'What answered there does not list models.');
  }
  return id;
}

function firstId(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('data' in body) || !Array.isArray(body.data)) {
    return undefined;
  }
  const [first]: unknown[] = body.data;
  const hasId = typeof first === 'object' && first !== null && 'id' in first;
  return hasId && typeof first.id === 'string' ? first.id : undefined;
}
