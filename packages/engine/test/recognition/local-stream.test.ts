import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/errors.js';
import { machineClock } from '../../src/recognition/engine-clock.js';
import { RECOGNITION_LIMITS } from '../../src/recognition/limits.js';
import { LocalStream } from '../../src/recognition/local-stream.js';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { Lexicon } from './lexicon.js';

const PER_MS = 16;
/** The piece that passes the bound is still taken. */
const PIECE_MS = 1000;

function openStream(): LocalStream {
  const options = {
    policy: DEFAULT_POLICY,
    vocabulary: new Lexicon(),
    mode: 'live' as const,
    partials: false,
    onsets: false,
    endpoint: () => undefined,
  };
  return new LocalStream(options, {
    clock: machineClock,
    beginVoice: () => undefined,
    hasSpeakers: () => false,
    wake: () => {},
    released: () => {},
  });
}

/** Everything that is ready to run has run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets voice detection answer one request: nobody speaks. False when it has nothing to ask. */
function hearSilence(stream: LocalStream): boolean {
  const request = stream.nextVoice();
  if (request === undefined) return false;
  const { samples, state } = request;
  stream.heard({ probabilities: new Float32Array(samples.length / 512), state });
  expect(stream.plan()).toBeUndefined();
  return true;
}

describe('a stream that is written to faster than it hears', () => {
  it('takes audio up to its bound, then lets the writer wait until some of it is settled', async () => {
    const stream = openStream();
    const aheadMs = 10_000;
    let isWritten = false;
    const audio = new Float32Array((RECOGNITION_LIMITS.backlogMsMax + aheadMs) * PER_MS);
    const writing = stream.write(audio).then(() => {
      isWritten = true;
    });
    await settled();
    expect(isWritten).toBe(false);
    expect(stream.backlogMs).toBeGreaterThan(RECOGNITION_LIMITS.backlogMsMax);
    expect(stream.backlogMs).toBeLessThanOrEqual(RECOGNITION_LIMITS.backlogMsMax + PIECE_MS);
    let heardMs = 0;
    while (!isWritten && hearSilence(stream)) {
      heardMs += RECOGNITION_LIMITS.vadMsMax;
      await settled();
      expect(stream.backlogMs).toBeLessThanOrEqual(RECOGNITION_LIMITS.backlogMsMax + PIECE_MS);
    }
    await writing;
    expect(heardMs).toBeGreaterThanOrEqual(aheadMs - PIECE_MS);
    expect(heardMs).toBeLessThanOrEqual(aheadMs + 2 * RECOGNITION_LIMITS.vadMsMax);
    await stream.close();
  });

  it('tells a writer that waits when it is closed', async () => {
    const stream = openStream();
    const writing = stream.write(new Float32Array((RECOGNITION_LIMITS.backlogMsMax + 10_000) * PER_MS));
    const refused = expect(writing).rejects.toMatchObject({ code: 'engine_closed' });
    await settled();
    await stream.close();
    await refused;
  });
});

describe('a stream whose voice detector fails', () => {
  it('has it listen to the same audio, just as loud', async () => {
    const stream = openStream();
    const frame = (peak: number): Float32Array => new Float32Array(512).fill(peak);
    await stream.write(Float32Array.from([...frame(0.000_1), ...frame(0.001), ...frame(0.000_1)]));
    const first = stream.nextVoice();
    stream.listenFailed(new EngineError('engine_internal', 'Its thread died.'));
    const again = stream.nextVoice();
    expect(again?.samples).toEqual(first?.samples);
    expect(first?.samples[600]).toBeCloseTo(0.001 * 10 ** (18 / 20), 4);
    await stream.close();
  });
});
