import { realtimeUrl } from '@kikitori/client';
import { abortable, type Clock } from '@kikitori/core';
import { type Connect, type Connection, TransportError } from '@kikitori/transport';
import { refusalOf, UpstreamError } from '../errors.js';
import { UPSTREAM_LIMITS } from '../limits.js';

/** Where to knock, and with what. */
export interface KnockOptions {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** It has said which models it serves, so it is there. */
  readonly isListed: boolean;
}

/**
 * Opens a session and leaves it again: whether sessions are let in shows nowhere else. Answers false where it is worth another try
 * later.
 *
 * @throws UpstreamError for what waiting does not mend
 */
export async function knock(options: KnockOptions): Promise<boolean> {
  const { url, apiKey, connect, clock, signal } = options;
  const late = new AbortController();
  const cancel = clock.after(UPSTREAM_LIMITS.connectMs, () => late.abort());
  const either = AbortSignal.any([late.signal, signal]);
  let connection: Connection | undefined;
  try {
    const headers = apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } };
    connection = await connect({ url: realtimeUrl({ url }), ...headers, signal: either });
    const first = await abortable(connection.messages[Symbol.asyncIterator]().next(), either);
    return first.done !== true;
  } catch (error) {
    return isThere(error, options);
  } finally {
    cancel();
    await connection?.close().catch(() => connection?.destroy());
  }
}

function isThere(error: unknown, { apiKey, isListed }: KnockOptions): boolean {
  const status = error instanceof TransportError ? error.httpStatus : undefined;
  switch (status) {
    case 401:
      throw refusalOf(apiKey, error);
    case 403:
    case 404:
      throw new UpstreamError('no_realtime', 'The server takes no Realtime sessions.', { cause: error });
    case 500:
      // Without a key a server that breaks may be mended; with one it is vLLM 0.17.1, whatever the key.
      if (apiKey === undefined) return false;
      throw new UpstreamError('keys_broken', 'The server breaks on sessions because it wants a key.', {
        cause: error,
      });
    // Every place of it is taken at the moment.
    case 429:
      return true;
    case 503:
      return isListed;
    default:
      return false;
  }
}
