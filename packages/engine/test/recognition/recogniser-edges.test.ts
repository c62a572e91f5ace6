import { describe, expect, it } from 'vitest';
import type { DecodeRequest, DecodeResult } from '../../src/decoder.js';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { checkGuarantees, Scene, type Spoken, speak } from './scene.js';

const BEFORE = DEFAULT_POLICY.quietBeforeMs * 16;
const BEHIND = DEFAULT_POLICY.quietBehindMs * 16;

/** What a scene asks its model about all that was spoken, cut off `silenceMs` behind it. */
function asked(spoken: readonly Spoken[], silenceMs: number): readonly [Scene, DecodeRequest] {
  const scene = new Scene(spoken, 'batch');
  scene.feed((spoken.at(-1)?.endMs ?? 0) + silenceMs);
  scene.recogniser.flush(1);
  const request = scene.begin();
  if (request === undefined) throw new Error('there is something to decode');
  return [scene, request];
}

describe('speech that touches the ends of its audio', () => {
  it('lies in silence for the model, and its words are where they were said', () => {
    const [scene, request] = asked(speak([{ gapMs: 0, lengthMs: 384 }]), 0);
    expect(request.samples.length).toBe(BEFORE + 384 * 16 + BEHIND);
    expect(request.samples.subarray(0, BEFORE).every((sample) => sample === 0)).toBe(true);
    expect(request.samples.subarray(-BEHIND).every((sample) => sample === 0)).toBe(true);
    scene.finish(request);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    expect(scene.words).toMatchObject([{ startMs: 0, endMs: 384 }]);
    checkGuarantees(scene.said);
  });

  it('has enough where there is silence of its own', () => {
    const [, request] = asked(speak([{ gapMs: 320, lengthMs: 384 }]), 192);
    expect(request.samples.length).toBe((320 + 384 + 192) * 16);
  });

  it('is given none at its end while somebody speaks on', () => {
    const scene = new Scene(speak([{ gapMs: 0, lengthMs: 2000 }]));
    scene.feed(800);
    expect(scene.begin()?.samples.length).toBe(BEFORE + 800 * 16);
  });
});

/** A model that hears of a word that is said over and over one time less, where there are more than three of them. */
class Miscounting extends Scene {
  override hear(request: DecodeRequest): DecodeResult {
    const result = super.hear(request);
    if (result.tokens.length < 4) return result;
    const without = <Item>(items: readonly Item[]): Item[] => items.filter((_, i) => i !== 2);
    const { tokens, logProbabilities, entropies, endMs, ended } = result;
    return {
      tokens: without(tokens),
      logProbabilities: without(logProbabilities),
      entropies: without(entropies),
      endMs: without(endMs),
      ended,
    };
  }
}

describe('a word that is said over and over', () => {
  const over = (gapMs: number, times: number): Spoken[] =>
    speak(Array.from({ length: times }, (_, i) => ({ gapMs: i === 0 ? 400 : gapMs, lengthMs: 384 }))).map(
      (word) => ({
        ...word,
        token: 7,
      }),
    );

  it('is said as often as it was spoken', () => {
    const [scene, request] = asked(over(0, 6), 300);
    scene.finish(request);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
  });

  it('is heard from pause to pause where it is unclear how often that was', () => {
    const spoken = over(128, 8);
    const scene = new Miscounting(spoken, 'batch');
    scene.feed((spoken.at(-1)?.endMs ?? 0) + 700);
    scene.work();
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    expect(scene.decodes).toBe(4);
    checkGuarantees(scene.said);
  });
});
