import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WEB_LIMITS } from '../../src/live/limits.js';
import { awaitListener, type Listener, type LoadingModel } from '../../src/live/listener.js';

const told = {
  models: ['tiny'],
  languages: ['en', 7],
  needs_key: true,
  answered_by: 'relay',
  relay: 'elsewhere',
};
const listener: Listener = {
  models: ['tiny'],
  languages: ['en'],
  needsKey: true,
  relay: 'elsewhere',
};

let page: EventTarget & { visibilityState: string };

beforeEach(() => {
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
});
afterEach(() => vi.unstubAllGlobals());

/** Asks until it is over; answers what was told, and how long was waited between. */
async function ask(
  fetch: typeof globalThis.fetch,
  signal = new AbortController().signal,
): Promise<{ readonly answers: (Listener | LoadingModel | undefined)[]; readonly waits: number[] }> {
  const answers: (Listener | LoadingModel | undefined)[] = [];
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  await awaitListener({ onAnswer: (answer) => void answers.push(answer), signal, fetch, sleep });
  return { answers, waits };
}

describe('who listens', () => {
  it('is asked once where somebody says so', async () => {
    expect(await ask(async () => Response.json(told))).toEqual({ answers: [listener], waits: [] });
  });

  it('is asked again, a little later each time, until somebody says so', async () => {
    let tries = 0;
    const fetch = async (): Promise<Response> => {
      tries += 1;
      if (tries === 1) throw new TypeError('no network');
      if (tries === 2) return new Response('', { status: 503 });
      if (tries === 3) return Response.json({ models: 'none' });
      if (tries === 4) return new Response('not json');
      return tries < 8 ? new Response('', { status: 502 }) : Response.json(told);
    };
    const { answers, waits } = await ask(fetch);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(answers).toEqual([...waits.map(() => undefined), listener]);
  });

  it('is asked at one pace while a model is loaded, and is told how far it is', async () => {
    const loading = [
      { received_bytes: 1, total_bytes: 4 },
      { received_bytes: 4, total_bytes: 0 },
      {},
      { total_bytes: 'x' },
    ];
    let tries = 0;
    const { answers, waits } = await ask(async () => {
      const state = loading[tries];
      tries += 1;
      return state === undefined ? Response.json(told) : Response.json({ loading: state }, { status: 503 });
    });
    const every = WEB_LIMITS.loadingEveryMs;
    expect(waits).toEqual([every, every, every, every]);
    const loaded = { fetchedShare: undefined, isAway: false };
    expect(answers).toEqual([{ fetchedShare: 0.25, isAway: false }, loaded, loaded, loaded, listener]);
    const { answers: always } = await ask(async () => Response.json({ loading: {} }, { status: 503 }));
    expect(always).toHaveLength(WEB_LIMITS.loadingTriesMax);
  });

  it('is asked again while the server behind ours is away, loading or lost', async () => {
    const missing = 'It is away.';
    const answersOf = [
      Response.json({ loading: {}, missing }, { status: 503 }),
      Response.json({ ...told, missing }),
      Response.json({ ...told, missing: null }),
    ];
    const { answers } = await ask(async () => answersOf.shift() ?? Response.error());
    const away = { fetchedShare: undefined, isAway: true };
    expect(answers).toEqual([away, away, listener]);
  });

  it('is not asked for ever', async () => {
    const { answers } = await ask(async () => new Response('', { status: 503 }));
    expect(answers).toHaveLength(WEB_LIMITS.listenerTriesMax);
  });

  it('is not asked while nobody looks', async () => {
    let tries = 0;
    const fetch = async (): Promise<Response> => {
      tries += 1;
      if (tries > 1) return Response.json(told);
      page.visibilityState = 'hidden';
      return new Response('', { status: 503 });
    };
    const asking = ask(fetch);
    await expect.poll(() => tries).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tries).toBe(1);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect((await asking).answers).toEqual([undefined, listener]);
  });

  it('is told nothing after the end, whether somebody was asked or waited for', async () => {
    const asked = new AbortController();
    const hanging: typeof globalThis.fetch = (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('end'))),
      );
    const first = ask(hanging, asked.signal);
    asked.abort();
    expect((await first).answers).toEqual([]);
    const waiting = new AbortController();
    const answers: unknown[] = [];
    const second = awaitListener({
      onAnswer: (answer) => answers.push(answer),
      signal: waiting.signal,
      fetch: async () => new Response('', { status: 503 }),
    });
    await expect.poll(() => answers).toEqual([undefined]);
    waiting.abort();
    await second;
    expect(answers).toEqual([undefined]);
  });
});
