import { BlockList, isIP } from 'node:net';
import { TransportError } from '../errors.js';

const SITE_GROUPS = 4;

/**
 * The name under which shares and rates of an address are counted: the address itself, of IPv6 its /64, since whoever
 * has one address there has 2^64.
 */
export function shareNameOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  return `${ipv6Groups(plain).slice(0, SITE_GROUPS).join(':')}::/64`;
}

/** Proxies that say on whose behalf they ask; nobody else is believed. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** Addresses and subnets: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`. Throws `TransportError` `invalid_argument`. */
  constructor(proxies: readonly string[] = []) {
    for (const text of proxies) {
      const [address = '', bits, ...rest] = text.split('/');
      const version = isIP(address);
      const most = version === 4 ? 32 : 128;
      const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
      if (version === 0 || !isPrefix || rest.length > 0) {
        throw new TransportError(
          'invalid_argument',
          'A proxy is an address or a subnet, such as 10.0.0.7 or 10.0.0.0/8.',
        );
      }
      this.#list.addSubnet(
        address,
        bits === undefined ? most : Number(bits),
        version === 4 ? 'ipv4' : 'ipv6',
      );
    }
  }

  /** Whether that peer is one of them. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Who asks: the peer, or where that is a trusted proxy, the last in its `X-Forwarded-For` that is none. What stands
   * before that one anybody could have written. A proxy that says nothing usable asks for itself.
   */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    let client = plainAddress(peer);
    const hops = (forwardedFor ?? '').split(',').reverse();
    for (const hop of hops) {
      if (!this.has(client)) return client;
      const before = plainAddress(hop.trim());
      if (isIP(before) === 0) return client;
      client = before;
    }
    return client;
  }
}

/** Without brackets, port and zone; an IPv4 address that came as IPv6 in its own form. */
function plainAddress(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const [, withPort] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text) ?? [];
  return (bracketed ?? withPort ?? text)
    .toLowerCase()
    .replace(/%.*/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}

/** The eight groups, as numbers in hexadecimal; `address` is IPv6. */
function ipv6Groups(address: string): readonly string[] {
  // A URL spells it in one way, an IPv4 ending included.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
}
