import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, policyOf } from '../../src/recognition/policy.js';
import { checkGuarantees, Scene, speak } from './scene.js';

const word = fc.record({
  gapMs: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    fc.integer({ min: 0, max: 250 }),
    fc.integer({ min: 330, max: 2500 }),
  ),
  lengthMs: fc.integer({ min: 160, max: 700 }),
});

describe('the recogniser', () => {
  it('says every word once and in order, whatever the rhythm and however late the decodes come', () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: 20, max: 900 }), { minLength: 1, maxLength: 10 }),
        fc.constantFrom('live' as const, 'batch' as const),
        fc.integer({ min: 0, max: 5 }),
        (script, pieces, mode, lateness) => {
          const spoken = speak(script.map((w, i) => (i === 0 ? { ...w, gapMs: w.gapMs + 400 } : w)));
          const scene = new Scene(spoken, mode);
          const totalMs = (spoken.at(-1)?.endMs ?? 0) + 100;
          for (let fed = 0, i = 0; fed < totalMs; i += 1) {
            const ms = Math.min(pieces[i % pieces.length] ?? 100, totalMs - fed);
            const running = scene.begin();
            // While a decode runs, audio goes on arriving.
            for (let k = 0; k <= lateness && fed < totalMs; k += 1) {
              const more = Math.min(ms, totalMs - fed);
              scene.feed(more);
              fed += more;
            }
            if (running !== undefined) scene.finish(running);
          }
          scene.recogniser.flush(1);
          scene.work();
          expect(scene.text).toEqual(scene.expected);
          checkGuarantees(scene.said);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never decodes more than a bounded window, though the speaker does not pause for two minutes', () => {
    const spoken = speak(Array.from({ length: 400 }, () => ({ gapMs: 0, lengthMs: 300 })));
    const scene = new Scene(spoken);
    for (let fed = 0; fed < 120_000; fed += 100) {
      scene.feed(100);
      scene.work();
    }
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    expect(scene.longestMs).toBeLessThanOrEqual(DEFAULT_POLICY.windowMsMax + 1000);
    expect(scene.decodes).toBeLessThanOrEqual(120_000 / DEFAULT_POLICY.intervalMs + 10);
  });

  it('lets words wait for as long as it is told to, no longer than its bound, and says all in a pause', () => {
    const spoken = speak(Array.from({ length: 20 }, () => ({ gapMs: 0, lengthMs: 300 })));
    const spokenMs = spoken.at(-1)?.endMs ?? 0;
    const shortest = [0, 2000, 9999].map((delayMs) => {
      const scene = new Scene(spoken, 'live', false, policyOf({}, delayMs));
      const waits: number[] = [];
      for (let fed = 100; fed <= spokenMs; fed += 100) {
        const known = scene.words.length;
        scene.feed(100);
        scene.work();
        waits.push(...scene.words.slice(known).map(({ endMs }) => fed - endMs));
      }
      scene.feed(DEFAULT_POLICY.cutMs + 100);
      scene.work();
      expect(scene.text).toEqual(scene.expected);
      return Math.min(...waits);
    });
    expect(shortest[0]).toBeLessThan(600);
    expect(shortest[1]).toBeGreaterThanOrEqual(2000);
    expect(shortest[1]).toBeLessThan(2600);
    expect(shortest[2]).toBeGreaterThanOrEqual(DEFAULT_POLICY.holdMs);
    expect(shortest[2]).toBeLessThan(DEFAULT_POLICY.holdMs + 600);
  });

  it('says that somebody begins to speak only where words follow, also where an utterance is too long just at a pause', () => {
    for (let count = 97; count <= 104; count += 1) {
      const spoken = speak(Array.from({ length: count }, () => ({ gapMs: 0, lengthMs: 300 })));
      const scene = new Scene(spoken);
      for (let fed = 0; fed < count * 300 + 2_000; fed += 100) {
        scene.feed(100);
        scene.work();
      }
      checkGuarantees(scene.said);
      const utterances = scene.said.filter((said) => said.type === 'utterance');
      expect(utterances.map(({ words }) => words.length)).not.toContain(0);
      expect(scene.said.filter(({ type }) => type === 'onset')).toHaveLength(utterances.length);
    }
  });

  it('keeps windows shorter while the machine is busy', () => {
    const spoken = speak(Array.from({ length: 100 }, () => ({ gapMs: 0, lengthMs: 300 })));
    const longest = [false, true].map((isBusy) => {
      const scene = new Scene(spoken, 'live', isBusy);
      for (let fed = 0; fed < 30_000; fed += 100) {
        scene.feed(100);
        scene.work();
      }
      scene.recogniser.flush(1);
      scene.work();
      expect(scene.text).toEqual(scene.expected);
      return scene.longestMs;
    });
    expect(longest[0]).toBeLessThanOrEqual(DEFAULT_POLICY.windowMsMax + 1000);
    expect(longest[1]).toBeLessThanOrEqual(DEFAULT_POLICY.busyWindowMsMax + 1000);
  });

  it('ends an utterance that never pauses by its length, between two words', () => {
    const spoken = speak(Array.from({ length: 120 }, () => ({ gapMs: 0, lengthMs: 300 })));
    const scene = new Scene(spoken);
    for (let fed = 0; fed < 36_000; fed += 100) {
      scene.feed(100);
      scene.work();
    }
    const ended = scene.said.find((hypothesis) => hypothesis.type === 'utterance');
    expect(ended).toMatchObject({ type: 'utterance', rule: 'limit' });
  });

  it('keeps quiet and settles while nobody speaks', () => {
    const scene = new Scene([]);
    scene.feed(10_000);
    scene.work();
    expect(scene.decodes).toBe(0);
    expect(scene.recogniser.backlogMs).toBeLessThan(1000);
    scene.recogniser.flush(4);
    scene.work();
    expect(scene.said.at(-1)).toEqual({ type: 'flushed', marker: 4, settledMs: 10_000, tokens: 0 });
    expect(new Set(scene.said.slice(0, -1).map(({ type }) => type))).toEqual(new Set(['progress']));
  });

  it('does not say what the model says again once the speech is over', () => {
    const scene = new Scene(
      speak([
        { gapMs: 400, lengthMs: 500 },
        { gapMs: 0, lengthMs: 500 },
      ]),
      'batch',
    );
    scene.feed(2500);
    const request = scene.begin();
    if (request === undefined) throw new Error('there is something to decode');
    const heard = scene.hear(request);
    // Everything once more: attention is back at the beginning of the window, as it is when a model echoes.
    scene.recogniser.finish({
      tokens: [...heard.tokens, ...heard.tokens],
      logProbabilities: [...heard.tokens, ...heard.tokens].map(() => -0.01),
      entropies: [],
      endMs: [...heard.endMs, ...heard.tokens.map(() => 10)],
      ended: true,
    });
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
  });

  it('settles over a long silence even where the next speech is known before the last decode is back', () => {
    const scene = new Scene(
      speak([
        { gapMs: 400, lengthMs: 800 },
        { gapMs: 22_000, lengthMs: 12_000 },
      ]),
      'batch',
    );
    scene.feed(3000);
    const first = scene.begin();
    scene.feed(26_000);
    if (first !== undefined) scene.finish(first);
    scene.begin();
    // A writer that waits for room is woken: what was passed over does not count as waiting.
    expect(scene.recogniser.backlogMs).toBeLessThan(10_000);
  });

  it('does not take nothing for an answer to clear speech', () => {
    const scene = new Scene(speak([{ gapMs: 400, lengthMs: 900 }]), 'batch');
    scene.feed(2500);
    expect(scene.begin()?.mustSpeak).toBe(true);
    const short = new Scene(speak([{ gapMs: 400, lengthMs: 200 }]), 'batch');
    short.feed(2500);
    expect(short.begin()?.mustSpeak).toBe(false);
  });

  it('gives the model enough to work on, however little audio is left', () => {
    const scene = new Scene(speak([{ gapMs: 100, lengthMs: 130 }]), 'batch');
    scene.feed(250);
    scene.recogniser.flush(1);
    expect(scene.begin()?.samples.length).toBeGreaterThanOrEqual(1600);
  });

  it('decodes again what its bound on tokens cut off', () => {
    const scene = new Scene(
      speak([
        { gapMs: 400, lengthMs: 300 },
        { gapMs: 0, lengthMs: 300 },
        { gapMs: 0, lengthMs: 300 },
      ]),
      'batch',
    );
    scene.feed(2000);
    for (let request = scene.begin(); request !== undefined; request = scene.begin()) {
      const { tokens, endMs, ...rest } = scene.hear(request);
      const prefix = request.prefix.length;
      scene.recogniser.finish({
        ...rest,
        tokens: tokens.slice(0, 1),
        endMs: endMs.slice(0, prefix + 1),
        ended: tokens.length <= 1,
      });
    }
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
  });

  it('takes a partial back that turned out to be nothing', () => {
    const scene = new Scene(speak([{ gapMs: 400, lengthMs: 1200 }]));
    scene.feed(1350);
    const request = scene.begin();
    if (request === undefined) throw new Error('there is something to decode');
    scene.finish(request);
    expect(scene.said.at(-1)).toMatchObject({ type: 'partial', text: expect.stringMatching(/./) });
    scene.feed(1500);
    for (let next = scene.begin(); next !== undefined; next = scene.begin()) {
      scene.recogniser.finish({ tokens: [], logProbabilities: [], entropies: [], endMs: [], ended: true });
    }
    scene.work();
    const partials = scene.said.flatMap((said) => (said.type === 'partial' ? [said.text] : []));
    expect(partials.at(-1)).toBe('');
  });

  it('answers a flush of nothing, and two flushes in order', () => {
    const scene = new Scene([]);
    scene.recogniser.flush(1);
    scene.recogniser.flush(2);
    scene.work();
    expect(scene.said.map((hypothesis) => hypothesis.type === 'flushed' && hypothesis.marker)).toEqual([
      1, 2,
    ]);
  });

  it('tries the same audio again after a decode that failed', () => {
    const scene = new Scene(speak([{ gapMs: 400, lengthMs: 500 }]));
    scene.feed(1800);
    expect(scene.begin()).toBeDefined();
    scene.recogniser.abandon();
    scene.work();
    expect(scene.text).toEqual(scene.expected);
  });

  it('catches up in few decodes when a minute of speech waits', () => {
    const spoken = speak(
      Array.from({ length: 100 }, (_, i) => ({ gapMs: i % 12 === 0 ? 500 : 0, lengthMs: 500 })),
    );
    const scene = new Scene(spoken);
    scene.feed(60_000);
    scene.work();
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    expect(scene.decodes).toBeLessThan(20);
  });
});
