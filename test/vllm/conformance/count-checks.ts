/** How many deltas there are, and when: the clock of whoever listens. */
import { expect } from 'vitest';
import { audio, COMMIT, FINAL } from '../raw-client.js';
import {
  type Check,
  expectDone,
  expectEmpty,
  expectWhole,
  firstSamples,
  inSession,
  speak,
  tailDeltas,
  totalDeltas,
} from './check.js';

/** Around the borders of steps, with fewer deltas each than 128 tokens have room for. */
const LENGTHS = [1, 39, 40, 41, 1_279, 1_280, 1_600, 8_999, 9_000, 9_001, 10_279, 10_280, 16_000, 80_000];

export const COUNT_CHECKS: readonly Check[] = [
  {
    name: 'answers N samples with 1 + floor((N + 12760) / 1280) deltas and their sum, whatever its delay',
    on: ['roomy', 'tight'],
    run: (world) =>
      inSession(world, async (client) => {
        for (const samples of LENGTHS) expectWhole(world, await speak(client, samples), samples);
      }),
  },
  {
    name: 'counts one delta for each 80 ms of audio from the delay and 82.5 ms on, and 11 with those of the delay behind final',
    on: ['roomy', 'tight'],
    run: (world) =>
      inSession(world, async (client) => {
        const first = firstSamples(world);
        client.send(COMMIT, audio(first - 1));
        await client.quiet();
        // Each of them is waited for: one too many would come before what follows.
        for (const samples of [1, 1_280, 1_280, 1_280]) {
          client.send(audio(samples));
          await client.deltas(1);
        }
        client.send(audio(1_279));
        await client.quiet();
        client.send(FINAL);
        const { deltas } = await client.answer();
        // One of them is that of the last sample but one, which the silence behind it completes.
        expect(deltas).toHaveLength(tailDeltas(world));
      }),
  },
  {
    name: 'counts the same however the audio is cut, and wherever the commit stands before final',
    run: (world) =>
      inSession(world, async (client) => {
        const parts = Array.from({ length: 100 }, () => audio(99));
        client.send(COMMIT, ...parts, audio(1), FINAL);
        expectWhole(world, await client.answer(), 9_901);
        client.send(...parts, COMMIT, audio(1), FINAL);
        expectWhole(world, await client.answer(), 9_901);
        client.send(...parts, audio(1), FINAL, COMMIT);
        expectWhole(world, await client.answer(), 9_901);
      }),
  },
  {
    name: 'begins each utterance of a session anew',
    run: (world) =>
      inSession(world, async (client) => {
        for (const samples of [20_000, 1_600, 20_000]) {
          expectWhole(world, await speak(client, samples), samples);
        }
      }),
  },
  {
    name: 'answers an empty utterance, and the next one whole',
    on: ['roomy', 'tight'],
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, FINAL);
        expectEmpty(world, await client.answer());
        expectWhole(world, await speak(client, 1_600), 1_600);
      }),
  },
  {
    name: 'goes on with an utterance in which bad audio was refused',
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(800), { ...audio(0), audio: 'AAA' });
        expect((await client.next())['code']).toBe('invalid_audio');
        client.send(audio(800), FINAL);
        expectDone(world, await client.answer(), totalDeltas(1_600));
      }),
  },
];
