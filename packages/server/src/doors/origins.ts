import { isLoopback } from '../auth.js';
import { ServerError } from '../errors.js';

/** From where browsers may ask. */
export interface OriginPolicy {
  /** Origins besides the server's own, as browsers send them: `https://example.com`. */
  readonly allowed: readonly string[];
  /** The server listens on loopback alone: pages of this machine may ask, whatever their port. */
  readonly isLoopback: boolean;
  /**
   * Nobody needs a key, so the name by which the server was called has to be this machine's: a page on the internet could
   * otherwise have its own name lead here, and would then be of the same origin (DNS rebinding).
   */
  readonly checksHost: boolean;
}

/** Why a request is not answered. */
export type OriginVerdict = 'ok' | 'foreign_origin' | 'foreign_host';

/**
 * Programs send no `Origin` and pass. Pages pass from the server's own origin, from an allowed one, and on loopback from
 * this machine's others.
 */
export function judgeOrigin(
  { origin, host }: { readonly origin: string | undefined; readonly host: string | undefined },
  policy: OriginPolicy,
): OriginVerdict {
  const { allowed } = policy;
  if (policy.checksHost && !isKnownHost(host, allowed)) return 'foreign_host';
  if (origin === undefined || allowed.includes(origin.toLowerCase())) return 'ok';
  // "null": a file, a sandbox. Nobody knows whose.
  if (!URL.canParse(origin)) return 'foreign_origin';
  const url = new URL(origin);
  // The scheme is not compared: in front of us TLS may have ended.
  if (host !== undefined && url.host === host.toLowerCase()) return 'ok';
  return policy.isLoopback && isLoopback(url.hostname) ? 'ok' : 'foreign_origin';
}

function isKnownHost(host: string | undefined, allowed: readonly string[]): boolean {
  // HTTP/1.0, and programs that are no browsers.
  if (host === undefined) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  if (isLoopback(new URL(`http://${host}`).hostname)) return true;
  return allowed.some((origin) => new URL(origin).host === host.toLowerCase());
}

/** Checks and spells origins as browsers do. Throws `ServerError` `invalid_option`. */
export function parseOrigins(origins: readonly string[]): readonly string[] {
  return origins.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '') {
      return url.origin;
    }
    throw new ServerError(
      'invalid_option',
      'An origin looks like https://example.com: a scheme and a host, no path.',
    );
  });
}
