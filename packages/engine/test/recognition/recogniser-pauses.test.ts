import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { Scene, speak } from './scene.js';

describe('the recogniser in a silence', () => {
  it('decodes a silence once, in advance, and has all said and ended the moment it has become a pause', () => {
    const spoken = speak([
      { gapMs: 400, lengthMs: 600 },
      { gapMs: 0, lengthMs: 400 },
    ]);
    const scene = new Scene(spoken);
    const spokenMs = spoken.at(-1)?.endMs ?? 0;
    scene.feed(spokenMs + DEFAULT_POLICY.hushMs - 32);
    scene.work();
    expect(scene.text.length).toBeLessThan(spoken.length);
    const decodes = scene.decodes;
    scene.feed(64);
    scene.work();
    expect(scene.decodes).toBe(decodes + 1);
    scene.feed(DEFAULT_POLICY.cutMs - DEFAULT_POLICY.hushMs);
    scene.work();
    expect(scene.decodes).toBe(decodes + 1);
    expect(scene.text).toEqual(scene.expected);
    expect(scene.said.some(({ type }) => type === 'utterance')).toBe(true);
  });

  it('believes nothing of what it decoded in a silence in which somebody spoke on', () => {
    const spoken = speak([
      { gapMs: 400, lengthMs: 600 },
      { gapMs: 0, lengthMs: 400 },
      { gapMs: 400, lengthMs: 500 },
    ]);
    const scene = new Scene(spoken);
    scene.feed(1400 + DEFAULT_POLICY.hushMs + 32);
    for (let request = scene.begin(); request !== undefined; request = scene.begin()) {
      const heard = scene.hear(request);
      // It mistook the last word, and hears it once there is more behind it.
      scene.recogniser.finish({ ...heard, tokens: [...heard.tokens.slice(0, -1), 1500] });
    }
    scene.feed(2500);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
  });

  it('decodes in advance anew when a short word was said in between', () => {
    const spoken = speak([
      { gapMs: 400, lengthMs: 600 },
      { gapMs: 300, lengthMs: 200 },
    ]);
    const scene = new Scene(spoken);
    scene.feed(1000 + DEFAULT_POLICY.hushMs + 32);
    scene.work();
    const decodes = scene.decodes;
    scene.feed(500 + DEFAULT_POLICY.hushMs - 32);
    scene.work();
    expect(scene.decodes).toBe(decodes + 1);
    scene.feed(DEFAULT_POLICY.cutMs);
    scene.work();
    expect(scene.decodes).toBe(decodes + 1);
    expect(scene.text).toEqual(scene.expected);
  });

  it('keeps its windows bounded for somebody who halts after each word, on a machine that comes late', () => {
    const spoken = speak(Array.from({ length: 60 }, () => ({ gapMs: 350, lengthMs: 200 })));
    const scene = new Scene(spoken);
    // What it finds to do is always a silence of 288 ms: decoded in advance, never said as a pause.
    scene.feed(288);
    for (const _ of spoken) {
      scene.feed(550);
      scene.work();
    }
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    expect(scene.longestMs).toBeLessThanOrEqual(DEFAULT_POLICY.windowMsMax + 1000);
  });
});
