import { describe, expect, it } from 'vitest';
import { wyomingAddress } from '../../src/serve/wyoming-address.js';

describe('wyomingAddress', () => {
  it.each([
    ['10300', { port: 10_300 }],
    ['0.0.0.0:10300', { host: '0.0.0.0', port: 10_300 }],
    ['speech.local:0', { host: 'speech.local', port: 0 }],
    ['[::1]:10300', { host: '[::1]', port: 10_300 }],
  ])('reads %s', (text, expected) => {
    expect(wyomingAddress(text, '--wyoming')).toEqual(expected);
  });

  it.each(['', ':10300', '::1:10300', '70000', '10300x', 'tcp://0.0.0.0:10300', '0.0.0.0'])(
    'refuses %j',
    (text) => {
      expect(() => wyomingAddress(text, '--wyoming')).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});
