import { networkInterfaces } from 'node:os';
import { isLoopback } from '@kikitori/transport/doors';

/** Networks of containers, virtual machines and tunnels: hardly ever where a phone in the room is. */
const VIRTUAL =
  /^(?:docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|cni|flannel|podman|lxc|tun|utun|tap|wg|zt)/;

/**
 * At which hosts other machines find a server that listens on `host`, as they stand in an address, the likeliest first; none
 * where only this machine does. A wildcard stands for the addresses of the network interfaces: IPv4, and IPv6 where there is no other.
 */
export function reachableHosts(host: string, interfacesOf = networkInterfaces): readonly string[] {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (plain !== '0.0.0.0' && plain !== '::') return isLoopback(plain) ? [] : [bracketed(plain)];
  const found = Object.entries(interfacesOf())
    .sort(([one], [other]) => Number(VIRTUAL.test(one)) - Number(VIRTUAL.test(other)))
    .flatMap(([, addresses = []]) => addresses)
    // Addresses that begin so are good on one cable alone, and need its name.
    .filter(
      ({ address, internal }) => !internal && !isLoopback(address) && !/^(?:169\.254\.|fe80:)/i.test(address),
    );
  const old = found.filter(({ family }) => family === 'IPv4');
  const usable = plain === '0.0.0.0' || old.length > 0 ? old : found;
  return usable.map(({ address }) => bracketed(address));
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
