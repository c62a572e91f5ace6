import { describe, expect, it } from 'vitest';
import { checkEndpointRules, ENDPOINT_RULES, type EndpointRule, findEndpoint } from '../src/endpointing.js';

/**
 * Plays a timeline of speech (positive) and silence (negative lengths, ms) in frames of 10 ms and tells where
 * which rule ended an utterance. An utterance starts with the first speech after the last end.
 */
function endpointsOf(rules: readonly EndpointRule[], timeline: readonly number[]): [number, string][] {
  const ends: [number, string][] = [];
  const frameMs = 10;
  let nowMs = 0;
  let state = { speechMs: 0, trailingSilenceMs: 0, utteranceMs: 0 };
  for (const spanMs of timeline) {
    for (let ms = 0; ms < Math.abs(spanMs); ms += frameMs) {
      nowMs += frameMs;
      if (spanMs > 0) {
        state = {
          speechMs: state.speechMs + frameMs,
          trailingSilenceMs: 0,
          utteranceMs: state.utteranceMs + frameMs,
        };
      } else if (state.speechMs > 0) {
        state = {
          speechMs: state.speechMs,
          trailingSilenceMs: state.trailingSilenceMs + frameMs,
          utteranceMs: state.utteranceMs + frameMs,
        };
      }
      const rule = findEndpoint(rules, state);
      if (rule === undefined) continue;
      ends.push([nowMs, rule.name]);
      state = { speechMs: 0, trailingSilenceMs: 0, utteranceMs: 0 };
    }
  }
  return ends;
}

describe('endpointing with the default rules', () => {
  it.each([
    ['ends after 600 ms of silence', [2000, -2000], [[2600, 'pause']]],
    ['goes on over a breath', [2000, -590, 1000, -600], [[4190, 'pause']]],
    [
      'ends each of two sentences',
      [1000, -700, 1000, -700],
      [
        [1600, 'pause'],
        [3300, 'pause'],
      ],
    ],
    ['never ends silence', [-60_000], []],
    ['never ends what is still spoken', [24_000], []],
    ['takes a breath at 24 s for a breath', [24_000, -300], []],
    ['takes a breath at 25 s for an end', [25_000, -300], [[25_250, 'long']]],
    ['ends in the breath that reaches 25 s', [24_800, -400], [[25_050, 'long']]],
    [
      'cuts at 30 s whatever is said',
      [70_000],
      [
        [30_000, 'limit'],
        [60_000, 'limit'],
      ],
    ],
    ['prefers the breath before 30 s to the cut at 30 s', [29_700, -600], [[29_950, 'long']]],
  ])('%s', (_, timeline, ends) => {
    expect(endpointsOf(ENDPOINT_RULES, timeline)).toEqual(ends);
  });
});

describe('endpoint rules', () => {
  const state = { speechMs: 0, trailingSilenceMs: 5000, utteranceMs: 5000 };

  it('may end an utterance without speech when they say so', () => {
    const rule = { name: 'nothing', trailingSilenceMs: 5000 };
    expect(findEndpoint([rule], state)).toBeUndefined();
    expect(findEndpoint([{ ...rule, mustHaveSpeech: false }], state)?.name).toBe('nothing');
  });

  it('may be for short utterances only', () => {
    const rule = { name: 'short', trailingSilenceMs: 300, utteranceMsMax: 1000 };
    const short = { speechMs: 500, trailingSilenceMs: 300, utteranceMs: 999 };
    expect(findEndpoint([rule], short)?.name).toBe('short');
    expect(findEndpoint([rule], { ...short, utteranceMs: 1000 })).toBeUndefined();
  });

  it('go in order: the first that fires names the end', () => {
    const rules = [
      { name: 'second', trailingSilenceMs: 6000 },
      { name: 'first', trailingSilenceMs: 100 },
      { name: 'third', trailingSilenceMs: 0 },
    ];
    expect(findEndpoint(rules, { ...state, speechMs: 1 })?.name).toBe('first');
  });

  it('are refused when they are doubled, negative, empty, or bound nothing', () => {
    const limit = { name: 'limit', trailingSilenceMs: 0, utteranceMsMin: 1 };
    expect(() => checkEndpointRules(ENDPOINT_RULES)).not.toThrow();
    expect(() => checkEndpointRules([limit, limit])).toThrow(RangeError);
    expect(() => checkEndpointRules([limit, { name: 'a', trailingSilenceMs: -1 }])).toThrow(RangeError);
    expect(() => checkEndpointRules([limit, { name: 'a', trailingSilenceMs: Number.NaN }])).toThrow(
      RangeError,
    );
    const empty = { name: 'a', trailingSilenceMs: 1, utteranceMsMin: 5, utteranceMsMax: 5 };
    expect(() => checkEndpointRules([limit, empty])).toThrow(RangeError);
    expect(() => checkEndpointRules([{ name: 'pause', trailingSilenceMs: 600 }])).toThrow(RangeError);
  });
});
