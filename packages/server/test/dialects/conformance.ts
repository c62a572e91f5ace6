import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { createMemoryPair, type Message } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import type { Dialect, DialectRequest } from '../../src/dialects/dialect.js';
import { type Session, startSession } from '../../src/session/serve-connection.js';
import { listenTo } from '../realtime-client.js';
import { SCRIPT } from '../test-server.js';

/** A dialect to be held against the suite, and how its clients speak. */
export interface DialectSubject {
  readonly dialect: Dialect;
  /** One that it claims. */
  readonly request: DialectRequest;
  /** What a client says before anything else. */
  readonly hello: readonly Message[];
  /** Silence of that many milliseconds as a client sends it; whether it is sound is not asked. */
  audio(lengthMs: number): readonly Message[];
  /** The client's turn is over and is to be answered. */
  readonly turnEnd: readonly Message[];
  /** Default: a turn without audio is answered as any other. */
  readonly emptyTurn?: 'answered' | 'refused' | 'unanswered';
  /** What no client of the dialect would send. */
  readonly nonsense: Message;
  /** The words of what the client was told, or the empty string. */
  textOf(message: Message): string;
  isAnswer(message: Message): boolean;
  isError(message: Message): boolean;
  /** The last thing that a client is told whose server goes. Default: what answers a turn. */
  isFarewell?(message: Message): boolean;
}

/** A client, its session, and everything it was told. */
interface Scene {
  readonly engine: ScriptedEngine;
  readonly session: Session;
  readonly told: Message[];
  readonly closed: Promise<number>;
  say(...messages: readonly Message[]): Promise<void>;
  until(condition: () => boolean): Promise<void>;
  end(): Promise<void>;
}

/** Registers the suite that every dialect passes: the same conversations, whatever they sound like. */
export function testDialect(subject: DialectSubject): void {
  const { dialect, request, hello, turnEnd, nonsense } = subject;
  describe(`${dialect.name} is a Dialect`, () => {
    const words = (scene: Scene): string =>
      scene.told
        .map((message) => subject.textOf(message).trim())
        .filter((text) => text !== '')
        .join(' ');
    const answers = (scene: Scene): number => scene.told.filter((each) => subject.isAnswer(each)).length;
    const errors = (scene: Scene): number => scene.told.filter((each) => subject.isError(each)).length;

    it('claims what asks for it, and nothing else', () => {
      expect(dialect.claims(request)).toBe(true);
      expect(dialect.claims({ path: '/nowhere', query: '', headers: {}, protocols: [] })).toBe(false);
    });

    it('finds the key where its clients carry it', () => {
      const headers = { ...request.headers, authorization: 'Bearer sesame' };
      expect(dialect.greet({ ...request, headers }).credential?.text).toBe('sesame');
      expect(dialect.greet(request).credential).toBe(undefined);
    });

    it('says why a handshake is refused', () => {
      for (const status of [401, 403, 429, 503]) {
        const { headers, body } = dialect.refuse({ status, message: 'Not today.' });
        expect(body).toContain('Not today.');
        expect(headers['content-type']).toBeDefined();
      }
    });

    it('says every word once and in order, and answers each turn once', async () => {
      const scene = open();
      await scene.say(...hello);
      for (const turn of [1, 2]) {
        for (let sent = 0; sent < 2000; sent += 100) await scene.say(...subject.audio(100));
        await scene.say(...turnEnd);
        await scene.until(() => answers(scene) === turn);
        expect(words(scene)).toBe(Array(turn).fill('First words spoken.').join(' '));
      }
      expect(errors(scene)).toBe(0);
      await scene.end();
    });

    it('answers a turn in which nothing was said', async () => {
      const scene = open();
      await scene.say(...hello, ...turnEnd);
      if (subject.emptyTurn !== 'unanswered') await scene.until(() => answers(scene) + errors(scene) === 1);
      expect([words(scene), errors(scene)]).toEqual(['', subject.emptyTurn === 'refused' ? 1 : 0]);
      await scene.end();
    });

    it('says what is wrong with a message and goes on', async () => {
      const scene = open();
      await scene.say(...hello, nonsense);
      await scene.until(() => errors(scene) === 1);
      await scene.say(...subject.audio(2000), ...turnEnd);
      await scene.until(() => answers(scene) === 1);
      expect(words(scene)).toBe('First words spoken.');
      await scene.end();
    });

    it('answers what is running before the server goes', async () => {
      const scene = open();
      await scene.say(...hello, ...subject.audio(2000));
      await scene.until(() => words(scene) !== '');
      scene.session.drain(60_000);
      expect(await scene.closed).toBe(1012);
      const isFarewell = subject.isFarewell ?? subject.isAnswer;
      expect([words(scene), scene.told.filter(isFarewell).length]).toEqual(['First words spoken.', 1]);
      await scene.end();
    });

    it('tells who finds every recogniser taken', async () => {
      const scene = open({ streamsMax: 1 });
      await scene.engine.open({ mode: 'live', partials: false });
      await scene.say(...hello, ...subject.audio(500));
      expect(await scene.closed).toBe(1013);
      expect(errors(scene)).toBe(1);
      await scene.end();
    });

    it('keeps two connections apart', async () => {
      const [one, other] = [open(), open()];
      await one.say(...hello, ...subject.audio(2000), ...turnEnd);
      await other.say(...hello, ...turnEnd);
      const answered = subject.emptyTurn === 'unanswered' ? [one] : [one, other];
      await Promise.all(answered.map((scene) => scene.until(() => answers(scene) + errors(scene) === 1)));
      expect([words(one), words(other)]).toEqual(['First words spoken.', '']);
      await Promise.all([one.end(), other.end()]);
    });

    it('never throws on what it cannot read', () => {
      const odd: Message[] = [
        '',
        '{',
        'null',
        '[]',
        '"',
        '\0',
        '{"type":5}',
        new Uint8Array(),
        new Uint8Array(3),
      ];
      for (const message of odd) expect(() => dialect.converse(request).read(message)).not.toThrow();
    });
  });

  function open({ streamsMax = 4 } = {}): Scene {
    const engine = createScriptedEngine({ ...SCRIPT, streamsMax });
    const { near, far } = createMemoryPair();
    const session = startSession(far, { engine, claimed: { dialect, request } });
    const { told, closed, news } = listenTo(near);
    return {
      engine,
      session,
      told,
      closed,
      say: async (...messages) => {
        for (const message of messages) await near.send(message);
      },
      until: async (condition) => {
        while (!condition()) await news();
      },
      end: async () => {
        await near.close();
        await session.ended;
        await engine.close();
      },
    };
  }
}
