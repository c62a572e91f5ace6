import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { AllowedOrigins, hostOf } from './allowed-origins.js';
import { isLoopback } from './loopback.js';

/**
 * By which names whoever listens may be called. A page on the internet can have its own name lead to any address (DNS
 * rebinding) and would then be of the same origin; a name that nobody can register there is no page's own.
 */
export type KnownHosts =
  /** All: it takes a key, and a page that was led here has none. */
  | 'any'
  /** Names of this machine; it listens on loopback. */
  | 'loopback'
  /** Addresses, and names that mean something in this network only. */
  | 'network';

/** From where browsers may ask. */
export interface OriginPolicy {
  /** Origins besides the listener's own. */
  readonly allowed: AllowedOrigins;
  /** It listens on loopback alone: pages of this machine may ask, whatever their port. */
  readonly isLoopback: boolean;
  readonly hosts: KnownHosts;
}

/** What a policy is made of. */
export interface OriginPolicyOptions {
  /** Origins of other sites whose pages may ask, and of apps, as `AllowedOrigins` takes them. */
  readonly allowedOrigins?: readonly string[];
  /** It listens on an address that only this machine reaches. */
  readonly isLoopback: boolean;
  /** Nobody enters without a key. */
  readonly isGuarded: boolean;
}

/** Why a request is not answered. */
export type OriginVerdict = 'ok' | 'foreign_origin' | 'foreign_host';

// RFC 6761, RFC 6762, RFC 8375, and what ICANN keeps out of the root for good.
const NETWORK_SUFFIXES = ['.localhost', '.local', '.home.arpa', '.internal'];

/** The rules for a listener. Throws `TransportError` `invalid_argument` for something that is no origin. */
export function originPolicy({
  allowedOrigins = [],
  isLoopback: isHere,
  isGuarded,
}: OriginPolicyOptions): OriginPolicy {
  const hosts = isHere ? 'loopback' : 'network';
  return {
    allowed: new AllowedOrigins(allowedOrigins),
    isLoopback: isHere,
    hosts: isGuarded ? 'any' : hosts,
  };
}

/**
 * Programs send no `Origin` and pass. Pages pass from the listener's own origin, from an allowed one, and on loopback
 * from this machine's others.
 */
export function judgeOrigin(
  { origin, host }: { readonly origin: string | undefined; readonly host: string | undefined },
  { allowed, isLoopback: isHere, hosts }: OriginPolicy,
): OriginVerdict {
  if (!isKnownHost(host, hosts, allowed)) return 'foreign_host';
  if (origin === undefined || allowed.has(origin)) return 'ok';
  // "null": a file, a sandbox. Nobody knows whose.
  if (!URL.canParse(origin)) return 'foreign_origin';
  const url = new URL(origin);
  // Of the web's two schemes it does not matter which: in front of us TLS may have ended. Apps choose their hosts freely.
  const isWeb = /^https?:$/.test(url.protocol);
  if (isWeb && host !== undefined && hostOf(url.host) === hostOf(host)) return 'ok';
  return isHere && isLoopback(url.hostname) ? 'ok' : 'foreign_origin';
}

function isKnownHost(host: string | undefined, hosts: KnownHosts, allowed: AllowedOrigins): boolean {
  // None: HTTP/1.0, and programs that are no browsers.
  if (host === undefined || hosts === 'any') return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname;
  if (isLoopback(name) || (hosts === 'network' && isOfNetwork(name))) return true;
  return allowed.hasHost(hostOf(host));
}

/** `name` as a URL spells it: lower case, IPv6 in brackets. */
function isOfNetwork(name: string): boolean {
  const plain = name.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(plain) !== 0 || plain === hostname().toLowerCase()) return true;
  return !plain.includes('.') || NETWORK_SUFFIXES.some((suffix) => plain.endsWith(suffix));
}
