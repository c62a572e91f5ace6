import type { Clock } from '@kikitori/core';
import { describe, expect, it } from 'vitest';
import { CLIENT_LIMITS } from '../../src/limits.js';
import { applyCaptionEvent, EMPTY_VIEW } from '../../src/shared-captions/caption-view.js';
import { type CaptionStatus, followCaptions } from '../../src/shared-captions/follow-captions.js';
import { nextPublication } from '../../src/shared-captions/publication.js';

const SNAPSHOT =
  'event: snapshot\ndata: {"session":"s","language":null,"utterances":[],"live":{"stable":"a","unstable":""}}\n\n';

/** Notes how long is slept. Signs of life never fail to come, unless `isSilent`. */
class NotingClock implements Clock {
  readonly sleptMs: number[] = [];
  isSilent = false;

  nowMs(): number {
    return 0;
  }

  unixMs(): number {
    return 0;
  }

  after(ms: number, run: () => void): () => void {
    const isSilence = ms === CLIENT_LIMITS.captionsSilenceMs;
    if (!isSilence) this.sleptMs.push(ms);
    if (isSilence && !this.isSilent) return () => undefined;
    const turn = setImmediate(run);
    return () => clearImmediate(turn);
  }
}

/** Follows until so many answers were asked for. */
async function follow(answers: readonly (() => Promise<Response>)[], clock = new NotingClock()) {
  const over = new AbortController();
  const told: CaptionStatus[] = [];
  const asked: RequestInit[] = [];
  await followCaptions({
    url: 'https://captions.example',
    secret: 'secret',
    signal: over.signal,
    clock,
    random: () => 1,
    onChange: (_view, status) => told.push(status),
    fetch: async (_url, init) => {
      const answer = answers[asked.length];
      asked.push(init ?? {});
      if (answer !== undefined) return await answer();
      over.abort();
      throw new Error('over');
    },
  });
  return { told, asked, sleptMs: clock.sleptMs };
}

describe('a reader', () => {
  it('waits longer after each failure, never longer than its bound, and less again once it was heard', async () => {
    const lost = () => Promise.reject(new TypeError('lost'));
    const busy = async () => new Response('', { status: 503 });
    const heard = async () => new Response(SNAPSHOT);
    const { sleptMs, told } = await follow([lost, busy, lost, lost, lost, lost, heard, lost]);
    expect(sleptMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 250, 500]);
    expect([told[0], told.at(-1)]).toEqual(['connecting', 'away']);
    expect(told).toContain('following');
  });

  it('asks again at one pace while nobody shares', async () => {
    const nobody = async () => new Response('', { status: 404 });
    const { sleptMs, told } = await follow([nobody, nobody, nobody]);
    expect(sleptMs).toEqual([3_000, 3_000, 3_000]);
    expect(told).toEqual(['connecting', 'waiting', 'waiting', 'waiting']);
  });

  it('sends its secret in a header, and no cookies', async () => {
    const { asked } = await follow([]);
    expect(asked[0]).toMatchObject({ headers: { authorization: 'Bearer secret' }, credentials: 'omit' });
  });

  it('takes a line on which nothing comes for dead', async () => {
    const clock = new NotingClock();
    clock.isSilent = true;
    const never = () => new Promise<Response>(() => undefined);
    const stuck = async () =>
      new Response(new ReadableStream({ start: (feed) => feed.enqueue(new TextEncoder().encode(SNAPSHOT)) }));
    const { told } = await follow([never, stuck], clock);
    expect(told.filter((status) => status === 'away').length).toBeGreaterThanOrEqual(2);
  });
});

describe('what a reader keeps', () => {
  const caption = (number: number, text = '') => ({ number, text, startMs: 0, endMs: 0 });
  const update = (...utterances: readonly ReturnType<typeof caption>[]) =>
    ({ type: 'update', utterances, live: undefined }) as const;

  it('is in order, each number once, the newest up to the bound', () => {
    let view = applyCaptionEvent(EMPTY_VIEW, update(caption(5), caption(6)));
    view = applyCaptionEvent(view, update(caption(6, 'again'), caption(7), caption(4)));
    expect(view.utterances.map(({ number, text }) => `${number}${text}`)).toEqual(['5', '6again', '7']);
    for (let number = 8; number < 3_000; number += 1) view = applyCaptionEvent(view, update(caption(number)));
    expect([view.utterances.length, view.utterances.at(-1)?.number]).toEqual([2_000, 2_999]);
  });

  it('has no holes behind a gap, however wide', () => {
    const view = applyCaptionEvent(EMPTY_VIEW, update(caption(1)));
    const far = applyCaptionEvent(view, update(caption(Number.MAX_SAFE_INTEGER)));
    expect(far.utterances).toEqual([caption(Number.MAX_SAFE_INTEGER)]);
  });
});

describe('what is published', () => {
  const many = Array.from({ length: 3_000 }, (_, at) => ({
    text: `utterance ${at}`,
    startMs: at,
    endMs: at,
  }));

  it('is the newest of a long session to a server that has nothing, in pieces, then what is said now', () => {
    const state = { utterances: many, stable: 'now', unstable: '' };
    const first = nextPublication(state, null);
    expect(first.utterances[0]?.number).toBe(2_000);
    expect([first.utterances.length, first.live]).toEqual([
      CLIENT_LIMITS.captionsUpdateUtterancesMax,
      undefined,
    ]);
    const last = nextPublication(state, 2_999);
    expect(last).toMatchObject({ utterances: [{ number: 2_999 }], live: { stable: 'now', unstable: '' } });
  });

  it('is never cut inside a character', () => {
    const stable = '🎉'.repeat(1_500);
    const { live } = nextPublication({ utterances: [], stable, unstable: `a${stable}` }, 0);
    for (const text of [live?.stable ?? '', live?.unstable ?? '']) {
      expect(text).toMatch(/^(?:🎉)+$/u);
      expect(text.length).toBeLessThanOrEqual(CLIENT_LIMITS.captionsTextCharsMax);
    }
  });
});
