/** What a stream makes of a session, whatever that says. */
import { ClientError, type SessionEvent } from '@kikitori/client';
import { ManualClock } from '@kikitori/core/manual-clock';
import { Listener, violationsOf } from '@kikitori/engine/conformance';
import { describe, expect, it } from 'vitest';
import { LoudnessEar } from '../src/turns/loudness-ear.js';
import { TurnJudge } from '../src/turns/turn-judge.js';
import { RELAY_ENDPOINT_RULES } from '../src/turns/turn-rules.js';
import { UpstreamStream } from '../src/upstream-stream.js';
import { FakeSession } from './fake-session.js';
import { sound } from './servers.js';

class World {
  readonly session = new FakeSession();
  readonly clock = new ManualClock();
  readonly listener: Listener;
  readonly stream: UpstreamStream;

  constructor({
    words = true,
    partials = false,
    onsets = false,
    rollsOver = false,
    timing = 'counted' as FakeSession['timing'],
  } = {}) {
    this.session.timing = timing;
    this.stream = new UpstreamStream({
      session: this.session,
      judge: words ? new TurnJudge(new LoudnessEar(), RELAY_ENDPOINT_RULES) : undefined,
      manner: { timing: undefined },
      words,
      partials,
      onsets,
      rollsOver,
      clock: this.clock,
      onEnd: () => undefined,
      onLoss: () => undefined,
      onNoTurns: () => undefined,
    });
    this.listener = new Listener(this.stream);
  }

  /** Hears that much, with an answer to all of it. */
  async hear(picture: string, ...events: SessionEvent[]): Promise<void> {
    await this.stream.write(sound(picture));
    const settledMs = this.session.sentSamples / 16;
    this.session.say(...events, { type: 'progress', receivedMs: settledMs, settledMs, lagMs: 0 });
    await turn();
  }

  get settledMs(): number {
    return Math.max(0, ...this.listener.heard.map(({ settledMs }) => settledMs));
  }
}

/** Everything that can happen now has happened. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const delta = (text: string, audioMs: number): SessionEvent => ({ type: 'delta', text, audioMs });
const done: SessionEvent = {
  type: 'done',
  text: '',
  usage: { promptTokens: 39, completionTokens: 7, totalTokens: 46 },
};

describe('what a stream says is settled', () => {
  it('is nothing in the first second, in which speech is not told from silence yet', async () => {
    const world = new World();
    await world.hear('---------');
    expect(world.settledMs).toBe(0);
    await world.hear('--');
    expect(world.settledMs).toBe(1_100);
  });

  it('stays where somebody began to speak until a word of it has come', async () => {
    const world = new World();
    await world.hear('-'.repeat(24));
    expect(world.settledMs).toBe(2_400);
    await world.hear('++++++++');
    const heldMs = world.settledMs;
    expect(heldMs).toBe(2_400);
    await world.hear('++++++++');
    expect(world.settledMs).toBe(heldMs);
    await world.hear('+', delta(' word', 3_900), delta(' next', 4_000));
    expect(world.settledMs).toBeGreaterThan(heldMs + 1_000);
    expect(violationsOf(world.listener.heard)).toEqual([]);
  });

  it('is never held back for longer than a word can be', async () => {
    const world = new World();
    await world.hear('-'.repeat(24));
    await world.hear('+'.repeat(80));
    expect(world.settledMs).toBe(10_400 - 2_000);
  });

  it('is what the server says where that knows it itself', async () => {
    const world = new World({ timing: 'told' });
    await world.hear('-'.repeat(24));
    await world.hear('++++++++');
    expect(world.settledMs).toBe(3_200);
  });
});

describe('a stream', () => {
  it('makes words of pieces, shows them while they grow, and closes them with the rule that ended them', async () => {
    const world = new World({ partials: true });
    await world.hear(
      '------++++-----',
      delta(' Hel', 800),
      delta('lo', 880),
      delta('', 0),
      delta(' you', 960),
    );
    await world.stream.write(sound('--'));
    expect(world.session.ends).toHaveLength(1);
    world.session.say(done);
    await turn();
    const said = world.listener.heard.flatMap((one) => {
      if (one.type === 'partial') return [`(${one.text})`];
      if (one.type === 'words') return [one.words.map(({ text }) => text).join(' ')];
      return one.type === 'utterance' ? [one.rule] : [];
    });
    expect(said).toEqual(['(Hel)', '(Hello)', 'Hello', '(you)', 'you', 'pause']);
    expect(violationsOf(world.listener.heard)).toEqual([]);
  });

  it('says who begins to speak as soon as he is heard, and ends what held no words', async () => {
    const world = new World({ onsets: true });
    const told = (): readonly string[] =>
      world.listener.heard.flatMap((one) => {
        if (one.type === 'onset') return [`at ${one.startMs}`];
        return one.type === 'utterance' ? [`${one.words.length} words to ${one.endMs}`] : [];
      });
    await world.hear('------++');
    expect(told()).toEqual(['at 600']);
    await world.hear('++-------', delta(' Yes', 900));
    // Ended and not answered yet: who speaks next waits for that.
    await world.hear('-+++');
    expect(told()).toEqual(['at 600']);
    world.session.say(done);
    await turn();
    expect(told()).toEqual(['at 600', '1 words to 900', 'at 1800']);
    await world.hear('-------');
    world.session.say(done);
    await turn();
    expect(told().slice(3)).toEqual(['0 words to 1800']);
    // A word that nobody was heard to say.
    await world.hear('--', delta(' no', 2_900), delta(' no', 2_980));
    expect(told().slice(4)).toEqual(['at 2600']);
    world.stream.flush(1);
    await turn();
    world.session.say(done);
    await turn();
    expect(violationsOf(world.listener.heard)).toEqual([]);
  });

  it('answers flushes in order, behind the last one that is not answered, and counts what their words took', async () => {
    const world = new World();
    await world.hear('++++', delta(' one', 300));
    world.stream.flush(1);
    world.stream.flush(2);
    await turn();
    expect(world.listener.heard.some(({ type }) => type === 'flushed')).toBe(false);
    await world.stream.write(sound('+++'));
    world.stream.flush(3);
    await turn();
    world.session.say(done);
    await turn();
    const flushed = (): unknown[] =>
      world.listener.heard.flatMap((one) => (one.type === 'flushed' ? [[one.marker, one.tokens]] : []));
    expect(flushed()).toEqual([
      [1, 7],
      [2, 0],
    ]);
    // An end with nothing in front of it: no `done` comes, only the promise.
    world.session.ends[1]?.();
    await turn();
    await turn();
    expect(flushed()).toHaveLength(3);
  });

  it('keeps the guarantees whatever the session says', async () => {
    const world = new World();
    await world.hear('-'.repeat(30));
    const words = [
      { text: 'two words', startMs: 100, endMs: 300 },
      { text: 'early', startMs: 50, endMs: 60 },
    ];
    await world.hear('-', { type: 'delta', text: ' two words early', audioMs: 60, words, unsure: true });
    await world.hear('-', delta(' sure', 3_100), {
      type: 'utterance',
      text: '',
      startMs: 0,
      endMs: 1,
      words: [],
    });
    await world.hear(
      '-',
      { type: 'gap', startMs: 0, endMs: 10 },
      { type: 'unknown', name: 'x', raw: {} },
      done,
    );
    expect(violationsOf(world.listener.heard)).toEqual([]);
    expect(world.listener.text).toBe('two words early sure');
    const closed = world.listener.heard.filter(({ type }) => type === 'utterance');
    expect(closed).toMatchObject([{ unsure: true, rule: 'pause' }]);
  });

  it('makes its writer wait while too much is not settled, and lets go when it is or the stream ends', async () => {
    const world = new World();
    let isTaken = false;
    const writing = world.stream.write(sound('-'.repeat(601))).then(() => {
      isTaken = true;
    });
    await turn();
    expect(isTaken).toBe(false);
    world.session.say({ type: 'progress', receivedMs: 60_100, settledMs: 1_500, lagMs: 0 });
    await writing;
    const late = world.stream.write(sound('-'.repeat(100)));
    await turn();
    await world.stream.close();
    await expect(late).rejects.toMatchObject({ code: 'engine_closed' });
    expect(world.session.isClosed).toBe(true);
    expect(world.clock.pending).toBe(0);
  });

  it('waits at its first end until the server has shown what it is, and no longer than five seconds', async () => {
    const world = new World();
    world.session.timing = undefined;
    const writing = world.stream.write(sound('--++++++---------'));
    await turn();
    expect(world.session.ends).toHaveLength(0);
    world.clock.advance(4_999);
    await turn();
    expect(world.session.ends).toHaveLength(0);
    world.clock.advance(1);
    await writing;
    expect(world.session.ends).toHaveLength(1);
    world.session.say(done);
    await world.stream.write(sound('--++++++---------'));
    expect(world.session.ends).toHaveLength(2);
  });

  it('leaves the first end to a server that turns out to find it itself', async () => {
    const world = new World();
    world.session.timing = undefined;
    const writing = world.stream.write(sound('--++++++---------'));
    await turn();
    world.session.timing = 'told';
    world.session.say({ type: 'progress', receivedMs: 1_000, settledMs: 500, lagMs: 500 });
    await writing;
    expect(world.session.ends).toHaveLength(0);
    expect(world.session.sentSamples).toBe(17 * 1_600);
    expect(world.clock.pending).toBe(0);
  });

  it.each([true, false])(
    'closes an utterance after two minutes without a pause; rolls over by itself: %s',
    async (rollsOver) => {
      const world = new World({ rollsOver });
      // It goes up and down as speech does, and never stays down for as long as a breath.
      const second = Float32Array.from({ length: 16_000 }, (_, at) => {
        return (at % 3_200 < 960 ? 0.02 : 0.3) * (at % 2 === 0 ? 1 : -1);
      });
      for (let atMs = 1_000; atMs <= 120_000; atMs += 1_000) {
        await world.stream.write(second);
        const settled: SessionEvent = { type: 'progress', receivedMs: atMs, settledMs: atMs, lagMs: 0 };
        world.session.say(delta(` w${atMs}`, atMs), settled);
        await turn();
      }
      const rules = world.listener.heard.flatMap((said) => (said.type === 'utterance' ? [said.rule] : []));
      // Where the client does not, the other server has to be told, in the middle of a word.
      expect(world.session.ends).toHaveLength(rollsOver ? 0 : 1);
      expect(rules).toEqual(rollsOver ? ['limit'] : []);
      expect(violationsOf(world.listener.heard)).toEqual([]);
    },
  );

  it('says text as it is written to whoever wants no words, and ends no utterance by itself', async () => {
    const world = new World({ words: false });
    await world.hear('----------+++++', delta(' wor', 900));
    expect(world.listener.heard.filter(({ type }) => type === 'text')).toEqual([
      { type: 'text', text: ' wor', endMs: 900, settledMs: 0 },
    ]);
    await world.hear('+-----------------------------------', delta('', 1_600), delta('d', 1_650));
    expect(world.listener.text).toBe('word');
    expect(world.session.ends).toEqual([]);
    expect(world.settledMs).toBe(5_100);
    // Its audio is what goes over the wire: nothing is held back to be judged.
    expect(world.session.sentSamples).toBe(51 * 1_600);
    // Audio of which nothing was said is settled by the answer to it.
    await world.stream.write(sound('-'));
    world.stream.flush(1);
    await turn();
    world.session.say(done);
    world.session.ends[0]?.();
    expect(await world.listener.flushed(1)).toMatchObject({ settledMs: 5_200, tokens: 7 });
    expect(violationsOf(world.listener.heard)).toEqual([]);
    expect(world.listener.heard.some(({ type }) => type === 'words' || type === 'utterance')).toBe(false);
  });

  it('fails as its session does, and keeps what was said', async () => {
    const world = new World();
    await world.hear('+++++', {
      type: 'delta',
      text: '',
      audioMs: 400,
      words: [{ text: 'a', startMs: 0, endMs: 400 }],
    });
    world.session.fail(new ClientError('timeout', 'Too late.'));
    expect(await world.listener.ended).toMatchObject({ code: 'engine_worker_lost' });
    expect(world.listener.text).toBe('a');
    await expect(world.stream.write(sound('+'))).rejects.toMatchObject({ code: 'engine_worker_lost' });
  });
});
