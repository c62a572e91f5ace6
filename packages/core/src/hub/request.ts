import { type HubAccess, isSafeTarget, tokenFor } from './access.js';
import { HttpStatusError } from './failures.js';

/** From the hub's address to its storage's. More is a loop, and refused. */
const REDIRECTS_MAX = 5;

export interface HubRequest {
  readonly access: HubAccess;
  /** First and last byte, both included; without a last one, to the end. */
  readonly range?: { readonly from: number; readonly to?: number };
  readonly signal: AbortSignal | undefined;
  /** Told the address when the request leaves the hub for its storage, which signs it for a while. */
  readonly onStorage?: (url: URL) => void;
}

/**
 * Asks the hub, and follows it to its storage. Redirects are followed by hand: the token goes to the hub's own origin, and
 * once a request has left it, nowhere any more.
 *
 * @throws HttpStatusError for any answer but 2xx; what `fetch` throws when there is none
 */
export async function requestHub(
  start: URL,
  { access, range, signal, onStorage }: HubRequest,
): Promise<Response> {
  const home = new URL(access.endpoint).origin;
  let url = start;
  let hasLeft = url.origin !== home;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const token = hasLeft ? undefined : tokenFor(url, access);
    const response = await fetch(url, {
      headers: {
        // Compressed answers would break ranges: they count bytes of the compressed form.
        'accept-encoding': 'identity',
        'user-agent': 'kikitori',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(range === undefined ? {} : { range: `bytes=${range.from}-${range.to ?? ''}` }),
      },
      redirect: 'manual',
      signal: signal ?? null,
    });
    if (response.ok) return response;
    // Gives the connection back.
    await response.body?.cancel().catch(() => undefined);
    url = nextUrl(response, url);
    hasLeft ||= url.origin !== home;
    if (hasLeft) onStorage?.(url);
  }
  throw new HttpStatusError(310);
}

function nextUrl(response: Response, url: URL): URL {
  const location = response.headers.get('location');
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
    throw new HttpStatusError(response.status, {
      waitMs: askedWaitMs(response.headers),
      hubCode: response.headers.get('x-error-code') ?? '',
    });
  }
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  // A hub that sends a request on in the clear is none.
  if (next === undefined || !isSafeTarget(next, url)) throw new HttpStatusError(response.status);
  return next;
}

/** `Retry-After`, or the hub's own `RateLimit: "resolvers";r=0;t=55`. Both in seconds. */
export function askedWaitMs(headers: Headers): number | undefined {
  const asked = [headers.get('retry-after') ?? '', windowOf(headers.get('ratelimit') ?? '')];
  const seconds = asked.find((each) => /^\d{1,6}$/.test(each));
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

/** When a limit that has nothing left begins anew, as the header spells it. */
function windowOf(rateLimit: string): string {
  const parameters = rateLimit.split(';').map((each) => each.trim());
  if (!parameters.includes('r=0')) return '';
  return parameters.find((each) => each.startsWith('t='))?.slice(2) ?? '';
}

/** Reads a short body whole, as UTF-8; undefined where it is longer than `bytesMax`, and so none that was asked for. */
export async function readShort(response: Response, bytesMax: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let [text, totalBytes] = ['', 0];
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    totalBytes += read.value.length;
    if (totalBytes > bytesMax) {
      await reader?.cancel().catch(() => undefined);
      return undefined;
    }
    text += decoder.decode(read.value, { stream: true });
  }
  return text + decoder.decode();
}
