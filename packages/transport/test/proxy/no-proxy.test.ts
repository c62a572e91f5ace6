import { describe, expect, it } from 'vitest';
import { NoProxy } from '../../src/proxy/no-proxy.js';

describe('NO_PROXY', () => {
  it.each([
    ['example.com', 'example.com', 443],
    ['example.com', 'www.example.com', 443],
    ['example.com', 'WWW.Example.com.', 443],
    ['.example.com', 'example.com', 443],
    ['*.example.com', 'a.b.example.com', 443],
    ['a.test,example.com', 'example.com', 80],
    [' a.test  example.com ', 'example.com', 80],
    ['Example.COM.', 'example.com', 80],
    ['example.com:8443', 'www.example.com', 8443],
    ['*', 'anything.test', 80],
    ['a.test, *', '2001:db8::1', 80],
    ['localhost', 'localhost', 80],
    ['192.0.2.7', '192.0.2.7', 80],
    ['192.0.2.7:8000', '192.0.2.7', 8000],
    ['192.0.2.0/24', '192.0.2.200', 80],
    ['2001:db8::1', '2001:db8::1', 80],
    ['[2001:db8::1]', '2001:db8::1', 80],
    ['[2001:db8::1]:8443', '2001:db8::1', 8443],
    ['2001:db8::/32', '2001:db8:1::5', 80],
  ])('%j exempts %s at port %i', (text, host, port) => {
    expect(new NoProxy(text).has(host, port)).toBe(true);
  });

  it.each([
    ['', 'example.com', 443],
    ['example.com', 'evil-example.com', 443],
    ['example.com', 'example.com.evil.test', 443],
    ['www.example.com', 'example.com', 443],
    ['example.com:8443', 'example.com', 443],
    ['192.0.2.7', '192.0.2.70', 80],
    ['2.7', '192.0.2.7', 80],
    ['192.0.2.0/24', '192.0.3.1', 80],
    ['192.0.2.0/33', '192.0.2.1', 80],
    ['192.0.2.0/', '192.0.2.1', 80],
    ['2001:db8::/32', '2001:db9::1', 80],
    ['2001:db8::1', '2001:db8::2', 80],
    ['**', 'example.com', 80],
    ['.', 'example.com', 80],
  ])('%j does not exempt %s at port %i', (text, host, port) => {
    expect(new NoProxy(text).has(host, port)).toBe(false);
  });
});
