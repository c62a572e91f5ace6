import { describe, expect, it } from 'vitest';
import { type Clock, type Pcm, pace } from '../src/index.js';

/** Time that only passes when somebody sleeps or the test says so. */
class TestClock implements Clock {
  ms = 1_000_000;
  readonly slept: number[] = [];

  nowMs(): number {
    return this.ms;
  }

  unixMs(): number {
    return this.ms;
  }

  after(ms: number, run: () => void): () => void {
    this.slept.push(ms);
    this.ms += ms;
    queueMicrotask(run);
    return () => undefined;
  }
}

async function timesOf(
  source: AsyncIterable<Pcm>,
  clock: TestClock,
  onPiece: (index: number) => void = () => undefined,
): Promise<{ atMs: number; length: number }[]> {
  const given: { atMs: number; length: number }[] = [];
  for await (const piece of source) {
    given.push({ atMs: clock.ms - 1_000_000, length: piece.length });
    onPiece(given.length);
  }
  return given;
}

describe('pace', () => {
  it('gives each piece when its last sample has been spoken, in pieces of 80 ms', async () => {
    const clock = new TestClock();
    const given = await timesOf(pace(new Float32Array(16 * 200), { clock }), clock);
    expect(given).toEqual([
      { atMs: 80, length: 1280 },
      { atMs: 160, length: 1280 },
      { atMs: 200, length: 640 },
    ]);
  });

  it('keeps shorter pieces as they are and counts bytes as samples', async () => {
    const clock = new TestClock();
    const chunks = [new Uint8Array(320), new Uint8Array(320), new Uint8Array(320)];
    const given = await timesOf(pace(chunks, { clock }), clock);
    expect(given.map(({ atMs }) => atMs)).toEqual([10, 20, 30]);
  });

  it('does not drift, whatever the consumer and the clock cost', async () => {
    const clock = new TestClock();
    const chunks = Array.from({ length: 1000 }, () => new Float32Array(441));
    let lastMs = 0;
    const source = pace(chunks, { clock, sampleRateHz: 44_100 });
    for await (const _ of source) {
      lastMs = clock.ms - 1_000_000;
      clock.ms += 3;
    }
    expect(lastMs).toBeCloseTo(10_000, 6);
  });

  it('runs as many times as fast as it is told', async () => {
    const clock = new TestClock();
    const given = await timesOf(pace(new Float32Array(16_000), { clock, rate: 4 }), clock);
    expect(given.at(-1)?.atMs).toBeCloseTo(250, 6);
  });

  it('does not wait or cut at the highest pace', async () => {
    const clock = new TestClock();
    const given = await timesOf(pace(new Float32Array(16_000), { clock, rate: 'max' }), clock);
    expect(given).toEqual([{ atMs: 0, length: 16_000 }]);
    expect(clock.slept).toEqual([]);
  });

  it('catches up after a stall by five seconds of audio and no more', async () => {
    const clock = new TestClock();
    const chunks = Array.from({ length: 300 }, () => new Float32Array(1280));
    const given = await timesOf(pace(chunks, { clock }), clock, (index) => {
      if (index === 10) clock.ms += 20_000;
    });
    // The piece of 0.88 s is 19.92 s late: 5 s of audio come at once, 14.92 s of delay remain.
    const atOnce = given.filter(({ atMs }) => atMs === 20_800).length;
    expect(atOnce).toBe(63);
    expect(given.at(-1)?.atMs).toBeCloseTo(24_000 + 14_920, 6);
  });

  it('refuses a pace that does not exist', async () => {
    for (const rate of [0, -1, Number.NaN]) {
      await expect(pace(new Float32Array(1), { rate }).next()).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    }
  });

  it('stops waiting when its signal fires, with the system clock too', async () => {
    const controller = new AbortController();
    const next = pace(new Float32Array(1_000_000), { rate: 0.001, signal: controller.signal }).next();
    controller.abort(new Error('bored'));
    await expect(next).rejects.toMatchObject({ code: 'aborted', cause: new Error('bored') });
  });
});
