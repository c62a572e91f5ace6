import { isLoopback } from '../doors/loopback.js';
import { ProxyError } from './errors.js';
import { NoProxy } from './no-proxy.js';

/** A proxy that leads to some address. */
export interface NamedProxy {
  /** `http:` or `https:`, with name and password where it wants them. Never into a log. */
  readonly url: URL;
  /** Where it was named, such as `HTTPS_PROXY`. */
  readonly variable: string;
}

/** What somebody wants to reach. */
export interface Destination {
  /** What is spoken there begins with TLS: `https:`, `wss:`. */
  readonly isTls: boolean;
  /** Name or address, of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Which proxy leads where, as the environment says it to curl: `HTTPS_PROXY` for TLS (`https:`, `wss:`), `HTTP_PROXY` for what
 * goes without, `ALL_PROXY` for either, in lower case first; `NO_PROXY` for hosts that are reached without. A proxy without a
 * scheme is an `http:` one.
 *
 * Addresses of this machine are asked for like any other, as curl and undici do it, of a proxy on this machine. To one on another
 * machine they would mean that other machine, so there they go straight.
 */
export class Proxies {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #without: NoProxy;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
    this.#without = new NoProxy(env['no_proxy'] || env['NO_PROXY']);
  }

  /** The environment names none: everything goes straight. */
  get isEmpty(): boolean {
    return ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].every((name) => this.#named(name) === undefined);
  }

  /** The proxy that leads there; undefined: none, straight. Throws `ProxyError` where one is named that cannot be used. */
  towards({ isTls, host, port }: Destination): NamedProxy | undefined {
    const named = this.#named(isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? this.#named('ALL_PROXY');
    if (named === undefined || this.#without.has(host, port)) return undefined;
    const { text, variable } = named;
    if (isLoopback(host) && !isOnThisMachine(text)) return undefined;
    return { url: parse(text, variable), variable };
  }

  #named(name: string): { readonly text: string; readonly variable: string } | undefined {
    for (const variable of [name.toLowerCase(), name]) {
      const text = this.#env[variable]?.trim() ?? '';
      if (text !== '') return { text, variable };
    }
    return undefined;
  }
}

/** What an address (`http:`, `https:`, `ws:`, `wss:`) leads to. */
export function destinationOf({ protocol, hostname, port }: URL): Destination {
  const isTls = protocol === 'https:' || protocol === 'wss:';
  const ownPort = isTls ? 443 : 80;
  return {
    isTls,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? ownPort : Number(port),
  };
}

function isOnThisMachine(proxy: string): boolean {
  const url = urlOf(proxy);
  return url !== undefined && isHttp(url) && isLoopback(url.hostname);
}

function parse(text: string, variable: string): URL {
  const url = urlOf(text);
  if (url === undefined || url.hostname === '') throw new ProxyError('proxy_invalid', variable);
  if (!isHttp(url)) throw new ProxyError('proxy_unsupported', variable);
  return url;
}

function urlOf(text: string): URL | undefined {
  const address = text.includes('://') ? text : `http://${text}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
