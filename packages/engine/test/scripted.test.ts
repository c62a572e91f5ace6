import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hypothesis, SpeechStream } from '../src/engine.js';
import { createScriptedEngine, type ScriptedEngineOptions } from '../src/scripted.js';
import type { ScriptedUtterance } from '../src/scripted-timeline.js';

const SCRIPT: readonly ScriptedUtterance[] = [
  {
    words: [
      { text: 'hello', startMs: 200, endMs: 600 },
      { text: 'world.', startMs: 700, endMs: 1000 },
    ],
  },
  { words: [{ text: 'Bye.', startMs: 2500, endMs: 3000 }], rule: 'long' },
];

const audio = (ms: number): Float32Array => new Float32Array(ms * 16);

/** Reads in the background: `all` fills up, `done` is the error that ended it, if any. */
async function take(stream: SpeechStream): Promise<{ all: Hypothesis[]; done: Promise<unknown> }> {
  const all: Hypothesis[] = [];
  const done = (async () => {
    try {
      for await (const hypothesis of stream.hypotheses) all.push(hypothesis);
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  return { all, done };
}

/** Everything a stream says to these writes (ms) with a flush at the end. */
async function run(options: ScriptedEngineOptions, writesMs: readonly number[], partials = false) {
  const engine = createScriptedEngine(options);
  const stream = await engine.open({ partials });
  const { all, done } = await take(stream);
  for (const ms of writesMs) await stream.write(audio(ms));
  stream.flush(7);
  await new Promise((resolve) => setImmediate(resolve));
  await stream.close();
  await done;
  return all;
}

describe('scripted engine', () => {
  it('says each word when its end was written, and the utterance after the pause', async () => {
    expect(await run({ script: SCRIPT, progressMs: 10_000 }, [599, 1, 400, 599, 1, 1400])).toEqual([
      { type: 'words', words: [SCRIPT[0]?.words[0]], settledMs: 600 },
      { type: 'words', words: [SCRIPT[0]?.words[1]], settledMs: 1000 },
      {
        type: 'utterance',
        words: SCRIPT[0]?.words,
        startMs: 200,
        endMs: 1000,
        rule: 'pause',
        settledMs: 1600,
      },
      { type: 'words', words: SCRIPT[1]?.words, settledMs: 3000 },
      {
        type: 'utterance',
        words: SCRIPT[1]?.words,
        startMs: 2500,
        endMs: 3000,
        rule: 'flush',
        settledMs: 3000,
      },
      { type: 'flushed', marker: 7, settledMs: 3000, tokens: 3 },
    ]);
  });

  it('waits for the look-ahead, and a flush does not', async () => {
    const engine = createScriptedEngine({ script: SCRIPT, lookAheadMs: 300, progressMs: 10_000 });
    const stream = await engine.open();
    const { all, done } = await take(stream);
    await stream.write(audio(899));
    await new Promise((resolve) => setImmediate(resolve));
    expect(all).toEqual([]);
    stream.flush(1);
    await new Promise((resolve) => setImmediate(resolve));
    const world = { text: 'world.', startMs: 700, endMs: 899 };
    expect(all.map((hypothesis) => hypothesis.type)).toEqual(['words', 'utterance', 'flushed']);
    expect(all[0]).toEqual({ type: 'words', words: [SCRIPT[0]?.words[0], world], settledMs: 899 });
    await stream.close();
    expect(await done).toBeUndefined();
  });

  it('reports progress in silence and is quiet after the script', async () => {
    const all = await run({ script: [] }, [1700]);
    expect(all.map((hypothesis) => [hypothesis.type, hypothesis.settledMs])).toEqual([
      ['progress', 500],
      ['progress', 1000],
      ['progress', 1500],
      ['flushed', 1700],
    ]);
  });

  it('repeats the script round by round', async () => {
    const all = await run({ script: SCRIPT, afterScript: 'repeat', roundMs: 4000 }, [12_000]);
    const words = all.flatMap((hypothesis) => (hypothesis.type === 'words' ? hypothesis.words : []));
    expect(words.map((word) => word.startMs)).toEqual([200, 700, 2500, 4200, 4700, 6500, 8200, 8700, 10_500]);
  });

  it('shows the tail to streams that ask, and takes it back when the words are said', async () => {
    const all = await run({ script: SCRIPT, lookAheadMs: 200 }, [2000], true);
    expect(all.flatMap((h) => (h.type === 'partial' ? [h.text] : []))).toEqual([
      'hello',
      'hello world.',
      'world.',
      '',
    ]);
  });

  it('says the same however the audio is cut, flushes included', async () => {
    const timelines = fc.record({
      cuts: fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 }),
      lookAheadMs: fc.integer({ min: 0, max: 900 }),
      pauseMs: fc.integer({ min: 0, max: 900 }),
      partials: fc.boolean(),
      afterScript: fc.constantFrom('repeat' as const, 'silence' as const),
    });
    await fc.assert(
      fc.asyncProperty(timelines, async ({ cuts, partials, ...rest }) => {
        const whole = cuts.reduce((sum, ms) => sum + ms, 0);
        const options = { script: SCRIPT, ...rest };
        expect(await run(options, cuts, partials)).toEqual(await run(options, [whole], partials));
      }),
      { numRuns: 60 },
    );
  });

  it('holds the guarantees under random writes and flushes', async () => {
    const moves = fc.array(fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constant('flush' as const)), {
      maxLength: 25,
    });
    const waits = fc.record({
      lookAheadMs: fc.integer({ min: 0, max: 2500 }),
      pauseMs: fc.integer({ min: 0, max: 2500 }),
    });
    await fc.assert(
      fc.asyncProperty(moves, waits, async (steps, options) => {
        const engine = createScriptedEngine({ script: SCRIPT, afterScript: 'repeat', ...options });
        const stream = await engine.open({ partials: true, onsets: true });
        const { all, done } = await take(stream);
        for (const step of steps) {
          if (step === 'flush') stream.flush(1);
          else await stream.write(audio(step));
        }
        stream.flush(2);
        await new Promise((resolve) => setImmediate(resolve));
        await stream.close();
        await done;
        const said = all.flatMap((h) => (h.type === 'words' ? h.words : []));
        expect(all.flatMap((h) => (h.type === 'utterance' ? h.words : []))).toEqual(said);
        let settledMs = 0;
        for (const h of all) {
          expect(h.settledMs).toBeGreaterThanOrEqual(settledMs);
          if (h.type === 'words') {
            for (const word of h.words) expect(word.endMs).toBeGreaterThanOrEqual(settledMs);
          }
          settledMs = h.settledMs;
        }
        const heardMs = steps.reduce<number>((sum, step) => sum + (step === 'flush' ? 0 : step), 0);
        expect(settledMs).toBe(heardMs);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses one stream too many and takes it after a close', async () => {
    const engine = createScriptedEngine({ script: SCRIPT, streamsMax: 1 });
    const first = await engine.open();
    await expect(engine.open()).rejects.toMatchObject({ code: 'engine_busy' });
    await first.close();
    await first.close();
    await (await engine.open()).close();
    expect(engine.calls).toMatchObject({ opens: 3, refused: 1, closes: 2, streamsOpen: 0 });
  });

  it('fails at the write it was told to, after what was said before', async () => {
    const engine = createScriptedEngine({
      script: SCRIPT,
      faults: [{ call: 'write', nth: 2, effect: 'fail', code: 'engine_internal' }],
    });
    const stream = await engine.open();
    const { all, done } = await take(stream);
    await stream.write(audio(600));
    await expect(stream.write(audio(600))).rejects.toMatchObject({ code: 'engine_internal' });
    expect(await done).toMatchObject({ code: 'engine_internal' });
    expect(all.filter((h) => h.type === 'words')).toHaveLength(1);
    expect(engine.calls.streamsOpen).toBe(0);
  });

  it('loses its worker: every stream fails, a new one works', async () => {
    const engine = createScriptedEngine({
      script: SCRIPT,
      faults: [{ call: 'flush', nth: 1, effect: 'lose_worker' }],
    });
    const streams = [await engine.open(), await engine.open()];
    const ends = await Promise.all(streams.map(take));
    streams[0]?.flush(1);
    for (const { done } of ends) expect(await done).toMatchObject({ code: 'engine_worker_lost' });
    const again = await engine.open();
    await again.write(audio(10));
    await again.close();
  });

  it('holds writes back while stalled, and says everything after the release', async () => {
    const engine = createScriptedEngine({ script: SCRIPT, backlogMsMax: 1000, progressMs: 10_000 });
    const stream = await engine.open();
    const { all, done } = await take(stream);
    engine.stall();
    await stream.write(audio(999));
    let isTaken = false;
    const second = stream.write(audio(1)).then(() => {
      isTaken = true;
    });
    stream.flush(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isTaken).toBe(false);
    expect(all).toEqual([]);
    engine.release();
    await second;
    await new Promise((resolve) => setImmediate(resolve));
    expect(all.map((h) => h.type)).toEqual(['words', 'words', 'utterance', 'flushed']);
    await stream.close();
    await done;
  });

  it('ends a waiting write and a waiting open when it closes', async () => {
    const engine = createScriptedEngine({ script: SCRIPT, backlogMsMax: 1 });
    const stream = await engine.open();
    engine.stall();
    const write = stream.write(audio(10));
    const open = engine.open();
    await engine.close();
    await expect(write).rejects.toMatchObject({ code: 'engine_closed' });
    await expect(open).rejects.toMatchObject({ code: 'engine_closed' });
  });

  it('waits to open while stalled, until released or aborted', async () => {
    const faults = [{ call: 'open', nth: 1, effect: 'stall' }] as const;
    const engine = createScriptedEngine({ script: SCRIPT, faults });
    const abort = new AbortController();
    const aborted = engine.open({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const open = engine.open();
    engine.release();
    await (await open).close();
    expect(engine.calls.streamsOpen).toBe(0);
  });

  it('refuses a script that goes back in time', () => {
    const words = [
      { text: 'b', startMs: 5, endMs: 9 },
      { text: 'a', startMs: 8, endMs: 10 },
    ];
    expect(() => createScriptedEngine({ script: [{ words }] })).toThrow(RangeError);
    expect(() => createScriptedEngine({ script: [{ words: [] }] })).toThrow(RangeError);
    expect(() => createScriptedEngine({ script: SCRIPT, roundMs: 10 })).toThrow(RangeError);
  });
});
