/** Deepgram's own client against a server of ours, with nothing changed but its address. */
import { Deepgram, DeepgramClient, DeepgramError } from '@deepgram/sdk';
import { describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../packages/server/test/test-server.js';
import { wav } from '../../packages/server/test/upload-client.js';

const KEY = 'sesame';
const CHUNK_MS = 100;
const BYTES_PER_MS = 32;

function clientOf({ url }: TestServer, apiKey = KEY): DeepgramClient {
  const production = url.replace('http', 'ws');
  return new DeepgramClient({
    apiKey,
    environment: { base: url, production, agent: production, agentRest: url },
  });
}

describe('the Deepgram SDK', () => {
  it('streams to /v1/listen, and has interim and final results, and the end', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const socket = await clientOf(test).listen.v1.connect({
      model: 'nova-3',
      language: 'en-US',
      encoding: 'linear16',
      sample_rate: 16_000,
      interim_results: 'true',
      vad_events: 'true',
      utterance_end_ms: 1_000,
      keyterm: ['Kikitori'],
      reconnectAttempts: 0,
    });
    socket.connect();
    await socket.waitForOpen();
    for (let sentMs = 0; sentMs < 2_000; sentMs += CHUNK_MS) {
      socket.sendMedia(new Uint8Array(CHUNK_MS * BYTES_PER_MS));
    }
    socket.sendKeepAlive({ type: 'KeepAlive' });
    socket.sendFinalize({ type: 'Finalize' });
    socket.sendCloseStream({ type: 'CloseStream' });
    const types = new Set<string>();
    const interims: string[] = [];
    const finals: string[] = [];
    for await (const message of socket) {
      types.add(message.type);
      if (message.type !== 'Results') continue;
      const transcript = message.channel.alternatives[0]?.transcript ?? '';
      (message.is_final === true ? finals : interims).push(transcript);
    }
    expect([...types].sort()).toEqual(['Metadata', 'Results', 'SpeechStarted', 'UtteranceEnd']);
    expect(finals).toEqual(['First words spoken.', '']);
    expect(interims.at(-1)).toBe('First words spoken.');
  });

  it('streams to /v2/listen, and has turns', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const socket = await clientOf(test).listen.v2.connect({
      model: 'flux-general-en',
      encoding: 'linear16',
      sample_rate: 16_000,
      reconnectAttempts: 0,
    });
    const types: string[] = [];
    const ended: unknown[] = [];
    // Before it connects: what comes first comes with the handshake.
    socket.on('message', (message) => {
      types.push(message.type);
      if (message.type !== 'TurnInfo' || message.event !== 'EndOfTurn') return;
      ended.push([message.turn_index, message.transcript, message.trigger]);
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.connect();
    await socket.waitForOpen();
    socket.sendMedia(new Uint8Array(850 * BYTES_PER_MS));
    socket.sendForceEndTurn({ type: 'ForceEndTurn' });
    socket.sendConfigure({ type: 'Configure', thresholds: { eot_threshold: 0.9 } });
    socket.sendMedia(new Uint8Array(1_150 * BYTES_PER_MS));
    socket.sendCloseStream({ type: 'CloseStream' });
    await closed;
    expect(types[0]).toBe('Connected');
    expect(types).toContain('ConfigureSuccess');
    expect(ended).toEqual([
      [0, 'First words', 'manual'],
      [1, 'spoken.', 'model'],
    ]);
  });

  it('sends files to /v1/listen, whole or as a stream', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const { media } = clientOf(test).listen.v1;
    const wishes = { model: 'nova-3', smart_format: true, utterances: true, detect_language: true } as const;
    for (const file of [Buffer.from(wav(3_900)), new Blob([wav(3_900)]).stream()]) {
      const answer = await media.transcribeFile(file, wishes);
      if (!('results' in answer)) throw new Error('No results.');
      const [channel] = answer.results.channels;
      expect(channel?.alternatives?.[0]).toMatchObject({
        transcript: 'First words spoken. First words spoken.',
        confidence: 1,
        words: { length: 6, 0: { word: 'first', start: 0.1 } },
      });
      expect(channel?.detected_language).toBe('en');
      expect(answer.results.utterances?.map(({ start, channel: at }) => [start, at])).toEqual([
        [0.1, 0],
        [2.1, 0],
      ]);
      expect(answer.metadata).toMatchObject({ duration: 3.9, channels: 1 });
    }
  });

  it('is told why a file cannot be had, and what a query asks for that is not there', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const { media } = clientOf(test).listen.v1;
    const fetched = media.transcribeUrl({ url: 'https://example.com/a.wav' });
    await expect(fetched).rejects.toThrow(/Nothing is fetched/);
    const file = Buffer.from(wav(100));
    const unknown = await media.transcribeFile(file, { model: 'nobody' }).catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(Deepgram.BadRequestError);
    expect(unknown).toMatchObject({ body: { err_code: 'INVALID_MODEL', request_id: expect.any(String) } });
    const wrong = await clientOf(test, 'no-key')
      .listen.v1.media.transcribeFile(file, {})
      .catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(DeepgramError);
    expect(wrong).toMatchObject({ statusCode: 401, body: { err_code: 'INVALID_AUTH' } });
  });

  it('is refused with a wrong key', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const socket = await clientOf(test, 'no-key').listen.v1.connect({
      model: 'nova-3',
      reconnectAttempts: 0,
    });
    const refused = new Promise<string>((resolve) => {
      socket.on('error', ({ message }) => resolve(message));
    });
    socket.connect();
    expect(await refused).toContain('401');
    socket.close();
  });
});
