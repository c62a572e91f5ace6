import { TransportError } from '../errors.js';

/** An origin that is let in, or a family of them. */
interface Allowed {
  /** With its colon: `https:`, `chrome-extension:`. */
  readonly scheme: string;
  /** Name and port as `hostOf` spells them; with `isFamily` what stands behind the star. */
  readonly host: string;
  readonly isFamily: boolean;
}

const SHAPE = 'An origin looks like https://example.com or app://obsidian.md: a scheme and a host, no path.';
const STAR =
  'A star stands for the names below a domain, as in https://*.example.com, or for all apps of a kind, as in chrome-extension://*. All sites cannot be allowed; name those that you mean.';
const FILE =
  'Pages that were opened as files have no origin of their own; serve them over HTTP and allow that address.';

/**
 * Origins besides a listener's own: of other sites (`https://example.com`), of all names below a domain
 * (`https://*.example.com`, which is neither `https://example.com` nor `https://evil-example.com`), and of apps and
 * extensions that bring a scheme of their own (`app://obsidian.md`; `chrome-extension://*` is any of that kind).
 */
export class AllowedOrigins {
  readonly #allowed: readonly Allowed[];

  /** Throws `TransportError` `invalid_argument` for what is no origin, and for a star that would let in everybody. */
  constructor(origins: readonly string[] = []) {
    this.#allowed = origins.map(parse);
  }

  /** Whether pages of that origin may ask; `origin` is what a browser sent. */
  has(origin: string): boolean {
    const asked = split(origin);
    return asked !== undefined && this.#matches(asked.scheme, asked.host);
  }

  /** Whether a site of that name is one of them: then it is no foreign name for the listener either. */
  hasHost(host: string): boolean {
    return this.#matches('https:', host) || this.#matches('http:', host);
  }

  #matches(scheme: string, host: string): boolean {
    return this.#allowed.some((one) => {
      if (one.scheme !== scheme) return false;
      if (!one.isFamily) return one.host === host;
      // The star is one label at least, and no dot stands in its place.
      return host.length > one.host.length && host.endsWith(one.host) && !host.startsWith('.');
    });
  }
}

/**
 * The host of a `Host` header or of an origin as it is compared: lower case, without the dot that ends an absolute name, and
 * without a port that a browser leaves out (443 with https, 80 with http: where TLS ended in front of us nobody knows which).
 */
export function hostOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/:(?:80|443)$/, '')
    .replace(/\.(?=$|:)/, '');
}

/** Scheme and host of an origin; undefined for what is none (`null`, or with a path behind it). */
function split(origin: string): { readonly scheme: string; readonly host: string } | undefined {
  if (!URL.canParse(origin)) return undefined;
  const { protocol: scheme, host, pathname, search, hash, username, password } = new URL(origin);
  const isBare = /^\/?$/.test(pathname) && [search, hash, username, password].every((part) => part === '');
  return isBare && host !== '' ? { scheme, host: hostOf(host) } : undefined;
}

function parse(text: string): Allowed {
  if (/^(?:file:|null$)/i.test(text)) throw refused(FILE);
  const origin = split(text);
  if (origin === undefined || /^wss?:$/.test(origin.scheme)) throw refused(text.includes('*') ? STAR : SHAPE);
  const { scheme, host } = origin;
  if (!host.includes('*')) return { scheme, host, isFamily: false };
  const isWeb = /^https?:$/.test(scheme);
  if (!isWeb && host === '*') return { scheme, host: '', isFamily: true };
  // Below a bare ending, such as *.com, is everybody; names below localhost are this machine's.
  if (isWeb && /^\*\.(?:[^.*]+\.[^*]+|localhost(?::\d+)?)$/.test(host)) {
    return { scheme, host: host.slice(1), isFamily: true };
  }
  throw refused(STAR);
}

function refused(sentence: string): TransportError {
  return new TransportError('invalid_argument', sentence);
}
