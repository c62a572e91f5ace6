import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecodeRequest, DecodeResult } from '../../src/decoder.js';
import { DEFAULT_POLICY, policyOf } from '../../src/recognition/policy.js';
import { checkGuarantees, Scene, type Spoken, speak } from './scene.js';

/**
 * A model that is led astray: forced to begin with the words up to `last`, it passes over the next `count` ones; asked
 * without, it hears them.
 */
class LedAstray extends Scene {
  readonly #last: Spoken | undefined;
  readonly #lost: readonly Spoken[];

  constructor(spoken: readonly Spoken[], last: number, count: number, mode: 'live' | 'batch' = 'live') {
    super(spoken, mode);
    this.#last = spoken[last];
    this.#lost = spoken.slice(last + 1, last + 1 + count);
  }

  protected override hears(word: Spoken, { prefix }: DecodeRequest): boolean {
    const isPast = this.#lost.some(({ token }) => prefix.includes(token));
    return isPast || !prefix.includes(this.#last?.token ?? -1) || !this.#lost.includes(word);
  }
}

/** A model that never hears some of what voice detection takes for speech: a hum, a song, a machine. */
class Deaf extends Scene {
  readonly #isHeard: (index: number) => boolean;
  readonly #all: readonly Spoken[];

  constructor(
    spoken: readonly Spoken[],
    isHeard: (index: number) => boolean,
    mode: 'live' | 'batch' = 'live',
    policy = DEFAULT_POLICY,
  ) {
    super(spoken, mode, false, policy);
    this.#all = spoken;
    this.#isHeard = isHeard;
  }

  override get expected(): string[] {
    return super.expected.filter((_, i) => this.#isHeard(i));
  }

  protected override hears(word: Spoken): boolean {
    return this.#isHeard(this.#all.indexOf(word));
  }
}

/** A model that hears nothing of the first `count` words in windows that begin where the first one began. */
class SlowToStart extends Scene {
  #firstStart: number | undefined;
  readonly #missed: readonly Spoken[];

  constructor(spoken: readonly Spoken[], count: number, mode: 'live' | 'batch') {
    super(spoken, mode);
    this.#missed = spoken.slice(0, count);
  }

  protected override hears(word: Spoken, { samples }: DecodeRequest): boolean {
    this.#firstStart ??= samples[0];
    return samples[0] !== this.#firstStart || !this.#missed.includes(word);
  }
}

/** A model that never hears `count` words, and as many others only in windows that begin behind those. */
class Humming extends Scene {
  readonly #hummed: readonly Spoken[];
  readonly #passedOver: readonly Spoken[];

  constructor(spoken: readonly Spoken[], hummed: number, passedOver: number, count: number) {
    super(spoken, 'batch');
    this.#hummed = spoken.slice(hummed, hummed + count);
    this.#passedOver = spoken.slice(passedOver, passedOver + count);
  }

  override get expected(): string[] {
    return super.expected.filter((_, i) => !this.#hummed.some(({ token }) => token === i));
  }

  protected override hears(word: Spoken, { samples }: DecodeRequest): boolean {
    if (this.#hummed.includes(word)) return false;
    return !this.#passedOver.includes(word) || (samples[0] ?? 0) / 16 > (this.#hummed.at(-1)?.endMs ?? 0);
  }
}

/** A model that hears everything and places one word too early. */
class Misplacing extends Scene {
  readonly #token: number | undefined;
  readonly #placedMs: number;

  constructor(spoken: readonly Spoken[], index: number, placedMs: number) {
    super(spoken);
    this.#token = spoken[index]?.token;
    this.#placedMs = placedMs;
  }

  override hear(request: DecodeRequest): DecodeResult {
    const result = super.hear(request);
    const at = [...request.prefix, ...result.tokens].indexOf(this.#token ?? -1);
    return { ...result, endMs: result.endMs.map((endMs, i) => (i === at ? this.#placedMs : endMs)) };
  }
}

/** Words of 0.3 s one after the other, with a pause before the one numbered `paused`. */
function steady(count: number, paused = 0): Spoken[] {
  const gapMs = (i: number) => (i === 0 ? 400 : i === paused ? 900 : 0);
  return speak(Array.from({ length: count }, (_, i) => ({ gapMs: gapMs(i), lengthMs: 300 })));
}

/** All that was spoken at the pace of speech, then the flush. */
function hear(scene: Scene, spoken: readonly Spoken[], silenceMs = 100): void {
  const totalMs = (spoken.at(-1)?.endMs ?? 0) + silenceMs;
  for (let fedMs = 0; fedMs < totalMs; fedMs += 100) {
    scene.feed(100);
    scene.work();
  }
  scene.recogniser.flush(1);
  scene.work();
}

describe('speech that no word covers', () => {
  it('is heard after all when the words before it led the model to pass over it', () => {
    const spoken = steady(30);
    const scene = new LedAstray(spoken, 6, 12);
    hear(scene, spoken);
    expect(scene.text).toEqual(scene.expected);
  });

  it('is heard before anything behind it is said', () => {
    const spoken = steady(30);
    const scene = new LedAstray(spoken, 6, 8);
    for (let fedMs = 0; fedMs < 8000; fedMs += 100) {
      scene.feed(100);
      scene.work();
      expect(scene.text).toEqual(scene.expected.slice(0, scene.text.length));
    }
    expect(scene.text.length).toBeGreaterThan(15);
  });

  it('is heard at the end of the speech, where no word comes behind it', () => {
    const spoken = steady(16);
    for (const silenceMs of [0, DEFAULT_POLICY.hushMs + 100, DEFAULT_POLICY.cutMs + 200]) {
      const scene = new LedAstray(spoken, 8, 7);
      hear(scene, spoken, silenceMs);
      expect(scene.text, `after ${silenceMs} ms of silence`).toEqual(scene.expected);
    }
  });

  it('is heard behind a pause, where the words before it are only context', () => {
    const spoken = steady(20, 8);
    const scene = new LedAstray(spoken, 7, 6);
    hear(scene, spoken);
    expect(scene.text).toEqual(scene.expected);
  });

  it('is heard at the beginning, where the same question would get the same answer', () => {
    const spoken = steady(60);
    for (const mode of ['live', 'batch'] as const) {
      // Some words, and more than a window holds.
      for (const count of [6, 60]) {
        const scene = new SlowToStart(spoken, count, mode);
        hear(scene, spoken);
        expect(scene.text, `${count} words, ${mode}`).toEqual(scene.expected);
      }
    }
  });

  it('is heard wherever it lies, in live streams and in files, however late the decodes come', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            gapMs: fc.constantFrom(0, 0, 0, 200, 900),
            lengthMs: fc.integer({ min: 250, max: 500 }),
          }),
          {
            minLength: 12,
            maxLength: 50,
          },
        ),
        fc.nat(),
        fc.integer({ min: 6, max: 14 }),
        fc.constantFrom('live' as const, 'batch' as const),
        fc.integer({ min: 100, max: 4000 }),
        (script, at, count, mode, pieceMs) => {
          const last = at % (script.length - 6);
          // A pause in the middle would leave less than what counts on either side.
          const isLost = (i: number) => i > last + 1 && i <= last + count;
          const spoken = speak(
            script.map(({ gapMs, lengthMs }, i) => ({
              gapMs: i === 0 ? 400 : isLost(i) ? 0 : gapMs,
              lengthMs,
            })),
          );
          const scene = new LedAstray(spoken, last, count, mode);
          const totalMs = (spoken.at(-1)?.endMs ?? 0) + 100;
          for (let fedMs = 0; fedMs < totalMs; fedMs += pieceMs) {
            scene.feed(pieceMs);
            scene.work();
          }
          scene.recogniser.flush(1);
          scene.work();
          expect(scene.text).toEqual(scene.expected);
          checkGuarantees(scene.said);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is heard while the speaker goes on, and does not wait for a pause', () => {
    const spoken = steady(40, 8);
    const scene = new LedAstray(spoken, 7, 32);
    for (let fedMs = 0; fedMs < 8000; fedMs += 100) {
      scene.feed(100);
      scene.work();
    }
    expect(scene.text.length).toBeGreaterThan(15);
    expect(scene.text).toEqual(scene.expected.slice(0, scene.text.length));
  });

  it('is believed to be none when it comes out the same, after one decode more', () => {
    for (const paused of [0, 10]) {
      const spoken = steady(30, paused);
      const scene = new Deaf(spoken, (i) => i < 10 || i >= 20);
      hear(scene, spoken);
      expect(scene.text).toEqual(scene.expected);
      const perfect = new Scene(spoken);
      hear(perfect, spoken);
      expect(scene.decodes).toBeLessThanOrEqual(perfect.decodes + 1);
    }
  });

  it('is heard behind a stretch that never had any words', () => {
    const spoken = steady(36);
    const scene = new Humming(spoken, 6, 20, 8);
    hear(scene, spoken);
    expect(scene.text).toEqual(scene.expected);
  });

  it('is none where the word that was said last was placed far too early', () => {
    const spoken = steady(16);
    const scene = new Misplacing(spoken, 5, 700);
    hear(scene, spoken);
    expect(scene.text).toEqual(scene.expected);
    const perfect = new Scene(spoken);
    hear(perfect, spoken);
    expect(scene.decodes).toBe(perfect.decodes);
  });

  it('is none while a long word is drawn out', () => {
    // Words of a second each: no decode more than for a model that is trusted.
    const spoken = speak(
      Array.from({ length: 12 }, (_, i) => ({ gapMs: i === 0 ? 400 : 0, lengthMs: 1000 })),
    );
    const [watched, trusting] = [DEFAULT_POLICY, policyOf({ uncoveredMs: Number.POSITIVE_INFINITY })].map(
      (policy) => {
        const scene = new Deaf(spoken, () => true, 'live', policy);
        hear(scene, spoken);
        expect(scene.text).toEqual(scene.expected);
        return scene.decodes;
      },
    );
    expect(watched).toBe(trusting);
  });

  it('costs a bounded share more, though somebody hums for a minute and a half', () => {
    const spoken = steady(300);
    for (const mode of ['live', 'batch'] as const) {
      // Now and then something that is taken for a word.
      for (const rest of [0, 7]) {
        const isHeard = (i: number) => i % 8 === rest;
        const scene = new Deaf(spoken, isHeard, mode);
        hear(scene, spoken);
        const trusting = new Deaf(spoken, isHeard, mode, policyOf({ uncoveredMs: Number.POSITIVE_INFINITY }));
        hear(trusting, spoken);
        const bound = trusting.decodedMs * (1 + DEFAULT_POLICY.againShare) + DEFAULT_POLICY.batchWindowMsMax;
        expect(scene.decodedMs).toBeLessThanOrEqual(bound);
      }
    }
  });
});
