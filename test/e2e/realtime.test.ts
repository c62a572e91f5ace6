/**
 * vLLM's four realtime tests and the message sequences of its two example clients, against our server with the real
 * engine on real (synthesised) speech. Nothing of ours is on the client's side: a plain WebSocket and JSON.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { float32ToPcm16 } from '@kikitori/audio';
import { decodeFile } from '@kikitori/audio/file';
import { createLocalEngine } from '@kikitori/engine-local';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { shareHeard, wordsOf } from './reliability/words.js';

const MODEL = 'moonshine-tiny';
const samplesDir = join(dirname(fileURLToPath(import.meta.url)), '../../samples');

const engine = await createLocalEngine({ model: 'tiny', threads: 2, streamsMax: 4 }).catch(
  (error: unknown) => {
    process.stderr.write(
      `realtime tests are skipped: ${error instanceof Error ? error.message : 'unknown'}\n`,
    );
    return undefined;
  },
);

interface WireEvent {
  readonly type: string;
  readonly text?: unknown;
  readonly delta?: unknown;
}

/** A client as people write them: one socket, JSON in text frames, a queue of what came. */
class PlainClient {
  readonly #socket: WebSocket;
  readonly #came: WireEvent[] = [];
  #wake: (() => void) | undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.on('message', (data) => {
      this.#came.push(JSON.parse(String(data)));
      this.#wake?.();
    });
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => this.#socket.once('open', resolve).once('error', reject));
    return this;
  }

  send(event: object): void {
    this.#socket.send(JSON.stringify(event));
  }

  async receive(): Promise<WireEvent> {
    for (;;) {
      const event = this.#came.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async until(...types: string[]): Promise<WireEvent[]> {
    const events: WireEvent[] = [];
    do events.push(await this.receive());
    while (!types.includes(events.at(-1)?.type ?? ''));
    return events;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.close();
    await closed;
  }
}

const update = { type: 'session.update', model: MODEL };
const commit = { type: 'input_audio_buffer.commit' };
const final = { type: 'input_audio_buffer.commit', final: true };

/** A sample as `append` events of so many PCM samples each. */
async function appends(name: string, chunkSamples: number): Promise<object[]> {
  const parts: Uint8Array[] = [];
  for await (const chunk of await decodeFile(join(samplesDir, name))) parts.push(float32ToPcm16(chunk));
  const pcm = Buffer.concat(parts);
  const events: object[] = [];
  for (let at = 0; at < pcm.length; at += chunkSamples * 2) {
    const audio = pcm.subarray(at, at + chunkSamples * 2).toString('base64');
    events.push({ type: 'input_audio_buffer.append', audio });
  }
  return events;
}

const textOfDeltas = (events: readonly WireEvent[]): string => {
  return events
    .flatMap(({ type, delta }) => (type === 'transcription.delta' ? [String(delta)] : []))
    .join('');
};

describe.skipIf(engine === undefined)('the Realtime server on real speech', () => {
  let server: RunningServer;
  let url = '';
  let audio: object[] = [];
  beforeAll(async () => {
    if (engine === undefined) return;
    server = await startServer({ engine, attach: attachWebSockets, port: 0 });
    url = `${server.url.replace('http', 'ws')}/v1/realtime`;
    audio = await appends('ferry.flac', 1600);
  });
  afterAll(async () => {
    await server?.close();
    await engine?.close();
  });

  it('streams many chunks, after a warm-up utterance on the same socket', async () => {
    const client = await new PlainClient(url).open();
    expect(await client.receive()).toMatchObject({
      type: 'session.created',
      id: expect.stringMatching(/^sess-[0-9a-f]{16}$/),
    });
    client.send(update);
    for (const event of [commit, audio[0] ?? {}, final]) client.send(event);
    expect((await client.until('transcription.done', 'error')).at(-1)?.type).toBe('transcription.done');
    for (const event of [commit, ...audio, final]) client.send(event);
    const events = await client.until('transcription.done', 'error');
    const done = events.at(-1);
    expect(new Set(events.slice(0, -1).map(({ type }) => type))).toEqual(new Set(['transcription.delta']));
    expect(done?.text).toBe(textOfDeltas(events));
    expect(shareHeard('ferry.flac', String(done?.text))).toBeGreaterThan(1 / 2);
    await client.close();
  });

  it('survives an utterance without audio, and answers the next client', async () => {
    const first = await new PlainClient(url).open();
    await first.receive();
    for (const event of [update, commit, final]) first.send(event);
    expect(['error', 'transcription.done', 'transcription.delta']).toContain((await first.receive()).type);
    const second = await new PlainClient(url).open();
    await second.receive();
    for (const event of [update, commit, ...audio, final]) second.send(event);
    const types = (await second.until('transcription.done')).map(({ type }) => type);
    expect(types).not.toContain('error');
    await Promise.all([first.close(), second.close()]);
  });

  it('names an unknown model in its error', async () => {
    const client = await new PlainClient(url).open();
    await client.receive();
    client.send({ type: 'session.update', model: 'nonexistent-model' });
    expect(await client.receive()).toMatchObject({
      type: 'error',
      error: expect.stringContaining('nonexistent-model'),
    });
    await client.close();
  });

  it('refuses a commit before the session was updated', async () => {
    const client = await new PlainClient(url).open();
    await client.receive();
    client.send(final);
    expect(await client.receive()).toMatchObject({ type: 'error', code: 'model_not_validated' });
    await client.close();
  });

  it("serves vLLM's file client, which reads nothing until it has sent everything", async () => {
    const client = await new PlainClient(url).open();
    expect((await client.receive()).type).toBe('session.created');
    for (const event of [update, commit, ...(await appends('kitchen.flac', 2048)), final]) client.send(event);
    const events = await client.until('transcription.done', 'error');
    expect(events.at(-1)).toMatchObject({
      type: 'transcription.done',
      usage: { prompt_tokens_details: null },
    });
    expect(shareHeard('kitchen.flac', String(events.at(-1)?.text))).toBeGreaterThan(1 / 2);
    await client.close();
  });

  it("serves vLLM's microphone client, which never ends its utterance: words come while it speaks", async () => {
    const client = await new PlainClient(url).open();
    await client.receive();
    client.send(update);
    client.send(commit);
    for (const event of audio) client.send(event);
    let text = '';
    while (wordsOf(text).length < 2) {
      const event = await client.receive();
      expect(event.type).toBe('transcription.delta');
      text += String(event.delta);
    }
    await client.close();
  });

  it('writes subtitles of a file', async () => {
    const { openAsBlob } = await import('node:fs');
    const form = new FormData();
    form.append('file', await openAsBlob(join(samplesDir, 'ferry.flac')), 'ferry.flac');
    form.append('model', MODEL);
    form.append('response_format', 'srt');
    const answer = await fetch(`${server.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(answer.status).toBe(200);
    const cues = (await answer.text()).trimEnd().split(/\r?\n\r?\n/);
    for (const [i, cue] of cues.entries()) {
      expect(cue).toMatch(/^\d+\r?\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\r?\n\S/);
      expect(cue.split(/\r?\n/)[0]).toBe(String(i + 1));
    }
    const text = cues.map((cue) => cue.split(/\r?\n/).slice(2).join(' '));
    expect(shareHeard('ferry.flac', text.join(' '))).toBeGreaterThan(1 / 2);
  });
});
