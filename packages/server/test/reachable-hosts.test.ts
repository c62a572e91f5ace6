import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { reachableHosts } from '../src/reachable-hosts.js';

const at = (address: string, internal = false): NetworkInterfaceInfo => {
  const rest = { address, netmask: '', mac: '', cidr: null, internal };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
};

describe('where others find a server', () => {
  const interfaces = {
    lo: [at('127.0.0.1', true), at('::1', true)],
    docker0: [at('172.17.0.1')],
    en0: [at('192.168.0.5'), at('fe80::1'), at('2001:db8::5'), at('169.254.3.4')],
  };

  it('is at the addresses of the interfaces, real ones first, when it listens on all of them', () => {
    for (const host of ['0.0.0.0', '::', '[::]']) {
      expect(reachableHosts(host, () => interfaces)).toEqual(['192.168.0.5', '172.17.0.1']);
    }
  });

  it('is at addresses of IPv6 where there are no others, and it listens on them', () => {
    const six = { en0: [at('fe80::1'), at('2001:db8::5')] };
    expect(reachableHosts('::', () => six)).toEqual(['[2001:db8::5]']);
    expect(reachableHosts('0.0.0.0', () => six)).toEqual([]);
  });

  it('is at the one address that it listens on, and nowhere when that is its own', () => {
    expect(reachableHosts('192.168.0.5', () => interfaces)).toEqual(['192.168.0.5']);
    expect(reachableHosts('2001:db8::5', () => interfaces)).toEqual(['[2001:db8::5]']);
    expect(reachableHosts('speech.example', () => interfaces)).toEqual(['speech.example']);
    for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]']) {
      expect(reachableHosts(host, () => interfaces)).toEqual([]);
    }
  });
});
