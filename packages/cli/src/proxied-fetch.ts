import type { Environment } from './context.js';

/**
 * What this process asks over HTTP (model hubs, lists of models, images) it asks with the platform's `fetch`, which knows no proxies on
 * Node 20: where the environment names one, all of it goes through a `fetch` that does.
 */
export async function fetchThroughProxies(env: Environment): Promise<void> {
  if (!Object.keys(env).some((name) => /_proxy$/i.test(name))) return;
  const { proxiedFetch, Proxies } = await import('@kikitori/transport/proxy');
  const proxies = new Proxies(env);
  if (!proxies.isEmpty) globalThis.fetch = proxiedFetch(proxies);
}
