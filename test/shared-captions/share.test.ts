/** The client's publisher and reader against the server, over HTTP, with lines that break. */

import type { Clock } from '@kikitori/client';
import {
  CaptionPublisher,
  type CaptionStatus,
  type CaptionView,
  EMPTY_VIEW,
  followCaptions,
  type SharingStatus,
  type SpokenState,
} from '@kikitori/client/shared-captions';
import { createScriptedEngine } from '@kikitori/engine';
import { type RunningServer, type StartServerOptions, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

const URL_OF_TEST = 'http://captions.test';
const engine = createScriptedEngine({ script: [], streamsMax: 1, model: 'scripted' });
afterAll(() => engine.close());

const start = (options: Partial<StartServerOptions> = {}): Promise<RunningServer> =>
  startServer({ engine, attach: attachWebSockets, port: 0, ...options });

/** Short waits pass at the next turn of the event loop, long ones (signs of life) never. */
const eagerClock: Clock = {
  nowMs: () => performance.now(),
  unixMs: () => Date.now(),
  after: (ms, run) => {
    if (ms > 8_000) return () => undefined;
    const turn = setImmediate(run);
    return () => clearImmediate(turn);
  },
};

/** The way to a server that may change, and breaks when it is told to. */
class Way {
  server: RunningServer | undefined;
  /** How the next requests end: `lost` never arrives, `unheard` arrives and its answer does not. */
  readonly faults: ('lost' | 'unheard')[] = [];
  readonly #lines = new Set<AbortController>();

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { server } = this;
    const { pathname } = new URL(String(input));
    const fault = pathname === '/v1/captions' ? undefined : this.faults.shift();
    if (server === undefined || fault === 'lost') throw new TypeError('lost');
    const line = new AbortController();
    this.#lines.add(line);
    const signals = [line.signal, ...(init?.signal ? [init.signal] : [])];
    const answer = await fetch(`${server.url}${pathname}`, { ...init, signal: AbortSignal.any(signals) });
    if (fault !== 'unheard') return answer;
    await answer.arrayBuffer();
    throw new TypeError('unheard');
  };

  /** Cuts every line that is open. */
  cut(): void {
    for (const line of this.#lines) line.abort();
    this.#lines.clear();
  }
}

class Reader {
  view: CaptionView = EMPTY_VIEW;
  status: CaptionStatus = 'connecting';
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;

  constructor(way: Way, secret: string) {
    this.#ended = followCaptions({
      url: URL_OF_TEST,
      secret,
      fetch: way.fetch,
      clock: eagerClock,
      signal: this.#over.signal,
      onChange: (view, status) => {
        this.view = view;
        this.status = status;
      },
    });
  }

  get texts(): string[] {
    return this.view.utterances.map(({ text }) => text);
  }

  async leave(): Promise<void> {
    this.#over.abort();
    await this.#ended;
  }
}

function publisherOn(way: Way, options: { session?: string; publisherSecret?: string } = {}) {
  const told: SharingStatus[] = [];
  let secret = '';
  let own = '';
  const publisher = new CaptionPublisher({
    url: URL_OF_TEST,
    session: 's1',
    fetch: way.fetch,
    clock: eagerClock,
    ...options,
    onStatus: (status, share) => {
      told.push(status);
      secret = share?.readerSecret ?? secret;
      own = share?.publisherSecret ?? own;
    },
  });
  publisher.start();
  return {
    publisher,
    told,
    get secret() {
      return secret;
    },
    get own() {
      return own;
    },
  };
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const spoken = (texts: readonly string[], stable = '', unstable = ''): SpokenState => ({
  utterances: texts.map((text, at) => ({ text, startMs: at * 1000, endMs: at * 1000 + 900 })),
  stable,
  unstable,
});

describe('a shared session', () => {
  it('is read by two, by one who comes late as well, and by nobody once it has ended', async () => {
    const way = new Way();
    way.server = await start();
    const sharing = publisherOn(way);
    await eventually(() => sharing.secret !== '');
    const early = new Reader(way, sharing.secret);
    sharing.publisher.update(spoken(['One.', 'Two.'], 'and', 'three'));
    await eventually(() => early.view.live.unstable === 'three');
    const late = new Reader(way, sharing.secret);
    await eventually(() => late.status === 'following');
    expect(late.view).toEqual(early.view);
    expect(late.texts).toEqual(['One.', 'Two.']);
    await sharing.publisher.end();
    await eventually(() => early.status === 'waiting' && late.status === 'waiting');
    expect(early.texts).toEqual(['One.', 'Two.']);
    await Promise.all([early.leave(), late.leave()]);
    await way.server.close();
  });

  it('survives a restart of the server: the same link, all of the text', async () => {
    const way = new Way();
    const first = await start();
    way.server = first;
    const sharing = publisherOn(way);
    await eventually(() => sharing.secret !== '');
    const reader = new Reader(way, sharing.secret);
    sharing.publisher.update(spoken(['Before.']));
    await eventually(() => reader.texts.length === 1);
    way.server = undefined;
    await first.close();
    await eventually(() => reader.status === 'away');
    expect(reader.texts).toEqual(['Before.']);
    sharing.publisher.update(spoken(['Before.', 'Meanwhile.'], 'now'));
    await eventually(() => sharing.told.at(-1) === 'away');
    way.server = await start();
    await eventually(() => reader.view.live.stable === 'now');
    expect(reader.texts).toEqual(['Before.', 'Meanwhile.']);
    await Promise.all([sharing.publisher.close(), reader.leave()]);
    await way.server.close();
  });

  it('goes over to whoever opens it last; the other one is told and stops', async () => {
    const way = new Way();
    way.server = await start();
    const one = publisherOn(way);
    await eventually(() => one.secret !== '');
    one.publisher.update(spoken(['Mine.']));
    const reader = new Reader(way, one.secret);
    await eventually(() => reader.texts.length === 1);
    const other = publisherOn(way, { session: 's2', publisherSecret: one.own });
    other.publisher.update(spoken(['Theirs.']));
    await eventually(() => reader.texts[0] === 'Theirs.');
    one.publisher.update(spoken(['Mine.', 'Again.']));
    await eventually(() => one.told.at(-1) === 'taken');
    expect([other.secret, reader.texts]).toEqual([one.secret, ['Theirs.']]);
    await Promise.all([one.publisher.close(), other.publisher.close(), reader.leave()]);
    await way.server.close();
  });

  it('is refused without a key where one is needed, and not tried again', async () => {
    const way = new Way();
    way.server = await start({ apiKey: 'secret' });
    const sharing = publisherOn(way);
    await eventually(() => sharing.told.at(-1) === 'refused');
    await sharing.publisher.close();
    await way.server.close();
  });

  it('takes any text: a thousand utterances, long ones, and what a server would refuse', async () => {
    const way = new Way();
    way.server = await start({ captionsLimits: { updatesPerSMax: 1e6 } });
    const sharing = publisherOn(way);
    const texts = Array.from({ length: 1_200 }, (_, at) => `utterance ${at} \n\u2028 ${'文'.repeat(40)}`);
    sharing.publisher.update(spoken([...texts, `${'word '.repeat(1_000)}end`, 'a\u0000b\ud800c\u202ed']));
    await eventually(() => sharing.secret !== '');
    const reader = new Reader(way, sharing.secret);
    await eventually(() => reader.texts.at(-1) === 'a b c d');
    expect(reader.texts.at(-2)).toMatch(/^word (word )+end$/);
    expect(reader.view.utterances.at(-1)?.number).toBe(1_201);
    expect(reader.texts.length).toBeGreaterThan(900);
    await Promise.all([sharing.publisher.close(), reader.leave()]);
    await way.server.close();
  });

  it('gives every reader the text of the speaker, whatever breaks', { timeout: 120_000 }, async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('utter' as const) },
      { weight: 3, arbitrary: fc.constant('speak' as const) },
      ...(['join', 'lost', 'unheard', 'cut', 'restart', 'wait'] as const).map((what) => fc.constant(what)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const way = new Way();
        const servers = [await start({ captionsLimits: { updatesPerSMax: 1e6 } })];
        way.server = servers[0];
        const sharing = publisherOn(way);
        await eventually(() => sharing.secret !== '');
        const readers = [new Reader(way, sharing.secret)];
        const texts: string[] = [];
        for (const what of steps) {
          if (what === 'utter') {
            texts.push(`Utterance ${texts.length}.`);
            sharing.publisher.update(spoken(texts));
          } else if (what === 'speak') sharing.publisher.update(spoken(texts, `${texts.length} and`));
          else if (what === 'join') readers.push(new Reader(way, sharing.secret));
          else if (what === 'lost' || what === 'unheard') way.faults.push(what);
          else if (what === 'cut') way.cut();
          else if (what === 'wait') await new Promise((resolve) => setImmediate(resolve));
          else if (what === 'restart') {
            await way.server?.close();
            way.server = await start({ captionsLimits: { updatesPerSMax: 1e6 } });
            servers.push(way.server);
          }
        }
        sharing.publisher.update(spoken([...texts, 'The end.']));
        for (const reader of readers) {
          await eventually(() => reader.texts.at(-1) === 'The end.' && reader.status === 'following');
          expect(reader.texts).toEqual([...texts, 'The end.']);
        }
        await sharing.publisher.end();
        await Promise.all(readers.map((reader) => reader.leave()));
        await Promise.all(servers.map((server) => server.close()));
      }),
      { numRuns: 25 },
    );
  });
});
