import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { type ProxyAgents, proxyAgents } from './agents.js';
import { PROXY_LIMITS } from './limits.js';
import { destinationOf, type Proxies } from './proxies.js';

type Fetch = typeof globalThis.fetch;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * A `fetch` that goes through proxies: the platform's own knows none on Node 20. Where none leads to an address the platform's is
 * asked. What goes through one is read as it comes and never compressed; a body that is sent is held in memory. Rejects with
 * `ProxyError`, with what the connection failed with, or the signal's reason.
 */
export function proxiedFetch(proxies: Proxies, straight: Fetch = globalThis.fetch): Fetch {
  const agents = proxyAgents(proxies);
  return async (input, init) => {
    let request = new Request(input, init);
    for (let redirects = 0; ; redirects += 1) {
      if (proxies.towards(destinationOf(new URL(request.url))) === undefined) return await straight(request);
      const response = await ask(request, agents);
      const next = redirects < PROXY_LIMITS.redirectsMax ? redirectOf(request, response) : undefined;
      if (next === undefined) return response;
      // Lets go of the connection.
      await response.body?.cancel();
      request = next;
    }
  };
}

async function ask(request: Request, agents: ProxyAgents): Promise<Response> {
  const { signal, method, url } = request;
  const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { isTls } = destinationOf(new URL(url));
    const asking = (isTls ? requestHttps : requestHttp)(url, {
      method,
      headers: Object.fromEntries(request.headers),
      agent: isTls ? agents.httpsAgent : agents.httpAgent,
      signal,
    });
    asking.once('response', resolve);
    asking.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    asking.end(body);
  });
  const { statusCode: status = 0, statusMessage: statusText = '' } = answer;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const isEmpty = method === 'HEAD' || [204, 205, 304].includes(status);
  if (isEmpty) answer.resume();
  // The platform's stream of bytes, under another name in Node's types.
  const stream = isEmpty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
  return new Response(stream, { status, statusText, headers });
}

/** Where the answer sends the request, if it is followed. Only what has no body is: nobody here sends one that is sent on. */
function redirectOf(request: Request, { status, headers }: Response): Request | undefined {
  const { method, redirect, url } = request;
  const location = headers.get('location');
  const isFollowed = redirect === 'follow' && (method === 'GET' || method === 'HEAD');
  if (!isFollowed || location === null || !REDIRECTS.has(status) || !URL.canParse(location, url)) {
    return undefined;
  }
  const next = new URL(location, url);
  const sent = new Headers(request.headers);
  if (next.origin !== new URL(url).origin) sent.delete('authorization');
  return new Request(next, { method, headers: sent, signal: request.signal });
}
