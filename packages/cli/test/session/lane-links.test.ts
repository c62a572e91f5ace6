import { describe, expect, it } from 'vitest';
import { joinLinks } from '../../src/session/lane-links.js';
import { FakeLink } from './fake-link.js';

describe('links of several lanes', () => {
  it('take interleaved samples, each its own, and end together', async () => {
    const links = [new FakeLink(), new FakeLink()];
    const joined = joinLinks(links);
    await joined.send(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(links.map(({ sentSamples }) => sentSamples)).toEqual([3, 3]);
    await joined.finish({ signal: new AbortController().signal });
    await joined.close();
    expect(links.map(({ finishes, closes }) => [finishes, closes])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('say of each event whose it is, in the order in which they come', async () => {
    const [first, second] = [new FakeLink(), new FakeLink()];
    const joined = joinLinks([first, second]);
    const heard = joined.heard[Symbol.asyncIterator]();
    const next = heard.next();
    second.say({ type: 'delta', text: 'b' });
    expect((await next).value).toEqual({ type: 'delta', text: 'b', lane: 1 });
    first.say({ type: 'delta', text: 'a' });
    expect((await heard.next()).value).toEqual({ type: 'delta', text: 'a', lane: 0 });
    await joined.close();
    expect(await heard.next()).toEqual({ done: true, value: undefined });
  });

  it('fail as the first of them does', async () => {
    const [first, second] = [new FakeLink(), new FakeLink()];
    const joined = joinLinks([first, second]);
    second.fail(new Error('lost'));
    await expect(joined.heard[Symbol.asyncIterator]().next()).rejects.toThrow('lost');
    await joined.close();
  });

  it('are the link itself where there is one', () => {
    const link = new FakeLink();
    expect(joinLinks([link])).toBe(link);
  });
});
