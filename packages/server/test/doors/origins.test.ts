import { describe, expect, it } from 'vitest';
import { judgeOrigin, parseOrigins } from '../../src/doors/origins.js';

const open = { allowed: parseOrigins(['https://App.example.com']), isLoopback: true, checksHost: true };
const guarded = { ...open, checksHost: false };
const remote = { ...guarded, isLoopback: false };

describe('pages and programs', () => {
  it.each([
    // Programs.
    [undefined, 'localhost:8000', open, 'ok'],
    [undefined, undefined, open, 'ok'],
    // The page of this server, under any name of this machine.
    ['http://localhost:8000', 'localhost:8000', open, 'ok'],
    ['http://127.0.0.1:8000', '127.0.0.1:8000', open, 'ok'],
    ['http://[::1]:8000', '[::1]:8000', open, 'ok'],
    // Another page of this machine: somebody develops one.
    ['http://localhost:5173', 'localhost:8000', open, 'ok'],
    ['http://localhost:5173', 'stt.example.com', remote, 'foreign_origin'],
    // Allowed by name.
    ['https://app.example.com', 'localhost:8000', open, 'ok'],
    ['https://app.example.com', 'stt.example.com', remote, 'ok'],
    // Behind a proxy that ends TLS.
    ['https://stt.example.com', 'stt.example.com', remote, 'ok'],
    // Somebody else's.
    ['https://evil.example', 'localhost:8000', open, 'foreign_origin'],
    ['https://evil.example', 'localhost:8000', guarded, 'foreign_origin'],
    ['http://app.example.com', 'localhost:8000', guarded, 'foreign_origin'],
    ['https://app.example.com.evil.example', 'localhost:8000', guarded, 'foreign_origin'],
    ['null', 'localhost:8000', open, 'foreign_origin'],
    ['', 'localhost:8000', open, 'foreign_origin'],
    // A name that was led here (DNS rebinding): of the same origin, but not ours.
    ['http://evil.example:8000', 'evil.example:8000', open, 'foreign_host'],
    [undefined, 'evil.example:8000', open, 'foreign_host'],
    [undefined, 'not a host', open, 'foreign_host'],
    [undefined, 'app.example.com', open, 'ok'],
    // With a key it helps them nothing.
    [undefined, 'stt.example.com', guarded, 'ok'],
  ] as const)('origin %j to host %j', (origin, host, policy, verdict) => {
    expect(judgeOrigin({ origin, host }, policy)).toBe(verdict);
  });

  it('are allowed by origin: a scheme and a host', () => {
    expect(parseOrigins(['https://a.example:8443', 'HTTP://B.example/'])).toEqual([
      'https://a.example:8443',
      'http://b.example',
    ]);
    for (const wrong of ['example.com', 'https://a.example/page', 'ws://a.example', '*', '']) {
      expect(() => parseOrigins([wrong]), wrong).toThrow(/https:\/\/example.com/);
    }
  });
});
