import { findEndpoint } from '@kikitori/engine';
import { describe, expect, it } from 'vitest';
import { PauseMeter } from '../../src/turns/pause-meter.js';
import { RELAY_ENDPOINT_RULES } from '../../src/turns/turn-rules.js';

/** Noise of that level, the same each time: a linear congruential generator. */
function noise(lengthMs: number, level: number, seed = 1): Int16Array {
  let state = seed;
  return Int16Array.from({ length: lengthMs * 16 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.round((state / 2 ** 30 - 1) * level);
  });
}

function joined(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** Nobody speaks for long at one loudness. */
function talk(lengthMs: number): Int16Array {
  const syllables = Array.from({ length: lengthMs / 500 }, () => [noise(440, 8_000), noise(60, 20)]);
  return joined(...syllables.flat());
}

/** Where the rules end utterances, milliseconds. */
function cutsOf(samples: Int16Array): { readonly atMs: number; readonly rule: string }[] {
  const meter = new PauseMeter();
  const cuts: { atMs: number; rule: string }[] = [];
  for (let at = 0; at < samples.length; ) {
    let rule: string | undefined;
    at += meter.listen(samples.subarray(at), (state) => {
      rule = findEndpoint(RELAY_ENDPOINT_RULES, state)?.name;
      return rule !== undefined;
    });
    if (rule === undefined) break;
    cuts.push({ atMs: at / 16, rule });
    meter.restart();
  }
  return cuts;
}

describe('pauses heard by loudness', () => {
  it.each([
    ['loud', 8_000, 20],
    ['soft', 200, 3],
    ['in steady noise', 3_000, 500],
    ['after digital silence', 3_000, 0],
  ])('are found where speech is %s', (_, speech, room) => {
    const samples = joined(noise(1_000, room), noise(2_000, speech), noise(1_500, room), noise(500, speech));
    expect(cutsOf(samples)).toEqual([{ atMs: 3_600, rule: 'pause' }]);
  });

  it('are none without speech, however long, but for the limit', () => {
    expect(cutsOf(noise(119_000, 300))).toEqual([]);
    expect(cutsOf(new Int16Array(119_000 * 16))).toEqual([]);
    expect(cutsOf(noise(121_000, 300))).toEqual([{ atMs: 120_000, rule: 'limit' }]);
  });

  it('may be shorter the longer somebody speaks, and at the limit no pause at all', () => {
    const breath = (speechMs: number, pauseMs: number): Int16Array =>
      joined(noise(500, 20), talk(speechMs), noise(pauseMs - 60, 20), talk(2_000));
    expect(cutsOf(breath(10_000, 400))).toEqual([]);
    expect(cutsOf(breath(26_000, 400))).toEqual([{ atMs: 26_740, rule: 'long' }]);
    expect(cutsOf(breath(51_000, 200))).toEqual([{ atMs: 51_540, rule: 'breath' }]);
    expect(cutsOf(breath(125_000, 400))[0]).toEqual({ atMs: 120_000, rule: 'limit' });
  });

  it('are not ended by a click', () => {
    const samples = joined(
      noise(1_000, 20),
      noise(2_000, 8_000),
      noise(300, 20),
      noise(10, 8_000),
      noise(600, 20),
    );
    expect(cutsOf(samples)).toEqual([{ atMs: 3_600, rule: 'pause' }]);
  });

  it('do not depend on how the samples come', () => {
    const samples = joined(noise(1_000, 20), noise(2_000, 8_000), noise(1_000, 20));
    const meter = new PauseMeter();
    let pausedAt = 0;
    for (let at = 0; at < samples.length; at += 333) {
      meter.listen(samples.subarray(at, at + 333), ({ trailingSilenceMs, speechMs }) => {
        if (speechMs > 0 && trailingSilenceMs === 600) pausedAt = at;
        return false;
      });
    }
    expect(meter.speechEndMs).toBe(3_000);
    expect(Math.abs(pausedAt / 16 - 3_600)).toBeLessThan(25);
  });
});
