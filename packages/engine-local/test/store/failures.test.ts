import { describe, expect, it } from 'vitest';
import { toStoreError } from '../../src/store/failures.js';

const CONTEXT = {
  subject: 'the npm package a@1.0.0',
  root: '/store',
  credential: 'your npm configuration',
  address: 'the registry in your npm configuration',
};

describe('what is said when nothing could be fetched', () => {
  it('a proxy on the way is told as such: npm’s by its status, ours in its own words', () => {
    const ofNpm = Object.assign(new Error('407 Proxy Authentication Required'), { code: 'E407' });
    expect(toStoreError(ofNpm, CONTEXT).message).toMatch(
      /^The proxy on the way .* \(HTTP 407\)\. Write a name/,
    );
    const ours = Object.assign(new Error('The proxy in HTTPS_PROXY was not reached; check it.'), {
      name: 'ProxyError',
    });
    const error = toStoreError(new TypeError('fetch failed', { cause: ours }), CONTEXT);
    expect(error).toMatchObject({ code: 'model_unavailable', message: ours.message });
  });
});
