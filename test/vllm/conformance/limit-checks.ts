/** What happens at `max_model_len`, and what when a server dies. */
import { expect } from 'vitest';
import { audio, COMMIT, FINAL, type RawClient } from '../raw-client.js';
import {
  type Check,
  deltasMax,
  expectDone,
  expectEmpty,
  expectError,
  expectWhole,
  firstSamples,
  inSession,
  samplesFor,
  samplesMax,
  session,
  speak,
  totalDeltas,
  UP_TO_0_31,
  type World,
} from './check.js';

const ENGINE_DEAD = 'EngineCore encountered an issue. See stack trace (above) for the root cause.';

export const LIMIT_CHECKS: readonly Check[] = [
  {
    name: 'ends an utterance that has exactly the deltas there is room for by itself, with total_tokens of max_model_len',
    on: ['tight'],
    run: (world) =>
      inSession(world, async (client) => {
        const samples = samplesMax(deltasMax(world));
        expect(totalDeltas(samples)).toBe(deltasMax(world));
        expectWhole(world, await speak(client, samples), samples);
      }),
  },
  {
    name: 'ends an utterance unasked with the last delta there is room for, whether more audio is there or not',
    on: ['tight'],
    ages: ['0.32'],
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(samplesFor(world, deltasMax(world) - 1)));
        expectDone(world, await client.answer(), deltasMax(world));
        expectWhole(world, await speak(client, 1_600), 1_600);
      }),
  },
  {
    name: 'drops what an utterance that ended unasked had not come to, a final that it has read included; later audio waits for the next commit',
    on: ['tight'],
    ages: ['0.32'],
    run: (world) =>
      inSession(world, async (client) => {
        const samples = samplesMax(deltasMax(world)) + 1;
        client.send(COMMIT, audio(samples), audio(64_000));
        const { wasRead, ...answer } = await client.cross(FINAL);
        // Told apart from an answer to final by the count alone: total_tokens is max_model_len there, too.
        expectDone(world, answer, deltasMax(world));
        expect(answer.deltas.length).toBeLessThan(totalDeltas(samples + 64_000));
        client.send(audio(1_600));
        await client.quiet();
        client.send(COMMIT, FINAL);
        const second = await client.answer();
        if (!wasRead && second.deltas.length === 0) expectEmpty(world, second);
        else expectWhole(world, second, 1_600);
      }),
  },
  {
    name: 'takes a final that crosses the unasked done for the end of the next utterance',
    on: ['tight'],
    ages: ['0.32'],
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, audio(samplesFor(world, deltasMax(world))));
        expectDone(world, await client.answer(), deltasMax(world));
        client.send(FINAL);
        await client.quiet();
        client.send(COMMIT);
        expectEmpty(world, await client.answer());
      }),
  },
  {
    name: 'goes on with others while one reaches the limit',
    on: ['tight'],
    ages: ['0.32'],
    run: (world) =>
      inSession(world, async (other) => {
        other.send(COMMIT, audio(firstSamples(world)));
        await other.deltas(1);
        await inSession(world, async (client) => {
          client.send(COMMIT, audio(200_000));
          expectDone(world, await client.answer(), deltasMax(world));
        });
        other.send(audio(1_280));
        await other.deltas(1);
        other.send(FINAL);
        expect((await other.answer()).end['type']).toBe('transcription.done');
      }),
  },
  {
    name: 'dies for everybody at the audio of one delta more than there is room for',
    on: ['tight'],
    ages: UP_TO_0_31,
    isFatal: true,
    run: async (world) => {
      const [client, other, idle] = [await session(world), await session(world), await session(world)];
      other.send(COMMIT, audio(firstSamples(world)));
      await other.deltas(1);
      client.send(COMMIT, audio(samplesFor(world, deltasMax(world)) - 1));
      await client.deltas(deltasMax(world));
      await client.quiet();
      client.send(audio(1));
      await expectDeath(world, { running: [client, other], idle });
    },
  },
  {
    name: 'tells running utterances at once that its engine is dead, closes everybody with 1012, and is gone with exit code 0',
    ages: ['0.17.1', '0.32'],
    isFatal: true,
    run: async (world) => {
      const [client, other, idle] = [await session(world), await session(world), await session(world)];
      for (const running of [client, other]) {
        running.send(COMMIT, audio(firstSamples(world)));
        await running.deltas(1);
      }
      world.killEngine();
      await expectDeath(world, { running: [client, other], idle });
    },
  },
  {
    name: 'breaks off every connection where it is killed',
    ages: ['0.31'],
    isFatal: true,
    run: async (world) => {
      const [client, idle] = [await session(world), await session(world)];
      client.send(COMMIT, audio(firstSamples(world)));
      await client.deltas(1);
      world.killServer();
      for (const { closed } of [client, idle]) expect(await closed).toStrictEqual({ code: 1006, reason: '' });
      await expect(fetch(`${world.httpUrl}/health`)).rejects.toThrow('fetch failed');
    },
  },
  {
    name: 'closes everybody with 1012 at SIGTERM, in the middle of an utterance, too',
    on: ['tight'],
    ages: ['0.32'],
    isFatal: true,
    run: async (world) => {
      const [client, idle] = [await session(world), await session(world)];
      client.send(COMMIT, audio(firstSamples(world)));
      await client.deltas(1);
      world.terminate();
      for (const { closed } of [client, idle]) expect(await closed).toStrictEqual({ code: 1012, reason: '' });
      await world.ended;
      await expect(fetch(`${world.httpUrl}/health`)).rejects.toThrow('fetch failed');
    },
  },
];

/** Running utterances, and any that is begun now, fail; then everybody is closed, and nobody listens any more. */
async function expectDeath(
  world: World,
  { running, idle }: { readonly running: readonly RawClient[]; readonly idle: RawClient },
): Promise<void> {
  for (const client of running) expectError(await client.next(), ENGINE_DEAD, 'processing_error');
  for (const { closed } of [...running, idle, world.resting]) {
    expect(await closed).toStrictEqual({ code: 1012, reason: '' });
  }
  expect(await world.ended).toBe(0);
  await expect(fetch(`${world.httpUrl}/health`)).rejects.toThrow('fetch failed');
}
