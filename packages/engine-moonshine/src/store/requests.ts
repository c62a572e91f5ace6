import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

const scope = new AsyncLocalStorage<Set<ClientRequest>>();

/**
 * Runs `work` so that aborting `signal` breaks off the HTTP requests that it makes. npm's fetcher takes no signal;
 * without this an aborted pull would go on downloading and keep the process alive. Requests are recognised by the
 * asynchronous context they are made in, so those of others are left alone.
 */
export async function withAbortableRequests<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  const requests = new Set<ClientRequest>();
  const onStart = (message: unknown): void => {
    const request = requestOf(message);
    if (request === undefined || scope.getStore() !== requests) return;
    requests.add(request);
    request.once('close', () => requests.delete(request));
    if (signal.aborted) request.destroy();
  };
  const onAbort = (): void => {
    for (const request of requests) request.destroy();
  };
  subscribe('http.client.request.start', onStart);
  signal.addEventListener('abort', onAbort);
  try {
    return await scope.run(requests, work);
  } finally {
    signal.removeEventListener('abort', onAbort);
    unsubscribe('http.client.request.start', onStart);
  }
}

function requestOf(message: unknown): ClientRequest | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined;
  return message.request instanceof ClientRequest ? message.request : undefined;
}
