import { describe, expect, it } from 'vitest';
import { destinationOf, Proxies } from '../../src/proxy/proxies.js';

type Env = Readonly<Record<string, string>>;

function chosen(env: Env, address: string): string | undefined {
  const proxy = new Proxies(env).towards(destinationOf(new URL(address)));
  return proxy === undefined ? undefined : `${proxy.variable} ${proxy.url.href}`;
}

describe('the proxies of the environment', () => {
  it.each<[Env, string, string | undefined]>([
    [{}, 'wss://stt.test', undefined],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'ws://stt.test', 'HTTP_PROXY http://p.test:3128/'],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'http://stt.test', 'HTTP_PROXY http://p.test:3128/'],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'wss://stt.test', undefined],
    [{ HTTPS_PROXY: 'http://p.test:3128' }, 'wss://stt.test', 'HTTPS_PROXY http://p.test:3128/'],
    [{ HTTPS_PROXY: 'http://p.test:3128' }, 'https://stt.test', 'HTTPS_PROXY http://p.test:3128/'],
    [
      { https_proxy: 'http://l.test', HTTPS_PROXY: 'http://u.test' },
      'https://stt.test',
      'https_proxy http://l.test/',
    ],
    [{ https_proxy: ' ', HTTPS_PROXY: 'http://u.test' }, 'https://stt.test', 'HTTPS_PROXY http://u.test/'],
    [{ ALL_PROXY: 'p.test:8080' }, 'ws://stt.test', 'ALL_PROXY http://p.test:8080/'],
    [{ all_proxy: 'https://p.test' }, 'wss://stt.test', 'all_proxy https://p.test/'],
    [
      { ALL_PROXY: 'http://a.test', HTTP_PROXY: 'http://p.test' },
      'ws://stt.test',
      'HTTP_PROXY http://p.test/',
    ],
    [{ HTTP_PROXY: 'me:s%40fe@p.test:3128' }, 'ws://stt.test', 'HTTP_PROXY http://me:s%40fe@p.test:3128/'],
    // Without.
    [{ HTTP_PROXY: 'http://p.test', NO_PROXY: 'stt.test' }, 'ws://stt.test', undefined],
    [{ HTTP_PROXY: 'http://p.test', no_proxy: 'stt.test:8000' }, 'ws://stt.test:8000', undefined],
    [
      { HTTP_PROXY: 'http://p.test', no_proxy: 'stt.test:8000' },
      'ws://stt.test',
      'HTTP_PROXY http://p.test/',
    ],
    [{ ALL_PROXY: 'http://p.test', NO_PROXY: 'stt.test:443' }, 'wss://stt.test', undefined],
    // A proxy elsewhere means itself by 127.0.0.1; one that is here means this machine.
    [{ HTTP_PROXY: 'http://p.test' }, 'ws://127.0.0.1:8000', undefined],
    [{ HTTP_PROXY: 'http://p.test' }, 'ws://[::1]:8000', undefined],
    [{ HTTP_PROXY: 'http://p.test' }, 'ws://localhost:8000', undefined],
    [{ HTTP_PROXY: 'http://localhost:3128' }, 'ws://127.0.0.1:8000', 'HTTP_PROXY http://localhost:3128/'],
    [{ HTTP_PROXY: '127.0.0.1:3128', NO_PROXY: '127.0.0.0/8' }, 'ws://127.0.0.1:8000', undefined],
    [{ ALL_PROXY: 'socks5://127.0.0.1:1080' }, 'ws://127.0.0.1:8000', undefined],
  ])('%j lead to %s through %s', (env, address, proxy) => {
    expect(chosen(env, address)).toBe(proxy);
  });

  it('that cannot be used are refused with what to write, without what was written', () => {
    for (const [text, reason] of [
      ['http://', 'proxy_invalid'],
      ['me:secret@', 'proxy_invalid'],
      ['socks5://me:secret@p.test:1080', 'proxy_unsupported'],
      ['ftp://secret.test', 'proxy_unsupported'],
    ] as const) {
      const choose = (): unknown => chosen({ HTTPS_PROXY: text }, 'wss://stt.test');
      expect(choose, text).toThrow(expect.objectContaining({ reason }));
      expect(choose, text).toThrow(/HTTPS_PROXY[\s\S]*http:\/\//);
      expect(choose, text).not.toThrow(/secret/);
      // Nobody is disturbed who goes without.
      expect(chosen({ HTTPS_PROXY: text }, 'ws://stt.test')).toBeUndefined();
    }
  });

  it('say whether there is any', () => {
    expect(new Proxies({ NO_PROXY: '*', HTTP_PROXY: '' }).isEmpty).toBe(true);
    expect(new Proxies({ all_proxy: 'p.test' }).isEmpty).toBe(false);
  });
});
