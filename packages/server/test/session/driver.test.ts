/** Sessions over the memory pair with a clock that the test moves. */

import { ManualClock } from '@kikitori/core/manual-clock';
import { createScriptedEngine, type ScriptedEngine, type SpeechEngine } from '@kikitori/engine';
import { type Connection, createMemoryPair, TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { SESSION_LIMITS, type SessionLimits } from '../../src/limits.js';
import { type Session, serveConnection } from '../../src/session/serve-connection.js';
import { append, commit, type Event, final, RealtimeClient, update } from '../realtime-client.js';
import { eventually, SCRIPT } from '../test-server.js';

interface Scene {
  readonly client: RealtimeClient;
  readonly clock: ManualClock;
  readonly engine: ScriptedEngine;
  readonly session: Session;
}

async function scene(
  options: {
    readonly limits?: Partial<SessionLimits>;
    readonly wrap?: (far: Connection) => Connection;
    readonly engineOf?: (engine: SpeechEngine) => SpeechEngine;
    readonly near?: { readonly receiveHighWaterBytes?: number };
  } = {},
): Promise<Scene> {
  const { limits = {}, wrap = (far) => far, engineOf = (own) => own, near: tuning = {} } = options;
  const engine = createScriptedEngine(SCRIPT);
  const clock = new ManualClock();
  const { near, far } = createMemoryPair({ near: tuning });
  const session = serveConnection(wrap(far), { engine: engineOf(engine), clock, limits });
  const client = new RealtimeClient(near);
  await client.next();
  return { client, clock, engine, session };
}

/** An engine that is done with one write before it takes the next, as one that recognises in other threads is. */
function oneByOne(engine: SpeechEngine): SpeechEngine {
  return {
    info: engine.info,
    close: () => engine.close(),
    open: async (options) => {
      const stream = await engine.open(options);
      return {
        hypotheses: stream.hypotheses,
        flush: (marker) => stream.flush(marker),
        close: () => stream.close(),
        write: async (samples) => {
          await stream.write(samples);
          await new Promise((resolve) => setImmediate(resolve));
        },
      };
    },
  };
}

/** Everything that can happen without time going by has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a session', () => {
  it('tells its progress at most four times a second, and the last word of it', async () => {
    const { client, clock, session } = await scene();
    await client.send(update('scripted', { words: true }), commit);
    const speaking = (async () => {
      for (let n = 0; n < 100; n += 1) {
        await client.send(append(20));
        await settle();
        clock.advance(20);
      }
      clock.advance(250);
      await client.send(final);
    })();
    const events = await client.until('transcription.done');
    await speaking;
    const progress = events.filter((event) => event.type === 'kikitori.progress');
    expect(progress.length).toBeLessThanOrEqual(2000 / 250 + 2);
    expect(progress.length).toBeGreaterThanOrEqual(8);
    expect(progress.at(-1)?.received_ms).toBe(2000);
    await client.connection.close();
    await session.ended;
    expect(clock.pending).toBe(0);
  });

  it('is idle only when nothing comes: every message counts', async () => {
    const { client, clock, session } = await scene({ limits: { idleTimeoutMs: 1000 } });
    for (let n = 0; n < 5; n += 1) {
      clock.advance(900);
      await client.send(update('scripted'));
      await settle();
    }
    clock.advance(1000);
    expect(await client.rest()).toMatchObject([{ type: 'error', code: 'idle_timeout' }]);
    expect((await session.ended).closeCode).toBe(1000);
    expect(clock.pending).toBe(0);
  });

  it('that never says anything ends soon: it holds a place', async () => {
    const { client, clock, session } = await scene();
    clock.advance(SESSION_LIMITS.firstMessageMs);
    expect(await client.rest()).toMatchObject([{ type: 'error', code: 'idle_timeout' }]);
    expect((await session.ended).closeCode).toBe(1000);
  });

  it('that has said something may be silent for as long as any', async () => {
    const { client, clock } = await scene();
    await client.send(update('scripted'));
    await settle();
    clock.advance(SESSION_LIMITS.idleTimeoutMs - 1);
    await client.send(commit, append(2000), final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' First words spoken.');
    await client.connection.close();
  });

  it('never ends for silence when the limit is 0', async () => {
    const { client, clock } = await scene({ limits: { idleTimeoutMs: 0, firstMessageMs: 0 } });
    clock.advance(10 ** 9);
    await client.send(update('scripted'), commit, append(2000), final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' First words spoken.');
    await client.connection.close();
  });

  it('makes a client wait that is faster than the engine: only so much audio is held here', async () => {
    const { client, engine, session } = await scene({ limits: { queuedAudioMsMax: 20_000 } });
    await client.send(update('scripted'), commit, append(450));
    await client.next();
    engine.stall();
    let sentS = 0;
    const sending = (async () => {
      for (; sentS < 400; sentS += 1) await client.send(append(1000));
    })();
    // 30 s in the engine, 20 s before it, 24 s read ahead, at most 24 s in the transport, and one in each hand.
    await eventually(() => sentS > 50);
    for (let beforeS = 0; beforeS < sentS; await settle()) beforeS = sentS;
    expect(sentS).toBeLessThan(110);
    engine.release();
    const heard = client.until('transcription.done');
    await sending;
    await client.send(final);
    await heard;
    expect(engine.calls.samples).toBe(400.45 * 16_000);
    await client.connection.close();
    await session.ended;
  });

  it('takes a whole file while the engine still works on its beginning, and says it in few deltas', async () => {
    const { client, clock, engine, session } = await scene({ engineOf: oneByOne });
    engine.stall();
    // All of it is sent, and the end, before anything is recognised or read.
    const audio = new Array<Event>(1200).fill(append(1000));
    await client.send(update('scripted'), commit, ...audio, final);
    await eventually(() => session.backlogMs === 1_200_000);
    await settle();
    engine.release();
    const events = await client.until('transcription.done');
    const text = ' First words spoken.'.repeat(600);
    expect(events.at(-1)?.text).toBe(text);
    const deltas = events.filter(({ type }) => type === 'transcription.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe(text);
    // A thousand characters each, while no time goes by: not one for each of 1,800 words.
    expect(deltas.length).toBeLessThan(100);
    expect(engine.calls.samples).toBe(1200 * 16_000);
    await client.connection.close();
    await session.ended;
    expect(clock.pending).toBe(0);
  });

  it('takes all of the audio before the commit, and says it whole', async () => {
    const { client, session } = await scene();
    await client.send(update('scripted'), ...new Array<Event>(1200).fill(append(1000)), commit, final);
    const events = await client.until('transcription.done');
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
    expect(events.at(-1)?.text).toBe(' First words spoken.'.repeat(600));
    await client.connection.close();
    await session.ended;
  });

  it('makes a client wait that sends utterance after utterance while one is answered: none is refused', async () => {
    const { client, engine, session } = await scene({ limits: { queuedUtterancesMax: 2 } });
    engine.stall();
    const utterance: readonly Event[] = [commit, append(2000), final];
    const sending = client.send(update('scripted'), ...new Array(20).fill(utterance).flat());
    await settle();
    engine.release();
    for (let n = 0; n < 20; n += 1) {
      const events = await client.until('transcription.done');
      expect(events.filter(({ type }) => type === 'error')).toEqual([]);
    }
    await sending;
    await client.connection.close();
    await session.ended;
  });

  it('asks the engine for no more words than a client reads, although it has the audio', async () => {
    let asked = 0;
    const counting = (own: SpeechEngine): SpeechEngine => ({
      info: own.info,
      close: () => own.close(),
      open: async (options) => {
        const stream = await own.open(options);
        const hypotheses = (async function* () {
          for await (const hypothesis of stream.hypotheses) {
            asked += 1;
            yield hypothesis;
          }
        })();
        return {
          hypotheses,
          write: (samples) => stream.write(samples),
          flush: (marker) => stream.flush(marker),
          close: () => stream.close(),
        };
      },
    });
    const { client, engine, session } = await scene({
      limits: { outputCharsMax: 500, aheadDeltaCharsMax: 100 },
      near: { receiveHighWaterBytes: 200 },
      engineOf: counting,
    });
    engine.stall();
    await client.send(update('scripted'), commit, ...new Array<Event>(600).fill(append(1000)), final);
    await eventually(() => session.backlogMs === 600_000);
    engine.release();
    await settle();
    await settle();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(300);
    const events = await client.until('transcription.done');
    expect(events.at(-1)?.text).toBe(' First words spoken.'.repeat(300));
    await client.connection.close();
    await session.ended;
  });

  it('holds a bounded amount for a client that does not read, then closes it with 1008', async () => {
    const { client, clock, engine, session } = await scene({
      limits: { outputCharsMax: 500, outputStallMs: 1000, closeFlushMs: 10 },
      near: { receiveHighWaterBytes: 200 },
    });
    const sending = client.send(update('scripted'), commit, ...new Array<Event>(600).fill(append(1000)));
    sending.catch(() => {});
    await settle();
    // Far behind the bound the engine is not asked on: not all of the ten minutes were taken.
    const taken = engine.calls.samples;
    await settle();
    expect(engine.calls.samples).toBe(taken);
    expect(taken).toBeLessThan(600 * 16_000);
    clock.advance(1000);
    await settle();
    clock.advance(10);
    expect((await session.ended).closeCode).toBe(1008);
    await client.rest();
    expect(client.closeCode).toBe(1008);
    expect(engine.calls.streamsOpen).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('goes on when a slow client reads at last', async () => {
    const { client, clock } = await scene({
      limits: { outputCharsMax: 500, outputStallMs: 1000 },
      near: { receiveHighWaterBytes: 200 },
    });
    const sending = client.send(
      update('scripted'),
      commit,
      ...new Array<Event>(60).fill(append(1000)),
      final,
    );
    await settle();
    clock.advance(900);
    const events = await client.until('transcription.done');
    await sending;
    expect(events.at(-1)?.text).toBe(' First words spoken.'.repeat(30));
    clock.advance(900);
    await client.send(commit, final);
    expect(await client.next()).toMatchObject({ type: 'transcription.done' });
    await client.connection.close();
  });

  it('whose connection fails at its Nth message, whichever that is, leaves nothing behind', async () => {
    for (let nth = 1; nth <= 6; nth += 1) {
      let sent = 0;
      const failing = (far: Connection): Connection => ({
        id: far.id,
        messages: far.messages,
        close: (code, reason) => far.close(code, reason),
        destroy: (reason) => far.destroy(reason),
        send: async (message) => {
          sent += 1;
          if (sent === nth) throw new TransportError('connection_lost', 'Lost on purpose.');
          await far.send(message);
        },
      });
      const engine = createScriptedEngine(SCRIPT);
      const clock = new ManualClock();
      const { near, far } = createMemoryPair();
      const session = serveConnection(failing(far), { engine, clock });
      const client = new RealtimeClient(near);
      await client.send(update('scripted'), commit, append(2000), final).catch(() => {});
      await Promise.race([client.until('transcription.done'), session.ended]);
      near.destroy();
      await session.ended;
      expect(engine.calls.streamsOpen, `message ${nth}`).toBe(0);
      expect(clock.pending).toBe(0);
    }
  });

  it('that breaks inside is ended with 1011 and told to the log, and the process lives on', async () => {
    const engine = createScriptedEngine(SCRIPT);
    const { near, far } = createMemoryPair();
    const errors: string[] = [];
    const nothing = (): void => {};
    const clock = new ManualClock();
    // The second look at the clock fails: inside of a step.
    let looks = 0;
    const session = serveConnection(far, {
      engine,
      clock: {
        nowMs: () => {
          looks += 1;
          if (looks === 3) throw new Error('broken');
          return 0;
        },
        unixMs: () => 0,
        after: (delayMs, run) => clock.after(delayMs, run),
      },
      logger: { debug: nothing, info: nothing, warn: nothing, error: (message) => void errors.push(message) },
    });
    const client = new RealtimeClient(near);
    await client.send(update('scripted'));
    await client.rest();
    expect(client.closeCode).toBe(1011);
    expect((await session.ended).closeCode).toBe(1011);
    expect(errors).toEqual(['A session failed and was ended.']);
    expect(clock.pending).toBe(0);
  });
});

describe('measurements', () => {
  it('lag is from the arrival of the end of a word to its delta', async () => {
    const { client, clock, engine, session } = await scene();
    await client.send(update('scripted'), commit, append(350));
    await settle();
    engine.stall();
    clock.advance(50);
    await client.send(append(50));
    await settle();
    expect(session.backlogMs).toBe(400);
    clock.advance(700);
    engine.release();
    expect(await client.next()).toEqual({ type: 'transcription.delta', delta: ' First' });
    expect(session.backlogMs).toBe(0);
    await client.connection.close();
    const { lagP95Ms = 0 } = await session.ended;
    // Buckets of 10 %.
    expect(lagP95Ms).toBeGreaterThanOrEqual(700);
    expect(lagP95Ms).toBeLessThanOrEqual(770);
  });
});
