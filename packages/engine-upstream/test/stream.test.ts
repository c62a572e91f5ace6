import { float32ToInt16, int16ToPcm16 } from '@kikitori/audio';
import { type Clock, systemClock } from '@kikitori/core';
import { ManualClock } from '@kikitori/core/manual-clock';
import { EngineError, type Hypothesis, type SpeechEngine, type VoiceDetector } from '@kikitori/engine';
import { Listener, violationsOf } from '@kikitori/engine/conformance';
import { type Connect, TransportError } from '@kikitori/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUpstreamEngine, type UpstreamEngineOptions } from '../src/upstream-engine.js';
import { ourServer, sound, type VllmLikeOptions, vllmLike } from './servers.js';

/** Whose timers all run with the next turn of the event loop. */
const inTurns: Clock = {
  ...systemClock,
  after: (_, run) => {
    const turn = setImmediate(run);
    return () => clearImmediate(turn);
  },
};

const INFO = { model: 'behind', languages: ['en'], streamsMax: 4 };
const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
/** Every stretch of speech is two words in three pieces. */
const pieces = (stretch: number): readonly string[] => {
  const number = NUMBERS[stretch] ?? 'many';
  return [` ${number.slice(0, 2)}`, number.slice(2), ' done'];
};

function behindVllm(
  options: Partial<VllmLikeOptions> = {},
  more: Partial<UpstreamEngineOptions> = {},
): { readonly engine: SpeechEngine; readonly heard: ReturnType<typeof vllmLike>['heard'] } {
  const { connect, heard } = vllmLike({ pieces, ...options });
  return { engine: createUpstreamEngine({ info: INFO, connect, ...more }), heard };
}

function pcmOf(parts: readonly (Float32Array | Int16Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => int16ToPcm16(part instanceof Float32Array ? float32ToInt16(part) : part)),
  );
}

type Utterance = Extract<Hypothesis, { type: 'utterance' }>;

function utterancesOf({ heard }: Listener): { readonly text: string; readonly rule: string }[] {
  return heard
    .filter((said): said is Utterance => said.type === 'utterance')
    .map(({ words, rule }) => ({ text: words.map(({ text }) => text).join(' '), rule }));
}

const SPEECH = '------------------------------+++++++--+++-------++++++++-----------+++++----';

describe('a stream of a server that finds no utterances', () => {
  it.each([1_280, 700, 160_000, 7])(
    'ends them at pauses, in blocks of %d samples, and every sample is heard once',
    async (size) => {
      const { engine, heard } = behindVllm();
      const listener = new Listener(await engine.open());
      await listener.write(sound(SPEECH), [size]);
      await listener.flush(1);
      await engine.close();
      const server = await heard[0];
      expect(server?.flaws).toEqual([]);
      expect(server?.utterances.map(({ length }) => length / 1_600)).toEqual([48, 15, 14]);
      expect(pcmOf(server?.utterances ?? []).equals(pcmOf([sound(SPEECH)]))).toBe(true);
      expect(violationsOf(listener.heard)).toEqual([]);
      expect(utterancesOf(listener)).toEqual([
        { text: 'one done two done', rule: 'pause' },
        { text: 'three done', rule: 'pause' },
        { text: 'four done', rule: 'flush' },
      ]);
    },
  );

  it('has words on one timeline, shows how they grow, and tells how far it is', async () => {
    const { engine } = behindVllm();
    const listener = new Listener(await engine.open({ partials: true }));
    await listener.write(sound(SPEECH));
    const flushed = await listener.flush(1);
    await engine.close();
    const spoken = [37, 42, 57, 73].flatMap((end) => [end * 100, end * 100]);
    const ends = listener.words.map(({ endMs }) => endMs);
    expect(ends).toHaveLength(spoken.length);
    for (const [index, end] of ends.entries()) expect(Math.abs(end - (spoken[index] ?? 0))).toBeLessThan(300);
    expect(listener.heard.some((said) => said.type === 'partial' && said.text === 'on')).toBe(true);
    expect(flushed.settledMs).toBe(7_700);
    expect(flushed.tokens).toBeGreaterThan(90);
    const progress = listener.heard.filter(({ type }) => type === 'progress');
    expect(progress.length).toBeGreaterThan(5);
    expect(progress.length).toBeLessThan(40);
  });

  it('hears every sample once and says every word once, whatever is said in whatever pieces', async () => {
    const { engine, heard } = behindVllm({
      pieces: (stretch) => [` w${stretch}`],
      // Late with every step, so that much waits behind each end.
      stepMs: 1,
      clock: inTurns,
    });
    const stretch = fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }));
    const turn = fc.array(stretch, { minLength: 1, maxLength: 5 });
    const turns = fc.array(turn, { minLength: 1, maxLength: 4 });
    let session = 0;
    await fc.assert(
      fc.asyncProperty(turns, fc.integer({ min: 500, max: 60_000 }), async (spoken, size) => {
        const listener = new Listener(await engine.open());
        const sent: Float32Array[] = [];
        for (const [marker, parts] of spoken.entries()) {
          const picture = parts.map(([loud, quiet]) => '+'.repeat(loud) + '-'.repeat(quiet + 1)).join('');
          sent.push(sound(picture));
          await listener.write(sound(picture), [size]);
          listener.stream.flush(marker);
        }
        await listener.flushed(spoken.length - 1);
        await listener.stream.close();
        const { flaws, utterances } = (await heard[session++]) ?? { flaws: ['nobody'], utterances: [] };
        expect(flaws).toEqual([]);
        expect(pcmOf(utterances).equals(pcmOf(sent))).toBe(true);
        expect(violationsOf(listener.heard)).toEqual([]);
        const said = listener.words.map(({ text }) => text);
        expect(said).toEqual(said.map((_, place) => `w${place}`));
      }),
      { numRuns: 20 },
    );
    await engine.close();
  });

  it('ends one in which nothing comes for 15 s, and goes on with the next audio', async () => {
    const clock = new ManualClock();
    const { engine, heard } = behindVllm({}, { clock });
    const listener = new Listener(await engine.open());
    await listener.write(sound('-----++++++--'));
    // Not when the first audio was written, but the last.
    clock.advance(14_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(utterancesOf(listener)).toEqual([]);
    clock.advance(1);
    await expect.poll(() => utterancesOf(listener)).toEqual([{ text: 'one done', rule: 'idle' }]);
    clock.advance(100_000);
    await listener.write(sound('+++++---'));
    await listener.flush(1);
    expect(listener.text).toBe('one done two done');
    await engine.close();
    expect(await heard[0]).toMatchObject({ flaws: [], utterances: { length: 2 } });
  });

  it('ends none in the middle of a word, however long nothing comes', async () => {
    const clock = new ManualClock();
    const { engine, heard } = behindVllm({}, { clock });
    const listener = new Listener(await engine.open());
    await listener.write(sound('-----++++++'));
    clock.advance(19_999);
    await new Promise((resolve) => setImmediate(resolve));
    await listener.write(sound('++++++-----'));
    await listener.flush(1);
    expect(utterancesOf(listener)).toEqual([{ text: 'one done', rule: 'flush' }]);
    await engine.close();
    expect(await heard[0]).toMatchObject({ flaws: [], utterances: { length: 1 } });
  });

  it('is cut where a voice detector hears the pause, which is asked again when it fails', async () => {
    let calls = 0;
    const voice: VoiceDetector = {
      begin: () => 'fresh',
      listen: async ({ samples, state }) => {
        calls += 1;
        if (calls === 3) throw new EngineError('engine_worker_lost', 'The thread died.');
        if (calls === 4) expect(state).toBe('fresh');
        const probabilities = Float32Array.from({ length: samples.length / 512 }, (_, frame) =>
          // Its word begins where the loud audio does, and lasts for ever to somebody who hears loudness.
          Math.abs(samples[frame * 512] ?? 0) > 0.2 ? 0.9 : 0.01,
        );
        return { probabilities, state: calls };
      },
      close: async () => {
        calls = -1;
      },
    };
    const { engine, heard } = behindVllm({}, { voice });
    const listener = new Listener(await engine.open());
    await listener.write(sound('-----------55555-------1111111111----------'));
    await listener.flush(1);
    await engine.close();
    expect(calls).toBe(-1);
    const lengths = (await heard[0])?.utterances.map(({ length }) => length);
    // Behind 600 ms without speech, at the end of a frame of 32 ms.
    expect(lengths?.[0]).toBe(Math.ceil((16 * 1_600) / 512) * 512 + Math.ceil((600 * 16) / 512) * 512);
  });
});

describe('a voice detector that has to be brought first', () => {
  const silent = async (loads: string[], name: string): Promise<VoiceDetector> => {
    loads.push(name);
    return {
      begin: () => undefined,
      listen: async ({ samples }) => ({
        probabilities: new Float32Array(samples.length / 512),
        state: undefined,
      }),
      close: async () => void loads.push('closed'),
    };
  };

  it('comes when the other server turns out to need it, and serves the streams that are opened then', async () => {
    const loads: string[] = [];
    const { engine, heard } = behindVllm({}, { loadVoice: () => silent(loads, 'loaded') });
    for (let session = 0; session < 2; session += 1) {
      const listener = new Listener(await engine.open());
      await listener.write(sound('-----++++++---------++++--------'));
      await listener.flush(1);
      await listener.stream.close();
    }
    await engine.close();
    expect(loads).toEqual(['loaded', 'closed']);
    // By loudness two pauses and the end; whoever hears no speech finds none.
    const counts = (await Promise.all(heard)).map(({ utterances }) => utterances.length);
    expect(counts).toEqual([3, 1]);
  });

  it('does not come for a server that finds utterances itself', async () => {
    const loads: string[] = [];
    const { connect } = ourServer([]);
    const engine = createUpstreamEngine({ info: INFO, connect, loadVoice: () => silent(loads, 'loaded') });
    const listener = new Listener(await engine.open());
    await listener.write(sound('-----++++++---------++++--------'));
    await listener.flush(1);
    await engine.close();
    expect(loads).toEqual([]);
  });
});

describe('a stream of a server that finds utterances itself', () => {
  const SCRIPT = [{ words: [{ text: 'Hello.', startMs: 200, endMs: 700 }] }];

  it('leaves the ends to it, hands its words on as they are, and bears a caller who pauses', async () => {
    const clock = new ManualClock();
    const { connect, engine: behind } = ourServer(SCRIPT);
    const engine = createUpstreamEngine({ info: INFO, connect, clock });
    const listener = new Listener(await engine.open());
    await listener.write(sound('+++'));
    await expect.poll(() => behind.calls.samples).toBeGreaterThan(0);
    await listener.write(sound('++++----------++++------------'));
    await expect.poll(() => utterancesOf(listener)).toEqual([{ text: 'Hello.', rule: 'pause' }]);
    clock.advance(60_000);
    await listener.flush(1);
    expect(behind.calls.flushes).toBe(1);
    expect(listener.words).toEqual(SCRIPT[0]?.words);
    await engine.close();
  });
});

describe('a stream whose way to the other server is lost', () => {
  it('goes on over another one, says no word twice, and tells what was lost', async () => {
    const { connect, ends } = vllmLike({ pieces: (_, peak) => [` w${Math.round(peak / 2_000)}`] });
    const losses: string[] = [];
    const onLoss = (code: string): void => void losses.push(code);
    const engine = createUpstreamEngine({ info: INFO, connect, onLoss, random: () => 0 });
    const listener = new Listener(await engine.open());
    await listener.write(sound('---------222---------333'));
    await expect.poll(() => listener.text).toBe('w2');
    ends[0]?.destroy();
    await listener.write(sound('-----------444-----'));
    await listener.flush(1);
    expect(listener.text).toBe('w2 w3 w4');
    expect(violationsOf(listener.heard)).toEqual([]);
    expect(losses).toEqual(['connection_lost']);
    await engine.close();
  });

  it('fails when it waited long enough, and says so when it is not let in', async () => {
    const clock = new ManualClock();
    const away: Connect = () => Promise.reject(new TransportError('connect_failed', 'Nobody.'));
    const engine = createUpstreamEngine({ info: INFO, connect: away, clock, waitMs: 10_000 });
    const listener = new Listener(await engine.open());
    let isOver = false;
    const failure = listener.ended.finally(() => {
      isOver = true;
    });
    await listener.write(sound('+++'));
    clock.advance(5_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    while (!isOver) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await failure).toMatchObject({ code: 'engine_worker_lost' });
    expect(clock.nowMs()).toBeLessThan(20_000);
    const refusing: Connect = () => Promise.reject(new TransportError('refused', 'No.', { httpStatus: 401 }));
    const locked = createUpstreamEngine({ info: INFO, connect: refusing });
    const refused = new Listener(await locked.open());
    expect(await refused.ended).toMatchObject({ code: 'model_unavailable' });
    await Promise.all([engine.close(), locked.close()]);
    expect(clock.pending).toBe(0);
  });
});
