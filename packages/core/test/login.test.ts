import { describe, expect, it } from 'vitest';
import { basicLogin } from '../src/index.js';

describe('the login in an address', () => {
  it.each([
    ['ws://me:s%40fe%20pass@host', 'me:s@fe pass'],
    ['ws://j%C3%BCrgen@host', 'jürgen:'],
    ['ws://:key@host', ':key'],
    ['ws://me:100%@host', 'me:100%'],
  ])('of %s', (address, login) => {
    expect(basicLogin(new URL(address))).toBe(`Basic ${Buffer.from(login).toString('base64')}`);
  });

  it('is none where there is no name and no password', () => {
    expect(basicLogin(new URL('ws://host/v1/realtime'))).toBeUndefined();
  });
});
