/** In which order things may be said, and what becomes of those that come at the wrong time. */
import { expect } from 'vitest';
import { audio, COMMIT, FINAL } from '../raw-client.js';
import {
  type Check,
  expectEmpty,
  expectWhole,
  firstSamples,
  inSession,
  SINCE_0_31,
  session,
  speak,
  tailDeltas,
  totalDeltas,
  type World,
} from './check.js';

export const ORDER_CHECKS: readonly Check[] = [
  {
    name: 'ignores a commit in a running utterance, so one with each piece of audio is harmless',
    run: (world) =>
      inSession(world, async (client) => {
        for (let at = 0; at < 10; at += 1) client.send(COMMIT, audio(2_000));
        client.send(FINAL);
        expectWhole(world, await client.answer(), 20_000);
        await client.quiet();
      }),
  },
  {
    name: 'loses audio that it reads between final and done, and takes what it reads later for the next utterance',
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(16_000), FINAL);
        const { wasRead, ...first } = await client.cross(audio(9_000));
        expectWhole(world, first, 16_000);
        const second = await speak(client, 1_600);
        const isKept = !wasRead && second.deltas.length === totalDeltas(10_600);
        expectWhole(world, second, isKept ? 10_600 : 1_600);
      }),
  },
  {
    name: 'ends the next utterance at once where there was a final without one, and the one behind it is whole',
    run: (world) =>
      inSession(world, async (client) => {
        client.send(FINAL);
        await client.quiet();
        client.send(COMMIT);
        expectEmpty(world, await client.answer());
        expectWhole(world, await speak(client, 1_600), 1_600);
      }),
  },
  {
    name: 'forgets a second final that it reads before done, and ends the next utterance with one that it reads later',
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(16_000), FINAL);
        const { wasRead, ...first } = await client.cross(FINAL);
        expectWhole(world, first, 16_000);
        const second = await speak(client, 1_600);
        if (!wasRead && second.deltas.length < 2) expectEmpty(world, second);
        else expectWhole(world, second, 1_600);
      }),
  },
  {
    name: 'keeps what came before a commit',
    run: (world) =>
      inSession(world, async (client) => {
        client.send(audio(1_600));
        await client.quiet();
        expectWhole(world, await speak(client, 1_600), 3_200);
      }),
  },
  {
    name: 'does not mind a session.update in the middle, and an error in it changes nothing',
    ages: SINCE_0_31,
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(800), { type: 'session.update', model: 'other' });
        expect((await client.next())['code']).toBe('model_not_found');
        client.send({ type: 'session.update', model: world.model }, audio(800), FINAL);
        expectWhole(world, await client.answer(), 1_600);
      }),
  },
  {
    name: 'answers several at once, each its own',
    run: async (world) => {
      const lengths = [1_600, 9_000, 20_000, 16_000];
      await Promise.all(
        lengths.map((samples) =>
          inSession(world, async (client) => expectWhole(world, await speak(client, samples), samples)),
        ),
      );
    },
  },
  {
    name: 'counts a session that waits for audio among those that wait, as deferred',
    ages: SINCE_0_31,
    run: (world) =>
      inSession(world, async (client) => {
        const before = await waiting(world);
        client.send(COMMIT, audio(firstSamples(world)));
        await client.deltas(1);
        await expect.poll(() => waiting(world)).toBe(before + 1);
        client.send(FINAL);
        await client.answer();
        await expect.poll(() => waiting(world)).toBe(before);
      }),
  },
  {
    name: 'lets go of the utterance of a client that goes away',
    ages: SINCE_0_31,
    run: async (world) => {
      const before = await waiting(world);
      const client = await session(world);
      client.send(COMMIT, audio(firstSamples(world)));
      await client.deltas(1);
      await expect.poll(() => waiting(world)).toBe(before + 1);
      client.socket.terminate();
      await expect.poll(() => waiting(world)).toBe(before);
    },
  },
  {
    name: 'tears a session down at a binary frame, without a word or a close',
    run: async (world) => {
      const client = await session(world);
      client.send(Buffer.from('{}'));
      expect(await client.closed).toStrictEqual({ code: 1006, reason: '' });
    },
  },
  {
    name: 'reads messages of 16 MiB, and closes with 1009 at a byte more',
    run: async (world) => {
      const client = await session(world);
      client.send('x'.repeat(16_777_216));
      expect((await client.next())['code']).toBe('invalid_json');
      client.send('x'.repeat(16_777_217));
      expect(await client.closed).toStrictEqual({
        code: 1009,
        reason: 'frame exceeds limit of 16777216 bytes',
      });
    },
  },
  {
    name: 'closes with 1007 at text that is not UTF-8',
    run: async (world) => {
      const client = await session(world);
      client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
      expect((await client.closed).code).toBe(1007);
    },
  },
  {
    name: 'waits for audio longer than a minute, and goes on',
    ages: SINCE_0_31,
    run: async (world) => {
      await world.aMinuteLater();
      world.resting.send(audio(1_280));
      await world.resting.deltas(1);
      world.resting.send(FINAL);
      const { deltas, end } = await world.resting.answer();
      expect(end['type']).toBe('transcription.done');
      expect(deltas).toHaveLength(tailDeltas(world));
    },
  },
  {
    name: 'is deaf after a minute without audio: one delta more, and then never anything',
    ages: ['0.17.1'],
    run: async (world) => {
      await world.aMinuteLater();
      const { resting } = world;
      resting.send(audio(12_800));
      await resting.deltas(1);
      resting.send(FINAL, COMMIT);
      // Others are not, and what they are answered takes as long as the rest would have.
      await inSession(world, async (client) => expectWhole(world, await speak(client, 16_000), 16_000));
      await resting.quiet();
    },
  },
];

async function waiting({ httpUrl }: World): Promise<number> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text();
  const [, total] = /^vllm:num_requests_waiting\{[^}]*\} (\S+)$/m.exec(text) ?? [];
  const [, deferred] =
    /^vllm:num_requests_waiting_by_reason\{[^}]*reason="deferred"\} (\S+)$/m.exec(text) ?? [];
  expect(deferred).toBe(total);
  return Number(total);
}
