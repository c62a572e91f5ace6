/** What a check of the conformance is, the server that it meets, and what most of them need. */
import { expect } from 'vitest';
import { type Answer, audio, COMMIT, FINAL, RawClient } from '../raw-client.js';
import type { VllmAge } from '../stand-in.js';

/**
 * How the server was started. `roomy`: 2,048 tokens, 480 ms. `tight`: 128 tokens, 960 ms, and a key where a key does not make it
 * useless. `locked`: a key where it does.
 */
export type Setting = 'roomy' | 'tight' | 'locked';

/** A server under test: the stand-in over real sockets, or the real one. */
export interface World {
  readonly age: VllmAge;
  /** No stand-in. */
  readonly isReal: boolean;
  readonly setting: Setting;
  /** `ws://…/v1/realtime` */
  readonly url: string;
  readonly httpUrl: string;
  readonly model: string;
  readonly key: string | undefined;
  readonly delayMs: number;
  readonly maxModelLen: number;
  /** A session whose utterance has had audio for one delta, when the server was started, and none since. */
  readonly resting: RawClient;
  /** Resolves when more than a minute has passed since `resting` had its audio. */
  readonly aMinuteLater: () => Promise<void>;
  readonly killEngine: () => void;
  /** SIGKILL. */
  readonly killServer: () => void;
  /** SIGTERM. */
  readonly terminate: () => void;
  /** The exit code of the server. */
  readonly ended: Promise<number | null>;
}

export interface Check {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Default: `roomy`. */
  readonly on?: readonly Setting[];
  /** Default: all. */
  readonly ages?: readonly VllmAge[];
  /** The server does not outlive it, so it is the last one of its setting. */
  readonly isFatal?: boolean;
  readonly run: (world: World) => Promise<void>;
}

export const SINCE_0_31: readonly VllmAge[] = ['0.31', '0.32'];
export const UP_TO_0_31: readonly VllmAge[] = ['0.17.1', '0.31'];

const STEP_SAMPLES = 1_280;

/** Audio before the first delta. */
export function firstSamples({ delayMs }: Pick<World, 'delayMs'>): number {
  return (1 + delayMs / 80) * STEP_SAMPLES + 40;
}

/** Audio before delta `index`, from 0, comes without an end. */
export function samplesFor(world: World, index: number): number {
  return firstSamples(world) + index * STEP_SAMPLES;
}

export function promptTokens({ delayMs }: World): number {
  return 33 + delayMs / 80;
}

/** Deltas behind `final` where there was one before. */
export function tailDeltas({ delayMs }: World): number {
  return 11 + delayMs / 80;
}

/** Deltas of so many samples in all, whatever the delay. */
export function totalDeltas(samples: number): number {
  return 1 + Math.floor((samples + 12_760) / STEP_SAMPLES);
}

/** The longest utterance that ends by itself. */
export function deltasMax(world: World): number {
  return world.maxModelLen - promptTokens(world);
}

/** The most audio of an utterance with so many deltas. */
export function samplesMax(deltas: number): number {
  return deltas * STEP_SAMPLES - 12_760 - 1;
}

export function usage({ age }: World, prompt: number, completion: number): Readonly<Record<string, unknown>> {
  return {
    prompt_tokens: prompt,
    total_tokens: prompt + completion,
    completion_tokens: completion,
    prompt_tokens_details: null,
    ...(age === '0.17.1' ? {} : { completion_tokens_details: null }),
  };
}

/** A connection that has been greeted. */
export async function connected(world: World): Promise<RawClient> {
  const client = await RawClient.open(world.url, { key: world.key });
  const created = await client.next();
  expect(created['type']).toBe('session.created');
  return client;
}

/** A session that may begin. */
export async function session(world: World): Promise<RawClient> {
  const client = await connected(world);
  client.send({ type: 'session.update', model: world.model });
  return client;
}

/** Runs in a session of its own. */
export async function inSession(world: World, run: (client: RawClient) => Promise<void>): Promise<void> {
  const client = await session(world);
  await run(client);
  await client.close();
}

/** One whole utterance. */
export async function speak(client: RawClient, samples: number): Promise<Answer> {
  client.send(COMMIT, audio(samples), FINAL);
  return await client.answer();
}

/** A whole answer to so many samples, members in their order. */
export function expectWhole(world: World, { deltas, end }: Answer, samples: number): void {
  expectDone(world, { deltas, end }, totalDeltas(samples));
}

/** `transcription.done` behind so many deltas. */
export function expectDone(world: World, { deltas, end }: Answer, count: number): void {
  const done = {
    type: 'transcription.done',
    text: deltas.join(''),
    usage: usage(world, promptTokens(world), count),
  };
  expect(JSON.stringify(end)).toBe(JSON.stringify(done));
  expect(deltas).toHaveLength(count);
}

/** An answer to an utterance without audio. */
export function expectEmpty(world: World, { deltas, end }: Answer): void {
  const [prompt, completion] = world.age === '0.32' ? [0, 0] : [1, 1];
  const done = { type: 'transcription.done', text: deltas.join(''), usage: usage(world, prompt, completion) };
  expect(end).toStrictEqual(done);
  expect(deltas).toHaveLength(completion);
}

export function expectError(event: Readonly<Record<string, unknown>>, error: string, code: string): void {
  expect(JSON.stringify(event)).toBe(JSON.stringify({ type: 'error', error, code }));
}
