import { afterAll, describe, expect, it } from 'vitest';
import { describeSpeechEngine, type EngineUnderTest, type TestRunner } from '../src/conformance/engine.js';
import { violationsOf } from '../src/conformance/violations.js';
import { wordErrors } from '../src/conformance/word-errors.js';
import type { Hypothesis, SpeechEngine, SpeechStream } from '../src/engine.js';
import { EngineError } from '../src/errors.js';
import { createScriptedEngine } from '../src/scripted.js';

const SCRIPT = [
  {
    words: [
      { text: 'One', startMs: 2300, endMs: 2500 },
      { text: 'two.', startMs: 2600, endMs: 2900 },
    ],
  },
  { words: [{ text: 'Three.', startMs: 4000, endMs: 4600 }] },
];

/** The scripted engine as the suite sees it. */
const underTest = (name: string, create: () => Promise<SpeechEngine>): EngineUnderTest => ({
  name,
  create,
  speech: { audio: new Float32Array(16 * 5000), text: 'one two three' },
  otherSpeech: { audio: new Float32Array(16 * 2800), text: 'one two' },
  silence: new Float32Array(16 * 2000),
});

for (const lookAheadMs of [0, 400]) {
  const name = `scripted engine with a look-ahead of ${lookAheadMs} ms`;
  const create = async () => createScriptedEngine({ script: SCRIPT, lookAheadMs });
  describeSpeechEngine(underTest(name, create), { describe, it, afterAll, expect });
}

describe('the checks of the suite', () => {
  const word = { text: 'a', startMs: 100, endMs: 200 };
  const utterance = {
    type: 'utterance',
    words: [word],
    startMs: 100,
    endMs: 200,
    rule: 'pause',
    settledMs: 300,
  } as const;

  it('find every broken guarantee', () => {
    const words = { type: 'words', words: [word], settledMs: 200 } as const;
    expect(violationsOf([words, utterance])).toEqual([]);
    expect(violationsOf([utterance])).toHaveLength(1);
    expect(violationsOf([words, { type: 'progress', settledMs: 199 }])).toHaveLength(1);
    expect(violationsOf([words, { type: 'flushed', marker: 1, settledMs: 300, tokens: 1 }])).toHaveLength(1);
    expect(violationsOf([words, utterance, { ...words, settledMs: 300 }])).toHaveLength(1);
    expect(violationsOf([{ ...words, words: [{ ...word, text: 'a b' }] }])).toHaveLength(1);
    expect(violationsOf([{ ...words, words: [] }])).toHaveLength(1);
    expect(violationsOf([words, { ...utterance, endMs: 150 }])).toHaveLength(1);
    expect(violationsOf([{ ...words, unsure: true }, utterance])).toHaveLength(1);
    expect(
      violationsOf([
        { ...words, unsure: true },
        { ...utterance, unsure: true },
      ]),
    ).toEqual([]);
    expect(
      violationsOf([words, { ...utterance, words: [{ ...word, endMs: 201 }], endMs: 201 }]),
    ).toHaveLength(1);
  });

  it('count words that differ', () => {
    expect(wordErrors('One, two. THREE', 'one two three')).toBe(0);
    expect(wordErrors('', 'one two')).toBe(2);
    expect(wordErrors('one two', '')).toBe(2);
    expect(wordErrors('one three', 'one two three')).toBe(1);
    expect(wordErrors('zero one to three', 'one two three')).toBe(2);
    expect(wordErrors('', '')).toBe(0);
  });
});

/** A scripted engine whose streams are broken by `breaks`. */
function broken(breaks: (stream: SpeechStream, wantsPartials: boolean) => SpeechStream): SpeechEngine {
  const engine = createScriptedEngine({ script: SCRIPT });
  return {
    info: engine.info,
    open: async (options) => breaks(await engine.open(options), options?.partials ?? false),
    close: () => engine.close(),
  };
}

/** The stream with its hypotheses changed, and other methods replaced. */
function altered(
  stream: SpeechStream,
  alter: (hypothesis: Hypothesis) => readonly Hypothesis[],
  methods: Partial<SpeechStream> = {},
): SpeechStream {
  async function* hypotheses() {
    for await (const hypothesis of stream.hypotheses) yield* alter(hypothesis);
  }
  return {
    write: (samples) => stream.write(samples),
    flush: (marker) => stream.flush(marker),
    close: () => stream.close(),
    hypotheses: hypotheses(),
    ...methods,
  };
}

/** Names of the tests of the suite that this engine fails. */
async function failuresOf(create: () => SpeechEngine): Promise<readonly string[]> {
  const tests: [string, () => Promise<void>][] = [];
  const runner: TestRunner = {
    describe: (_, body) => body(),
    it: (name, body) => tests.push([name, body]),
    afterAll: (body) => tests.push(['afterAll', body]),
    expect,
  };
  describeSpeechEngine(
    underTest('broken', async () => create()),
    runner,
  );
  const failed: string[] = [];
  for (const [name, body] of tests) {
    await body().catch(() => failed.push(name));
  }
  return failed;
}

describe('the suite fails an engine that', () => {
  const cases: readonly [string, (stream: SpeechStream, wantsPartials: boolean) => SpeechStream, string][] = [
    [
      'loses words',
      (stream) => altered(stream, (said) => (said.type === 'words' ? [] : [said])),
      'says the words that are spoken, and keeps every guarantee of order',
    ],
    [
      'lets settledMs go back',
      (stream) => altered(stream, (said) => (said.type === 'flushed' ? [{ ...said, settledMs: 1 }] : [said])),
      'answers a flush after everything that was written before it',
    ],
    [
      'shows partials to everybody',
      (stream) =>
        altered(stream, (said) => [said, { type: 'partial', text: 'x', settledMs: said.settledMs }]),
      'shows the unstable tail only to streams that ask, and then says the same words',
    ],
    [
      'tells everybody who begins to speak',
      (stream) => altered(stream, (said) => [{ type: 'onset', startMs: 0, settledMs: 0 }, said]),
      'says who begins to speak before his words, only to streams that ask',
    ],
    [
      'takes audio after close',
      (stream) =>
        altered(stream, (said) => [said], { write: (samples) => stream.write(samples).catch(() => {}) }),
      'rejects a write after close, and ignores a flush',
    ],
    [
      'answers a second flush with tokens',
      (stream) => altered(stream, (said) => (said.type === 'flushed' ? [{ ...said, tokens: 3 }] : [said])),
      'answers a second flush with nothing new',
    ],
  ];
  for (const [name, breaks, failing] of cases) {
    it(name, { timeout: 5000 }, async () => {
      expect(await failuresOf(() => broken(breaks))).toContain(failing);
    });
  }

  it('keeps the slot of a closed stream', async () => {
    const create = (): SpeechEngine => {
      const engine = createScriptedEngine({ script: SCRIPT });
      let taken = 0;
      const open: SpeechEngine['open'] = async (options) => {
        taken += 1;
        if (taken > engine.info.streamsMax) throw new EngineError('engine_busy', 'Full for ever.');
        return engine.open(options);
      };
      return { info: engine.info, open, close: () => engine.close() };
    };
    const failed = await failuresOf(create);
    expect(failed).toContain('refuses one stream too many at once, and a close frees the slot at once');
    expect(failed).toContain('frees the slot when the consumer leaves its loop');
  });
});
