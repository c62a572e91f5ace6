import { encodeBase64, int16ToPcm16 } from '@kikitori/audio';
import { ManualClock } from '@kikitori/core/manual-clock';
import { type Connect, createMemoryPair } from '@kikitori/transport';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../src/start-server.js';
import { commit, type Event, final, RealtimeClient, update } from '../realtime-client.js';
import { eventually, startTestServer } from '../test-server.js';
import { type Heard, type StandInOptions, serveLikeVllm } from './vllm-stand-in.js';

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
/** Every stretch of speech is two words in three pieces. */
const pieces = (stretch: number): readonly string[] => [
  ` ${NUMBERS[stretch]?.slice(0, 2)}`,
  ...rest(stretch),
];
const rest = (stretch: number): string[] => [NUMBERS[stretch]?.slice(2) ?? '', ' done'];

/** Speech (+) and silence (-), each sign 100 ms. */
function sound(picture: string): Int16Array {
  const samples = new Int16Array(picture.length * 1_600);
  for (const [index, sign] of [...picture].entries()) {
    for (let at = index * 1_600; at < (index + 1) * 1_600; at += 1) {
      // Numbered, so that what arrives can be told from what was sent.
      samples[at] = (sign === '+' ? 8_000 : 20) * (at % 2 === 0 ? 1 : -1) + (at % 7);
    }
  }
  return samples;
}

const append = (samples: Int16Array): Event => ({
  type: 'input_audio_buffer.append',
  audio: encodeBase64(int16ToPcm16(samples)),
});

function appends(samples: Int16Array, size: number): Event[] {
  const events: Event[] = [];
  for (let at = 0; at < samples.length; at += size) events.push(append(samples.subarray(at, at + size)));
  return events;
}

/** Whole, and quick to compare. */
function bytesOf(parts: readonly Int16Array[]): Buffer {
  return Buffer.concat(parts.map((part) => int16ToPcm16(part)));
}

/** A relay in front of something that behaves like vLLM. */
class World implements AsyncDisposable {
  readonly server: RunningServer;
  readonly heard: Promise<Heard>[];

  private constructor(server: RunningServer, heard: Promise<Heard>[]) {
    this.server = server;
    this.heard = heard;
  }

  static async open(options: Partial<StandInOptions> = {}, clock?: ManualClock): Promise<World> {
    const heard: Promise<Heard>[] = [];
    const connect: Connect = async () => {
      const { near, far } = createMemoryPair();
      heard.push(serveLikeVllm(far, { pieces, ...options }));
      return near;
    };
    const time = clock === undefined ? {} : { clock };
    const server = await startServer({ attach: attachWebSockets, port: 0, ...time, relay: { connect } });
    return new World(server, heard);
  }

  async client(kikitori?: Record<string, unknown>): Promise<RealtimeClient> {
    const client = await RealtimeClient.connect(`${this.server.url}/v1/realtime`);
    await client.next();
    await client.send(update('', kikitori));
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

/** Three seconds of silence first: the other server shows what it is. */
const SPEECH = `${'-'.repeat(25)}-----+++++++--+++-------++++++++-----------+++++----`;

describe('a relayed model that finds no utterances', () => {
  it.each([1_280, 700, 160_000])(
    'is ended at pauses and begun again, in appends of %d samples, and hears every sample once',
    async (size) => {
      await using world = await World.open();
      const client = await world.client({ words: true });
      const samples = sound(SPEECH);
      await client.send(commit, ...appends(samples, size), final);
      const events = await client.until('transcription.done');
      await client.connection.close();
      const heard = await world.heard[0];
      expect(heard?.flaws).toEqual([]);
      expect(heard?.utterances.length).toBe(3);
      expect(bytesOf(heard?.utterances ?? []).equals(bytesOf([samples]))).toBe(true);
      const utterances = events.filter(({ type }) => type === 'kikitori.utterance');
      expect(utterances.map(({ text }) => text)).toEqual(['one done two done', 'three done', 'four done']);
      const done = events.at(-1);
      expect(done?.text).toBe(' one done two done three done four done');
      const deltas = events.filter(({ type }) => type === 'transcription.delta');
      expect(deltas.map(({ delta }) => delta).join('')).toBe(done?.text);
      expect(deltas.every(({ delta }) => delta !== '')).toBe(true);
      const steps = heard?.utterances.map(({ length }) => 1 + Math.floor((length + 12_760) / 1_280)) ?? [];
      expect(done?.usage).toMatchObject({
        prompt_tokens: 117,
        completion_tokens: steps.reduce((a, b) => a + b),
      });
    },
  );

  it('has words on one timeline, and tells how far it is', async () => {
    await using world = await World.open();
    const client = await world.client({ words: true, replay: true, partials: true });
    const samples = sound(SPEECH);
    await client.send(commit, ...appends(samples, 1_280), final);
    const events = await client.until('transcription.done');
    await client.connection.close();
    const spoken = [37, 42, 57, 73].flatMap((end) => [end * 100, end * 100]);
    const ends = events.flatMap(({ type, audio_ms }) =>
      type === 'transcription.delta' ? [audio_ms ?? 0] : [],
    );
    expect(ends).toHaveLength(spoken.length);
    for (const [index, end] of ends.entries()) expect(Math.abs(end - (spoken[index] ?? 0))).toBeLessThan(300);
    expect([...ends].sort((a, b) => a - b)).toEqual(ends);
    const progress = events.filter(({ type }) => type === 'kikitori.progress');
    expect(progress.at(-1)).toMatchObject({ received_ms: 7_700, settled_ms: 7_700, lag_ms: 0 });
    expect(events.some(({ type }) => type === 'kikitori.partial')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'transcription.done', audio_ms: 7_700 });
  });

  it('is left as it is for a client that did not ask for words', async () => {
    await using world = await World.open();
    const client = await world.client();
    await client.send(commit, ...appends(sound(SPEECH), 1_280), final);
    const events = await client.until('transcription.done');
    await client.connection.close();
    expect((await world.heard[0])?.utterances).toHaveLength(1);
    expect(events.some(({ delta }) => delta === '')).toBe(true);
  });

  it('answers a final that comes while nothing runs there, and later utterances of the client', async () => {
    await using world = await World.open();
    const client = await world.client({ words: true });
    await client.send(commit, append(sound('-'.repeat(10))));
    await client.until('kikitori.progress');
    await client.send(append(sound('+++++------')));
    await client.until('kikitori.utterance');
    await client.send(final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' one done');
    await client.send(final, commit, append(sound('---+++----')), final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' two done');
    await client.connection.close();
    expect((await world.heard[0])?.flaws).toEqual([]);
  });

  it('hears every sample once and is answered once for each final, whatever is said in whatever pieces', async () => {
    await using world = await World.open({
      pieces: (stretch) => [` w${stretch}`],
      // Late, so that much waits behind each end.
      beforeAnswer: () => new Promise((resolve) => setImmediate(resolve)),
    });
    const stretch = fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }));
    const turn = fc.array(stretch, { minLength: 1, maxLength: 5 });
    const turns = fc.array(turn, { minLength: 1, maxLength: 4 });
    let session = 0;
    await fc.assert(
      fc.asyncProperty(turns, fc.integer({ min: 500, max: 60_000 }), async (spoken, size) => {
        const client = await world.client({ words: true, replay: true });
        const index = session++;
        const sent: Int16Array[] = [];
        const dones: string[] = [];
        const deltas: string[] = [];
        for (const parts of spoken) {
          const picture = parts.map(([loud, quiet]) => '+'.repeat(loud) + '-'.repeat(quiet + 1)).join('');
          const samples = sound(picture);
          sent.push(samples);
          await client.send(commit, ...appends(samples, size), final);
          const events = await client.until('transcription.done');
          const texts = events.flatMap(({ type, delta }) =>
            type === 'transcription.delta' ? [delta ?? ''] : [],
          );
          deltas.push(texts.join(''));
          dones.push(events.at(-1)?.text ?? '');
        }
        await client.connection.close();
        const { flaws, utterances } = (await world.heard[index]) ?? { flaws: ['nobody'], utterances: [] };
        expect(flaws).toEqual([]);
        expect(bytesOf(utterances).equals(bytesOf(sent))).toBe(true);
        expect(deltas).toEqual(dones);
        const said = dones.join('').match(/w\d+/g) ?? [];
        expect(said).toEqual(said.map((_, place) => `w${place}`));
      }),
      { numRuns: 30 },
    );
  });

  it('is ended when the client says nothing for half a minute, and goes on with the next audio', async () => {
    const clock = new ManualClock();
    await using world = await World.open({}, clock);
    const client = await world.client({ words: true });
    await client.send(commit, append(sound('-----++++++--')));
    await client.until('kikitori.progress');
    // The idle timeout, and this.
    await eventually(() => clock.pending === 2);
    clock.advance(30_000);
    expect((await client.until('kikitori.utterance')).at(-1)?.text).toBe('one done');
    clock.advance(60_000);
    await client.send(append(sound('+++++---')), final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' one done two done');
    await client.connection.close();
    expect(await world.heard[0]).toMatchObject({ flaws: [], utterances: { length: 2 } });
  });

  it('is given up when it does not answer', async () => {
    const clock = new ManualClock();
    let isAsked = false;
    const beforeAnswer = (): Promise<void> => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    await using world = await World.open({ beforeAnswer }, clock);
    const client = await world.client({ words: true });
    await client.send(commit, ...appends(sound(SPEECH), 1_280));
    await eventually(() => isAsked && clock.pending === 3);
    clock.advance(60_000);
    await client.rest();
    expect(client.closeCode).toBe(1014);
  });

  it('is left unanswered in a drain when the client can send again, and answered when not', async () => {
    await using world = await World.open();
    const replaying = await world.client({ words: true, replay: true });
    const plain = await world.client({ words: true });
    for (const client of [replaying, plain]) {
      await client.send(commit, ...appends(sound(`${'-'.repeat(30)}+++++++----------+++--`), 1_280));
      await client.until('kikitori.utterance');
    }
    const drained = world.server.drain({ deadlineMs: 60_000 });
    expect((await replaying.rest()).map(({ type }) => type)).not.toContain('transcription.done');
    expect(replaying.closeCode).toBe(1012);
    expect((await plain.rest()).at(-1)?.text).toBe(' one done two done');
    expect(plain.closeCode).toBe(1012);
    await drained;
  });

  it('is no relay to a server that places words itself', async () => {
    await using behind = await startTestServer();
    const url = behind.realtime.replace('http', 'ws');
    const server = await startServer({
      attach: attachWebSockets,
      port: 0,
      relay: { connect: connectWebSocket, url },
    });
    const client = await RealtimeClient.connect(`${server.url}/v1/realtime`);
    const direct = await RealtimeClient.connect(behind.realtime);
    for (const each of [client, direct]) {
      await each.next();
      await each.send(update('', { words: true }), commit, ...appends(sound(SPEECH), 1_280), final);
      await each.until('transcription.done');
    }
    const told = ({ raw }: RealtimeClient): string[] =>
      raw.slice(1).filter((text) => !text.includes('kikitori.progress'));
    expect(told(client)).toEqual(told(direct));
    await Promise.all([client.connection.close(), direct.connection.close()]);
    await server.close();
  });
});
