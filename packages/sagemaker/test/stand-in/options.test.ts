import { describe, expect, it } from 'vitest';
import { resolveOptions, type SageMakerStandInOptions } from '../../src/stand-in/options.js';
import { reasonOf } from '../reason-of.js';

const endpoints = [{ name: 'demo' }];
const pair = { accessKeyId: 'AKID', secretAccessKey: 's' };

describe('the options of a stand-in', () => {
  it('have a default for everything but the endpoints', () => {
    expect(resolveOptions({ endpoints })).toMatchObject({
      host: '127.0.0.1',
      port: 8443,
      isPlaintext: false,
      region: 'us-east-1',
      accountId: '111122223333',
      credentials: [{ accessKeyId: 'AKIDLOCAL' }],
      endpoints: [
        {
          name: 'demo',
          region: 'us-east-1',
          accountId: '111122223333',
          hasStreamingLabel: true,
          streamsMax: 1024,
          variants: [{ name: 'AllTraffic', containerUrl: 'ws://127.0.0.1:8080', weight: 1 }],
        },
      ],
      limits: { streamMsMax: 1_800_000, pingIntervalMs: 60_000, missedPongsMax: 5, healthWindowMs: 480_000 },
    });
  });

  it.each<[string, Partial<SageMakerStandInOptions>]>([
    ['no endpoint', { endpoints: [] }],
    ['a bad endpoint name', { endpoints: [{ name: 'a_b' }] }],
    ['a long endpoint name', { endpoints: [{ name: 'a'.repeat(64) }] }],
    ['an endpoint twice', { endpoints: [{ name: 'a' }, { name: 'a' }] }],
    ['a bad region', { region: 'US EAST' }],
    ['a bad account', { accountId: '1' }],
    ['a container with a path', { endpoints: [{ name: 'a', containerUrl: 'ws://h:1/p' }] }],
    ['a container with a query', { endpoints: [{ name: 'a', containerUrl: 'ws://h:1?q=1' }] }],
    ['a container behind TLS', { endpoints: [{ name: 'a', containerUrl: 'wss://h:1' }] }],
    ['a container with a password', { endpoints: [{ name: 'a', containerUrl: 'ws://u:p@h:1' }] }],
    ['a container that is no address', { endpoints: [{ name: 'a', containerUrl: 'h:1' }] }],
    ['no variant', { endpoints: [{ name: 'a', variants: [] }] }],
    ['a variant twice', { endpoints: [{ name: 'a', variants: [{ name: 'v' }, { name: 'v' }] }] }],
    ['a bad variant name', { endpoints: [{ name: 'a', variants: [{ name: '' }] }] }],
    ['a weight below 0', { endpoints: [{ name: 'a', variants: [{ name: 'v', weight: -1 }] }] }],
    ['no weight at all', { endpoints: [{ name: 'a', variants: [{ name: 'v', weight: 0 }] }] }],
    ['no room for streams', { endpoints: [{ name: 'a', streamsMax: 0 }] }],
    ['no credentials', { credentials: [] }],
    ['a key twice', { credentials: [pair, pair] }],
    ['a key with a slash', { credentials: [{ ...pair, accessKeyId: 'a/b' }] }],
    ['an empty secret', { credentials: [{ ...pair, secretAccessKey: '' }] }],
    ['an empty token', { credentials: [{ ...pair, sessionToken: '' }] }],
    ['a port above 65535', { port: 65_536 }],
    ['half a port', { port: 1.5 }],
    ['names of a certificate in plain text', { isPlaintext: true, tlsNames: ['runtime.example.com'] }],
    [
      'names for a certificate of one’s own',
      { tlsNames: ['a.b'], certificate: { certificate: '', key: '' } },
    ],
    ['a name that is none', { tlsNames: ['https://a.b'] }],
    ['a certificate in plain text', { isPlaintext: true, certificate: { certificate: '', key: '' } }],
    ['a limit of 0', { limits: { streamMsMax: 0 } }],
    ['a limit that is no number', { limits: { streamMsMax: Number.NaN } }],
  ])('are refused with %s', (_name, options) => {
    expect(reasonOf(() => resolveOptions({ endpoints, ...options }))).toBe('invalid_option');
  });

  it('keep the public pair of credentials on loopback', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(reasonOf(() => resolveOptions({ endpoints, host }))).toBe('none');
    }
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.example.com']) {
      expect(reasonOf(() => resolveOptions({ endpoints, host }))).toBe('unsafe_address');
      const copy = { accessKeyId: 'OTHER', secretAccessKey: 'kikitori-local-secret' };
      expect(reasonOf(() => resolveOptions({ endpoints, host, credentials: [pair, copy] }))).toBe(
        'unsafe_address',
      );
      expect(reasonOf(() => resolveOptions({ endpoints, host, credentials: [pair] }))).toBe('none');
    }
  });
});
