import { describe, expect, it } from 'vitest';
import { shareNameOf, TrustedProxies } from '../../src/doors/client-address.js';

describe('the name of a share', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:7:1:2:3:4', '2001:db8:0:7::/64'],
    ['2001:db8:0:7::', '2001:db8:0:7::/64'],
    ['2001:DB8::7:0:0:0:9', '2001:db8:0:7::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, name) => {
    expect(shareNameOf(address)).toBe(name);
  });
});

describe('a proxy', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::7']);

  it.each([
    // Nobody else is believed, whatever it says.
    ['192.0.2.1', '198.51.100.9', '192.0.2.1'],
    ['10.0.0.7', '198.51.100.9', '198.51.100.9'],
    ['::ffff:10.0.0.7', '198.51.100.9', '198.51.100.9'],
    ['fd00::7', '2001:db8::9', '2001:db8::9'],
    // What the client wrote itself stands before what the proxy saw.
    ['10.0.0.7', '1.1.1.1, 198.51.100.9', '198.51.100.9'],
    // One trusted proxy behind another.
    ['10.0.0.7', '198.51.100.9, 10.0.0.8', '198.51.100.9'],
    ['10.0.0.7', '1.1.1.1, 198.51.100.9:4711', '198.51.100.9'],
    ['10.0.0.7', '[2001:db8::9]:4711', '2001:db8::9'],
    // Nothing that could be used: it asks for itself.
    ['10.0.0.7', undefined, '10.0.0.7'],
    ['10.0.0.7', '', '10.0.0.7'],
    ['10.0.0.7', 'unknown', '10.0.0.7'],
    ['10.0.0.7', '198.51.100.9, unknown', '10.0.0.7'],
    ['10.0.0.7', '10.0.0.8', '10.0.0.8'],
  ])('%s that says %j asks for %s', (peer, forwardedFor, client) => {
    expect(proxies.clientOf(peer, forwardedFor)).toBe(client);
  });

  it('is an address or a subnet', () => {
    for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0', '', '10.0.0.0/']) {
      expect(() => new TrustedProxies([wrong]), wrong).toThrow(/10\.0\.0\.0\/8/);
    }
  });
});
