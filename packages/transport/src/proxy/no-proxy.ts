import { BlockList, isIP } from 'node:net';

/** A name and everything below it, at one port or at all. */
interface Exempt {
  readonly name: string;
  readonly port: number | undefined;
}

/**
 * Hosts that are reached without a proxy, as `NO_PROXY` lists them for curl: names with everything below them (`example.com` and
 * `.example.com` are the same), addresses, subnets (`10.0.0.0/8`), `*` for all; of names and addresses also at one port alone
 * (`example.com:8443`). Commas or blanks stand between them; what is none of these exempts nothing.
 */
export class NoProxy {
  readonly #isAll: boolean;
  readonly #names: Exempt[] = [];
  readonly #networks = new BlockList();

  constructor(text = '') {
    const entries = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '');
    this.#isAll = entries.includes('*');
    for (const entry of entries) this.#add(entry);
  }

  /** `host` is a name or an address without brackets, in any case. */
  has(host: string, port: number): boolean {
    if (this.#isAll) return true;
    const name = plainName(host);
    const version = isIP(name);
    if (version !== 0 && this.#networks.check(name, version === 4 ? 'ipv4' : 'ipv6')) return true;
    return this.#names.some((exempt) => {
      if (exempt.port !== undefined && exempt.port !== port) return false;
      return exempt.name === name || (version === 0 && name.endsWith(`.${exempt.name}`));
    });
  }

  #add(entry: string): void {
    const [address = '', bits, ...rest] = entry.split('/');
    const version = isIP(plainName(address));
    if (bits !== undefined) {
      const isSubnet = version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits);
      if (isSubnet && Number(bits) <= (version === 4 ? 32 : 128)) {
        this.#networks.addSubnet(plainName(address), Number(bits), version === 4 ? 'ipv4' : 'ipv6');
      }
      return;
    }
    // Of an IPv6 address without brackets the last part is no port.
    const [, host = entry, port] = (version === 6 ? undefined : /^(.*):(\d{1,5})$/.exec(entry)) ?? [];
    const name = plainName(host.replace(/^\*?\./, ''));
    if (name !== '') this.#names.push({ name, port: port === undefined ? undefined : Number(port) });
  }
}

/** Without brackets and the dot that ends an absolute name. */
function plainName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
