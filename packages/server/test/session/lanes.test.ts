/** Sessions that hear more than one voice, each in audio of its own, over a dialect of the tests. */
import { encodeMuLaw } from '@kikitori/audio';
import { silentLogger } from '@kikitori/core';
import { ManualClock } from '@kikitori/core/manual-clock';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { createMemoryPair, type Message } from '@kikitori/transport';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionLimits } from '../../src/limits.js';
import { type Session, startSession } from '../../src/session/serve-connection.js';
import { lines } from '../dialects/lines/lines.js';
import { listenTo } from '../realtime-client.js';
import { eventually, SCRIPT } from '../test-server.js';

interface Scene {
  readonly engine: ScriptedEngine;
  readonly session: Session;
  readonly clock: ManualClock;
  readonly told: Message[];
  readonly closed: Promise<number>;
  /** Silence of that length in a lane; the scripted engine counts samples. */
  hear(lane: number, lengthMs: number): Promise<void>;
  stop(): Promise<void>;
  leave(): Promise<void>;
}

const engines: ScriptedEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

function scene({
  lanes = 'caller,agent',
  streamsMax = 4,
  limits = {},
  takePlaces,
}: {
  readonly lanes?: string;
  readonly streamsMax?: number;
  readonly limits?: Partial<SessionLimits>;
  readonly takePlaces?: (count: number) => (() => void) | undefined;
} = {}): Scene {
  const engine = createScriptedEngine({ ...SCRIPT, streamsMax });
  engines.push(engine);
  const clock = new ManualClock();
  const { near, far } = createMemoryPair();
  const request = { path: '/lines', query: `lanes=${lanes}`, headers: {}, protocols: [] };
  const session = startSession(far, {
    engine,
    clock,
    limits,
    claimed: { dialect: lines, request },
    ...(takePlaces === undefined ? {} : { takePlaces }),
  });
  const { told, closed } = listenTo(near);
  return {
    engine,
    session,
    clock,
    told,
    closed,
    hear: (lane, lengthMs) => near.send(Uint8Array.of(lane, ...encodeMuLaw(new Int16Array(lengthMs * 8)))),
    stop: () => near.send('stop'),
    leave: async () => {
      await near.close();
      await session.ended;
    },
  };
}

const linesOf = ({ told }: Scene): string[] => told.map(String);

/** What one of them said, as far as it was told. */
function saidBy(call: Scene, name: string): string {
  return linesOf(call)
    .filter((line) => line.startsWith(`${name}: `) && line !== `${name}: .`)
    .map((line) => line.slice(name.length + 2))
    .join(' ');
}

describe('a session with two lanes', () => {
  it('hears each voice in its own stream, tells whose words they are, and answers both', async () => {
    const call = scene();
    for (let sent = 0; sent < 2000; sent += 100) {
      await call.hear(0, 100);
      await call.hear(1, 100);
    }
    await call.stop();
    await eventually(() => linesOf(call).filter((line) => line.endsWith(': .')).length === 2);
    expect(saidBy(call, 'caller')).toBe('First words spoken.');
    expect(saidBy(call, 'agent')).toBe('First words spoken.');
    expect(call.engine.calls.opens).toBe(2);
    expect(call.engine.calls.samples).toBeGreaterThan(2 * 1.99 * 16_000);
    await call.leave();
    expect(await call.session.ended).toMatchObject({ words: 6, utterances: 2 });
    expect(call.clock.pending).toBe(0);
  });

  it('does not hear one voice in the audio of the other', async () => {
    const call = scene();
    await call.hear(1, 2000);
    await call.stop();
    await eventually(() => linesOf(call).filter((line) => line.endsWith(': .')).length === 2);
    expect([saidBy(call, 'caller'), saidBy(call, 'agent')]).toEqual(['', 'First words spoken.']);
    await call.leave();
  });

  it('answers both before the server goes', async () => {
    const call = scene();
    await call.hear(0, 2000);
    await call.hear(1, 2000);
    await eventually(() => saidBy(call, 'agent') !== '' && saidBy(call, 'caller') !== '');
    call.session.drain(60_000);
    expect(await call.closed).toBe(1012);
    expect(linesOf(call).filter((line) => line.endsWith(': .'))).toHaveLength(2);
    await call.session.ended;
    expect(call.clock.pending).toBe(0);
  });

  it('is idle only when nothing comes in any of them, and says so once', async () => {
    const call = scene({ limits: { idleTimeoutMs: 1000, firstMessageMs: 0 } });
    for (let n = 0; n < 5; n += 1) {
      await call.hear(n % 2, 20);
      await eventually(() => call.engine.calls.opens > 0);
      call.clock.advance(900);
    }
    call.clock.advance(1000);
    expect(await call.closed).toBe(1000);
    expect(linesOf(call).filter((line) => line.startsWith('!'))).toEqual(['! idle_timeout']);
    await call.session.ended;
  });

  it('says once what is wrong with all of it', async () => {
    const call = scene();
    await call.hear(0, 20);
    await call.hear(1, 20);
    await eventually(() => call.engine.calls.opens === 2);
    await call.engine.close();
    expect(await call.closed).toBe(1012);
    expect(linesOf(call).filter((line) => line.startsWith('!'))).toEqual(['! engine_failed']);
    await call.session.ended;
  });

  it('takes a place for each voice beside the first, and gives it back', async () => {
    const taken: number[] = [];
    const call = scene({
      takePlaces: (count) => {
        taken.push(count);
        return () => taken.push(-count);
      },
    });
    await call.hear(0, 20);
    await eventually(() => taken.length > 0);
    await call.leave();
    expect(taken).toEqual([1, -1]);
  });

  it('is refused where there is no place for all of it, or more voices than a session may have', async () => {
    for (const call of [scene({ takePlaces: () => undefined }), scene({ limits: { lanesMax: 1 } })]) {
      await call.hear(0, 20);
      expect(await call.closed).toBe(1013);
      expect(call.told).toEqual(['! engine_busy']);
      await call.session.ended;
      expect(call.engine.calls.opens).toBe(0);
    }
  });

  it('goes on with the words of the other where one of them found no recogniser, and then ends', async () => {
    const call = scene({ streamsMax: 1 });
    await call.hear(0, 2000);
    await eventually(() => saidBy(call, 'caller') !== '');
    await call.hear(1, 20);
    expect(await call.closed).toBe(1013);
    expect(saidBy(call, 'caller')).toBe('First words spoken.');
    expect(linesOf(call).filter((line) => line === 'caller: .')).toHaveLength(1);
    expect(linesOf(call).filter((line) => line.startsWith('!'))).toEqual(['! engine_busy']);
    await call.session.ended;
  });
});

describe('a dialect with a bug', () => {
  const named = { type: 'lanes', labels: ['one', 'two'] } as const;
  const pcm = new Uint8Array(320);

  it.each([
    ['lanes that come late', [{ type: 'configure', model: '' }, named]],
    ['lanes that come twice', [named, named]],
    ['audio of a lane that is not there', [named, { type: 'append', lane: 2, pcm }]],
  ] as const)('ends its own session and says so in the log: %s', async (_what, inputs) => {
    const engine = createScriptedEngine(SCRIPT);
    engines.push(engine);
    const logged: string[] = [];
    const { near, far } = createMemoryPair();
    const dialect = { ...lines, converse: () => ({ read: () => inputs, write: () => [] }) };
    const request = { path: '/lines', query: '', headers: {}, protocols: [] };
    const logger = { ...silentLogger, error: (message: string) => void logged.push(message) };
    const session = startSession(far, { engine, logger, claimed: { dialect, request } });
    const { closed } = listenTo(near);
    await near.send('anything');
    expect(await closed).toBe(1011);
    expect(logged).toEqual(['A session failed and was ended.']);
    await session.ended;
  });
});
