import { describe, expect, it } from 'vitest';
import { isMixed, LaneConverter, laneOf, lanesOfWish, parseChannelWish } from '../../src/channels/index.js';
import { SpeechConverter } from '../../src/speech-converter.js';
import { interleaved, voice } from './voices.js';

describe('a wish', () => {
  it('is one of three words, or the number of a channel', () => {
    expect(['auto', 'mix', 'each', '1', '2', '64'].map(parseChannelWish)).toEqual([
      'auto',
      'mix',
      'each',
      1,
      2,
      64,
    ]);
    for (const text of ['', 'left', 'Auto', '0', '65', '-1', '1.5', '01', '1,2']) {
      expect(parseChannelWish(text), text).toBeUndefined();
    }
  });

  it('says what is heard of so many channels', () => {
    expect(lanesOfWish('auto', 2)).toEqual([[0, 1]]);
    expect(lanesOfWish('mix', 3)).toEqual([[0, 1, 2]]);
    expect(lanesOfWish('each', 3)).toEqual([[0], [1], [2]]);
    expect(lanesOfWish('each', 1)).toEqual([[0]]);
    expect(lanesOfWish(2, 6)).toEqual([[1]]);
    expect(isMixed(lanesOfWish('mix', 2), 2)).toBe(true);
    expect(isMixed(lanesOfWish(1, 2), 2)).toBe(false);
  });

  it('for a channel that is not there is refused with what there is', () => {
    expect(() => lanesOfWish(3, 2)).toThrow(
      'This recording has 2 channels: channels may be auto, mix, each, or 1 to 2.',
    );
    expect(() => lanesOfWish(2, 1)).toThrow('one channel: channels may be auto, mix, each, or 1.');
    expect(() => lanesOfWish('each', 9)).toThrow('9 channels, and 8 can be heard apart');
  });
});

describe('lanes', () => {
  const [first, second, third] = [voice(1, 1), voice(2, 1), voice(3, 1)];
  const sound = interleaved(first, second, third);
  const alone = (samples: Float32Array, channels = 1): number[] => {
    const converter = new SpeechConverter({ sampleRateHz: 44_100, channels });
    return [...converter.push(samples), ...converter.finish()];
  };
  const apart = (lanes: readonly (readonly number[])[], channels = 3, samples = sound): Float32Array => {
    const converter = new LaneConverter({ sampleRateHz: 44_100, channels, lanes });
    return Float32Array.of(...converter.push(samples), ...converter.finish());
  };

  it('are each what that channel would be alone, sample by sample', () => {
    const out = apart([[2], [0]]);
    expect([...laneOf(out, 0, 2)]).toEqual(alone(third));
    expect([...laneOf(out, 1, 2)]).toEqual(alone(first));
    expect([...apart([[0, 1, 2]])]).toEqual(alone(sound, 3));
    expect([...laneOf(apart([[0, 2], [1]]), 0, 2)]).toEqual(alone(interleaved(first, third), 2));
  });

  it('that name a channel which is not there: the first hears everything, the others silence', () => {
    const out = apart([[0], [1]], 1, first);
    expect([...laneOf(out, 0, 2)]).toEqual(alone(first));
    expect(laneOf(out, 1, 2).every((sample) => sample === 0)).toBe(true);
  });
});
