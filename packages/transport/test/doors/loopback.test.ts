import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/doors/loopback.js';

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
});
