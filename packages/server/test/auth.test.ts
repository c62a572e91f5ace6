import { describe, expect, it } from 'vitest';
import { assertSafeToListen, createAuthenticator, isLoopback } from '../src/auth.js';

describe('loopback', () => {
  it('is what only this machine reaches', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '[::1]',
      '::ffff:127.0.0.1',
    ]) {
      expect(isLoopback(host), host).toBe(true);
    }
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.example.com',
      '127.0.0.1.example.com',
      '',
      '1127.0.0.1',
    ]) {
      expect(isLoopback(host), host).toBe(false);
    }
  });

  it('is the only place to listen without a key, unless the user insists', () => {
    const choice = { host: '0.0.0.0', isGuarded: false, insecure: false };
    expect(() => assertSafeToListen(choice)).toThrow(/--api-key.*--insecure/);
    assertSafeToListen({ ...choice, isGuarded: true });
    assertSafeToListen({ ...choice, insecure: true });
    assertSafeToListen({ ...choice, host: '::1' });
  });
});

describe('an authenticator', () => {
  it('takes any of its keys and nothing near them', () => {
    const authenticator = createAuthenticator(['secret', 'Ünïcode']);
    expect(authenticator.isGuarded).toBe(true);
    for (const header of ['Bearer secret', 'bearer secret', 'Bearer Ünïcode']) {
      expect(authenticator.allows(header), header).toBe(true);
    }
    for (const header of [
      undefined,
      '',
      'secret',
      'Bearer',
      'Bearer ',
      'Bearer secret ',
      'Bearer Secret',
      'Basic secret',
    ]) {
      expect(authenticator.allows(header), header).toBe(false);
    }
  });

  it('without keys lets everybody in, and never takes an empty key', () => {
    expect(createAuthenticator([]).allows(undefined)).toBe(true);
    expect(() => createAuthenticator(['good', ''])).toThrow(/must not be empty/);
  });
});
