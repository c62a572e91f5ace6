/** No speaker pays for another: what each gets, in virtual time, whatever decides about it. */
import { afterEach, describe, expect, it } from 'vitest';
import { Crowd, expectedText, type Speaker } from './crowd.js';

let crowd: Crowd;
afterEach(() => crowd.end());

/** The lag of one speaker who speaks for half a minute beside so many who send as fast as they can. */
async function lagBeside(count: number, threads: number, cores?: number): Promise<number> {
  crowd = new Crowd(threads, cores);
  await crowd.pour(count);
  const speaker = await crowd.enter();
  void speaker.speakFor(30_000);
  await crowd.run(32_000);
  expect(speaker.text).toEqual(expectedText(speaker.text.length));
  expect(speaker.settledMs).toBeGreaterThan(25_000);
  return speaker.lagMs();
}

describe('a speaker beside four who send as fast as they can', () => {
  it('hears their words as soon as alone', async () => {
    const alone = await lagBeside(0, 2);
    await crowd.end();
    expect(await lagBeside(4, 2)).toBeLessThan(1.3 * alone);
  });

  it('waits for one of their decodes at most where there is one thread', async () => {
    const alone = await lagBeside(0, 1);
    await crowd.end();
    expect(await lagBeside(4, 1)).toBeLessThan(alone + 500);
  });

  it('stays near what they have alone where the threads have less than a core each', async () => {
    const alone = await lagBeside(0, 2, 0.7);
    await crowd.end();
    expect(await lagBeside(4, 2, 0.7)).toBeLessThan(1.6 * alone);
  });

  it('waits no longer when they begin later, or are files', async () => {
    crowd = new Crowd(2);
    const speaker = await crowd.enter();
    void speaker.speakFor(50_000);
    await crowd.run(20_000);
    await crowd.pour(2);
    await crowd.pour(2, 'batch');
    await crowd.run(32_000);
    expect(speaker.lagMs(20_000)).toBeLessThan(1.3 * speaker.lagMs(0, 20_000));
  });
});

describe('those who send as fast as they can', () => {
  const settled = (speakers: readonly Speaker[]): number[] => speakers.map(({ settledMs }) => settledMs);

  it('share evenly what there is, and hear their words whole', async () => {
    crowd = new Crowd(2);
    const first = await crowd.pour(3);
    const speaker = await crowd.enter();
    void speaker.speakFor(40_000);
    await crowd.run(15_000);
    const before = settled(first);
    const second = await crowd.pour(1, 'batch');
    await crowd.run(25_000);
    const gained = [...settled(first).map((ms, i) => ms - (before[i] ?? 0)), ...settled(second)];
    expect(Math.min(...gained)).toBeGreaterThan(0.7 * Math.max(...gained));
    for (const { text } of [...first, ...second]) {
      expect(text.length).toBeGreaterThan(50);
      expect(text).toEqual(expectedText(text.length));
    }
  });

  it('have every thread when nobody speaks, and again soon after the last word', async () => {
    crowd = new Crowd(2);
    const pouring = await crowd.pour(2);
    await crowd.run(10_000);
    const alone = Math.min(...settled(pouring));
    const speaker = await crowd.enter();
    await Promise.all([speaker.speakFor(3000), crowd.run(15_000)]);
    const before = Math.min(...settled(pouring));
    await crowd.run(10_000);
    expect(Math.min(...settled(pouring)) - before).toBeGreaterThan(0.8 * alone);
  });

  it('go on, slowly, where speakers take all the time there is', async () => {
    crowd = new Crowd(1);
    const speakers = await Promise.all(Array.from({ length: 8 }, () => crowd.enter()));
    for (const speaker of speakers) void speaker.speakFor(40_000);
    const pouring = await crowd.pour(2);
    await crowd.run(40_000);
    for (const each of pouring) expect(each.settledMs).toBeGreaterThan(10_000);
  });
});

describe('a speaker who comes back and sends again what was not heard', () => {
  it('waits like a file with it, and is then heard as soon as before', async () => {
    crowd = new Crowd(2);
    const first = await crowd.enter();
    void first.speakFor(30_000);
    await crowd.run(30_000);
    const alone = first.lagMs();
    await first.leave();

    await crowd.pour(4);
    const back = await crowd.enter();
    const REPLAY_MS = 20_000;
    void back.send(REPLAY_MS).then(() => back.speakFor(40_000));
    await crowd.run(42_000);
    // Twice what a stream that was ahead has to keep the pace for.
    const soon = REPLAY_MS + 10_000;
    expect(back.lagMs(soon, Number.POSITIVE_INFINITY, REPLAY_MS)).toBeLessThan(1.3 * alone);
    expect(back.text).toEqual(expectedText(back.text.length));
  });

  it('is not held back for what a network held up', async () => {
    crowd = new Crowd(2);
    const speaker = await crowd.enter();
    void speaker.speakFor(20_000);
    await crowd.run(20_000);
    const before = speaker.lagMs();
    await crowd.run(8000);
    void speaker.send(8000).then(() => speaker.speakFor(20_000));
    await crowd.run(22_000);
    // What came late was sent late: the wait counts from then.
    expect(speaker.lagMs(28_000, 50_000)).toBeLessThan(1.3 * before);
  });

  it('hears what it sent ahead soon although nothing follows it, not even the end', async () => {
    crowd = new Crowd(2);
    const [paced, ahead] = [await crowd.enter(), await crowd.enter()];
    void paced.speakFor(6000);
    void ahead.send(6000);
    await crowd.run(12_000);
    expect(ahead.text.length).toBeGreaterThan(10);
    expect(ahead.text).toEqual(paced.text);
  });
});
