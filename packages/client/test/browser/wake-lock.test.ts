import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepAwake } from '../../src/browser/wake-lock.js';

let page: EventTarget & { visibilityState: string };
let locks: { isReleased: boolean }[];

beforeEach(() => {
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  locks = [];
  vi.stubGlobal('document', page);
  const request = async (): Promise<object> => {
    const lock = { isReleased: false, release: async () => void Object.assign(lock, { isReleased: true }) };
    locks.push(lock);
    return lock;
  };
  vi.stubGlobal('navigator', { wakeLock: { request } });
});
afterEach(() => vi.unstubAllGlobals());

it('is taken, taken again when the page is seen again, and let go', async () => {
  const release = keepAwake();
  await expect.poll(() => locks).toHaveLength(1);
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  await expect.poll(() => locks).toHaveLength(2);
  release();
  page.dispatchEvent(new Event('visibilitychange'));
  await expect.poll(() => locks.at(-1)?.isReleased).toBe(true);
  expect(locks).toHaveLength(2);
});

it('is let go when it comes after it was given up', async () => {
  keepAwake()();
  await expect.poll(() => locks.map(({ isReleased }) => isReleased)).toEqual([true]);
});

it('does nothing where there is none, or where it is refused', () => {
  vi.stubGlobal('navigator', { wakeLock: { request: () => Promise.reject(new Error('battery')) } });
  keepAwake()();
  vi.stubGlobal('navigator', {});
  keepAwake()();
});
