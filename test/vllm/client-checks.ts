/**
 * What our client makes of vLLM: the same checks for the stand-in and for the real servers. Not for 0.17.1, which goes deaf after a
 * minute: to its stand-in that passes in a second here, and on a busy machine any of these takes longer.
 */
import { type ConnectOptions, connect, type SessionEvent, servedModels } from '@kikitori/client';
import { expect } from 'vitest';
import { makeAudio, SAMPLES_PER_MS } from '../sim/speech.js';
import { ClientTap } from './client-tap.js';
import { type Check, promptTokens, SINCE_0_31, totalDeltas, type World } from './conformance/check.js';

/** Loud but for some pauses, and every millisecond with its number. */
function speech(lengthMs: number, pausesMs: readonly number[] = []): Int16Array {
  const edges = [0, ...pausesMs.flatMap((atMs) => [atMs, atMs + 400]), lengthMs];
  const words = Array.from({ length: edges.length / 2 }, (_, index) => ({
    text: 'loud',
    startMs: edges[2 * index] ?? 0,
    endMs: edges[2 * index + 1] ?? 0,
  }));
  return makeAudio({ script: [{ words }], lengthMs });
}

function optionsFor({ url, key, model }: World, tap: ClientTap): ConnectOptions {
  const apiKey = key === undefined ? {} : { apiKey: key };
  return {
    url,
    model,
    ...apiKey,
    words: true,
    connect: tap.connect,
    maxModelLen: async () => (await servedModels(url, apiKey))[0].maxModelLen,
  };
}

/** As a microphone or a file gives it: `speed` times as fast as it is spoken; 0: at once. */
async function transcribe(
  world: World,
  audio: Int16Array,
  { speed = 0, tap = new ClientTap(), changes = {} as Partial<ConnectOptions> } = {},
) {
  const session = await connect({ ...optionsFor(world, tap), ...changes });
  const events: SessionEvent[] = [];
  const reading = (async () => {
    for await (const event of session) events.push(event);
  })();
  // What ends it is thrown by `send` and `finish` too.
  reading.catch(() => undefined);
  const startedAtMs = performance.now();
  const step = 80 * SAMPLES_PER_MS;
  for (let at = 0; at < audio.length; at += step) {
    const dueMs = speed === 0 ? 0 : at / SAMPLES_PER_MS / speed - (performance.now() - startedAtMs);
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    await session.send(audio.subarray(at, at + step));
  }
  const transcript = await session.finish();
  await reading;
  return { transcript, events, tap, continuity: session.continuity };
}

/** Every turn was answered whole, no audio is missing between two of them, and none is longer than the model bears. */
function expectAllAnswered(world: World, { turns, flaws }: ClientTap, lengthMs: number): void {
  expect(flaws).toEqual([]);
  let answeredMs = 0;
  for (const turn of turns) {
    expect(turn.isEnded).toBe(true);
    expect(turn.deltas).toBe(totalDeltas(turn.samples));
    expect(turn.usage?.completion_tokens).toBe(turn.deltas);
    expect(turn.deltas + promptTokens(world)).toBeLessThan(world.maxModelLen);
    expect(turn.startMs).toBeLessThanOrEqual(answeredMs);
    expect(turn.startMs).toBeGreaterThan(answeredMs - 2_400);
    answeredMs = turn.endMs;
  }
  expect(answeredMs).toBe(lengthMs);
}

const textOf = (events: readonly SessionEvent[]): string =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

export const CLIENT_CHECKS: readonly Check[] = [
  {
    name: 'a minute of speech is answered whole though the model bears some seconds, at every pace',
    on: ['tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      const pausesMs = [3_000, 9_000, 20_000];
      const audio = speech(60_000, pausesMs);
      const paces = [0, 4, world.isReal ? 1 : 8];
      const taps = await Promise.all(
        paces.map(async (speed) => {
          const { tap, events, transcript, continuity } = await transcribe(world, audio, { speed });
          expect(continuity).toMatchObject({ reconnects: 0, gaps: [] });
          expect(continuity.rollovers).toBe(tap.turns.length - 1);
          expect(textOf(events).trim()).toBe(transcript.text);
          return tap;
        }),
      );
      for (const tap of taps) {
        expect(tap.turns.length).toBeGreaterThan(9);
        expectAllAnswered(world, tap, 60_000);
      }
    },
  },
  {
    name: 'who leaves in the middle of his speech disturbs none of the others',
    on: ['tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      const audio = speech(20_000);
      const leaver = new ClientTap();
      const left = transcribe(world, audio, { speed: 4, tap: leaver, changes: { reconnect: false } });
      const leaving = expect(left).rejects.toThrow();
      const others = Promise.all([transcribe(world, audio, { speed: 4 }), transcribe(world, audio)]);
      await expect.poll(() => leaver.turns[0]?.deltas ?? 0).toBeGreaterThan(3);
      leaver.cut();
      await leaving;
      for (const { tap, continuity } of await others) {
        expect(continuity).toMatchObject({ reconnects: 0, gaps: [] });
        expectAllAnswered(world, tap, 20_000);
      }
    },
  },
  {
    name: 'a line that is cut is mended, and the model bears what is sent again',
    on: ['tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      const tap = new ClientTap();
      const speaking = transcribe(world, speech(20_000, [6_000]), { speed: 4, tap });
      await expect.poll(() => tap.turns[1]?.deltas ?? 0).toBeGreaterThan(3);
      tap.cut();
      const { continuity } = await speaking;
      expect(continuity).toMatchObject({ reconnects: 1, gaps: [] });
      expect(tap.flaws).toEqual([]);
      const last = tap.turns.at(-1);
      expect(last?.endMs).toBe(20_000);
      for (const { samples } of tap.turns) {
        expect(totalDeltas(samples) + promptTokens(world)).toBeLessThan(world.maxModelLen);
      }
    },
  },
  {
    name: 'an utterance that was ended unasked is recognised, and what it did not cover is sent again',
    on: ['tight'],
    ages: ['0.32'],
    run: async (world) => {
      const tap = new ClientTap();
      const { events, continuity } = await transcribe(world, speech(20_000), {
        tap,
        changes: { maxModelLen: async () => undefined },
      });
      const ended = events.filter((event) => event.type === 'disconnect');
      expect(ended.map((event) => event.type === 'disconnect' && event.error.code)).toEqual([
        'limit_reached',
      ]);
      expect(continuity).toMatchObject({ reconnects: 1, gaps: [] });
      const [cut, next, ...rest] = tap.turns;
      const coveredMs = (cut?.deltas ?? 0) * 80;
      expect(next?.startMs).toBeLessThanOrEqual(coveredMs);
      expect(rest.length).toBeGreaterThan(1);
      expect(tap.turns.at(-1)?.endMs).toBe(20_000);
      // Learned from the first.
      for (const turn of [next, ...rest]) expect(turn?.deltas).toBe(totalDeltas(turn?.samples ?? 0));
    },
  },
  {
    name: 'words have places that deltas were counted for, at every delay, and lie within the audio',
    on: ['roomy', 'tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      const lengthMs = 4_000;
      const { events, transcript } = await transcribe(world, speech(lengthMs));
      const deltas = events.filter((event) => event.type === 'delta');
      deltas.forEach((event, index) => {
        if (event.type === 'delta') expect(event.audioMs).toBe(Math.min((index + 1) * 80, lengthMs));
      });
      expect(transcript.words.length).toBeGreaterThan(0);
      expect(transcript.words.map(({ text }) => text).join('')).toBe(transcript.text.replace(/\s/g, ''));
      let endMs = 0;
      for (const word of transcript.words) {
        expect(word.startMs).toBeGreaterThanOrEqual(endMs);
        expect(word.endMs).toBeGreaterThanOrEqual(word.startMs);
        endMs = word.endMs;
      }
      expect(endMs).toBeLessThanOrEqual(lengthMs);
    },
  },
  {
    name: 'utterances follow each other in one session, each on the one timeline',
    ages: SINCE_0_31,
    run: async (world) => {
      const tap = new ClientTap();
      const session = await connect(optionsFor(world, tap));
      await session.send(speech(2_000));
      await session.endUtterance();
      await session.endUtterance();
      await session.send(speech(5_000).subarray(2_000 * SAMPLES_PER_MS));
      const { utterances } = await session.finish();
      expect(tap.turns.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
        [0, 2_000],
        [2_000, 5_000],
      ]);
      const [first, ...others] = utterances;
      expect(first?.endMs).toBeLessThanOrEqual(2_000);
      expect(others.length).toBeGreaterThan(0);
      for (const { startMs } of others) expect(startMs).toBeGreaterThanOrEqual(2_000);
    },
  },
];
