/** Our server in front of a model that finds no utterances: what its clients see is what they see of an engine of ours. */
import { encodeBase64, encodeMuLaw, encodeWav, float32ToInt16, int16ToPcm16 } from '@kikitori/audio';
import type { SpeechEngine } from '@kikitori/engine';
import { DIALECTS, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { lines } from '../../server/test/dialects/lines/lines.js';
import { commit, type Event, final, RealtimeClient, update } from '../../server/test/realtime-client.js';
import { createUpstreamEngine } from '../src/upstream-engine.js';
import { type Heard, sound, type VllmLikeOptions, vllmLike } from './servers.js';

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
const pieces = (stretch: number): readonly string[] => [` ${NUMBERS[stretch] ?? 'many'}`, ' done'];

function appends(samples: Float32Array, size = 1_280): Event[] {
  const events: Event[] = [];
  for (let at = 0; at < samples.length; at += size) {
    const pcm = int16ToPcm16(float32ToInt16(samples.subarray(at, at + size)));
    events.push({ type: 'input_audio_buffer.append', audio: encodeBase64(pcm) });
  }
  return events;
}

class World implements AsyncDisposable {
  readonly server: RunningServer;
  readonly engine: SpeechEngine;
  readonly heard: Promise<Heard>[];

  private constructor(server: RunningServer, engine: SpeechEngine, heard: Promise<Heard>[]) {
    this.server = server;
    this.engine = engine;
    this.heard = heard;
  }

  static async open(
    options: Partial<VllmLikeOptions> = {},
    streamsMax = 4,
    more: { readonly maxModelLen?: number } = {},
  ): Promise<World> {
    const { connect, heard } = vllmLike({ pieces, ...options });
    const info = { model: 'voxtral', languages: [], streamsMax };
    const engine = createUpstreamEngine({ info, connect, ...more });
    const dialects = [...DIALECTS, lines];
    return new World(
      await startServer({ attach: attachWebSockets, port: 0, engine, dialects }),
      engine,
      heard,
    );
  }

  async client(kikitori?: Record<string, unknown>): Promise<RealtimeClient> {
    const client = await RealtimeClient.connect(`${this.server.url}/v1/realtime`);
    await client.next();
    await client.send(update('', kikitori));
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.engine.close();
  }
}

const SPEECH = '------------------------------+++++++--+++-------++++++++-----------+++++----';

describe('our server in front of a model that finds no utterances', () => {
  it('tells words with their places, utterances and progress, on one timeline', async () => {
    await using world = await World.open();
    const client = await world.client({ words: true, replay: true, partials: true });
    await client.send(commit, ...appends(sound(SPEECH)), final);
    const events = await client.until('transcription.done');
    await client.connection.close();
    const utterances = events.filter(({ type }) => type === 'kikitori.utterance');
    expect(utterances.map(({ text }) => text)).toEqual(['one done two done', 'three done', 'four done']);
    const deltas = events.filter(({ type }) => type === 'transcription.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe(' one done two done three done four done');
    expect(deltas.every(({ delta }) => delta !== '')).toBe(true);
    expect(events.some(({ type }) => type === 'kikitori.progress')).toBe(true);
    expect(events.some(({ type }) => type === 'kikitori.partial')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'transcription.done', audio_ms: 7_700 });
    expect((await world.heard[0])?.flaws).toEqual([]);
  });

  it.each([
    { maxModelLen: 45_000, utterances: 1 },
    { maxModelLen: undefined, utterances: 3 },
  ])(
    'writes as the model does to whoever wants no words, in $utterances utterances with a limit of $maxModelLen',
    async ({ maxModelLen, utterances }) => {
      const inPieces = { pieces: (): readonly string[] => [' wo', 'rd'] };
      await using world = await World.open(inPieces, 4, maxModelLen === undefined ? {} : { maxModelLen });
      const client = await world.client();
      await client.send(commit, ...appends(sound(SPEECH)), final);
      const events = await client.until('transcription.done');
      await client.connection.close();
      const deltas = events.flatMap(({ type, delta }) => (type === 'transcription.delta' ? [delta] : []));
      expect(deltas).toEqual([' wo', 'rd', ' wo', 'rd', ' wo', 'rd', ' wo', 'rd']);
      expect(events.at(-1)?.text).toBe(' word word word word');
      // Where nobody knows what the model bears, utterances are ended at pauses all the same.
      const heard = await world.heard[0];
      expect(heard?.utterances).toHaveLength(utterances);
      expect(heard?.flaws).toEqual([]);
    },
  );

  it('answers a final that comes while nothing runs there, and later utterances of the client', async () => {
    await using world = await World.open();
    const client = await world.client({ words: true });
    await client.send(commit, ...appends(sound('----------+++++---------')));
    await client.until('kikitori.utterance');
    await client.send(final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' one done');
    await client.send(final, commit, ...appends(sound('---+++----')), final);
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' two done');
    await client.connection.close();
    expect((await world.heard[0])?.flaws).toEqual([]);
  });

  it('leaves a client unanswered in a drain that can send again, and answers the others', async () => {
    await using world = await World.open();
    const plain = await world.client({ words: true });
    await plain.send(commit, ...appends(sound(`${'-'.repeat(30)}+++++++----------+++--`)));
    await plain.until('kikitori.utterance');
    const drained = world.server.drain({ deadlineMs: 60_000 });
    expect((await plain.rest()).at(-1)?.text).toBe(' one done two done');
    expect(plain.closeCode).toBe(1012);
    await drained;
  });

  it('transcribes files, several at once within its places, with the times of their words', async () => {
    await using world = await World.open({}, 2);
    const post = async (format: string): Promise<Response> => {
      const form = new FormData();
      form.append('file', new Blob([encodeWav(sound(SPEECH), { sampleRateHz: 16_000 })]), 'speech.wav');
      form.append('response_format', format);
      form.append('timestamp_granularities[]', 'word');
      return await fetch(`${world.server.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    };
    const [json, srt] = await Promise.all([post('verbose_json'), post('srt')]);
    const { text, words, duration } = JSON.parse(await json.text());
    expect([text, duration]).toEqual(['one done two done three done four done', 7.7]);
    expect(words[4]).toMatchObject({ word: 'three', end: expect.closeTo(5.7, 0) });
    expect((await srt.text()).match(/-->/g)).toHaveLength(3);
    expect(await Promise.all(world.heard)).toMatchObject([{ flaws: [] }, { flaws: [] }]);
  });

  it('finds the turns that a client of OpenAI wants to be told of, and who begins to speak', async () => {
    await using world = await World.open();
    const url = `${world.server.url.replace('http', 'ws')}/v1/realtime?intent=transcription`;
    const client = await RealtimeClient.connect(url);
    const format = { type: 'audio/pcm', rate: 16_000 };
    const input = { format, turn_detection: { type: 'server_vad' } };
    await client.send({ type: 'session.update', session: { audio: { input } } } as Event);
    await client.send(...appends(sound(SPEECH)));
    const told: string[] = [];
    while (told.filter((each) => each.endsWith('completed')).length < 2) {
      const event = await client.next();
      if (event === undefined) break;
      told.push(event.type);
    }
    await client.connection.close();
    const turn = [
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'conversation.item.input_audio_transcription.completed',
    ];
    const turns = told.filter((type) => !type.startsWith('session') && !type.endsWith('delta'));
    expect(turns.slice(0, 12)).toEqual([...turn, ...turn]);
    expect(told.indexOf(turn[0] ?? '')).toBeLessThan(told.findIndex((type) => type.endsWith('delta')));
    expect((await world.heard[0])?.flaws).toEqual([]);
  });

  it('speaks every dialect, whatever is behind', async () => {
    await using world = await World.open();
    const url = `${world.server.url.replace('http', 'ws')}/lines`;
    const connection = await connectWebSocket({ url });
    const speech = sound('----------+++++----------');
    const eightKhz = float32ToInt16(speech).filter((_, at) => at % 2 === 0);
    await connection.send(encodeMuLaw(eightKhz));
    await connection.send('stop');
    const said: string[] = [];
    for await (const message of connection.messages) {
      said.push(String(message));
      if (message === '.') break;
    }
    expect(said.join(' ')).toBe('one done .');
    await connection.close();
  });
});
