import { describe, expect, it } from 'vitest';
import { assertSafeToListen } from '../src/auth.js';

describe('loopback', () => {
  it('is the only place to listen without a key, unless the user insists', () => {
    const choice = { host: '0.0.0.0', isGuarded: false, insecure: false };
    expect(() => assertSafeToListen(choice)).toThrow(/--api-key.*--insecure/);
    assertSafeToListen({ ...choice, isGuarded: true });
    assertSafeToListen({ ...choice, insecure: true });
    assertSafeToListen({ ...choice, host: '::1' });
  });
});
