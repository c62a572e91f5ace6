import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

const scope = new AsyncLocalStorage<Set<ClientRequest>>();

/**
 * Runs `work` so that its HTTP requests do not outlive it when it fails, or when `signal` is aborted. npm's fetcher
 * takes no signal; without this a pull that was given up would go on downloading and keep the process alive.
 * Requests are recognised by the asynchronous context they are made in, so those of others are left alone.
 */
export async function withOwnedRequests<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const requests = new Set<ClientRequest>();
  let isOver = false;
  const onStart = (message: unknown): void => {
    const request = requestOf(message);
    if (request === undefined || scope.getStore() !== requests) return;
    requests.add(request);
    request.once('close', () => requests.delete(request));
    if (isOver) request.destroy();
  };
  const breakOff = (): void => {
    isOver = true;
    for (const request of requests) request.destroy();
  };
  subscribe('http.client.request.start', onStart);
  signal?.addEventListener('abort', breakOff);
  try {
    return await scope.run(requests, work);
  } catch (error) {
    breakOff();
    throw error;
  } finally {
    signal?.removeEventListener('abort', breakOff);
    unsubscribe('http.client.request.start', onStart);
  }
}

function requestOf(message: unknown): ClientRequest | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined;
  return message.request instanceof ClientRequest ? message.request : undefined;
}
