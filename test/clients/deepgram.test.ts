/** Deepgram's own client against a server of ours, with nothing changed but its address. */
import { DeepgramClient } from '@deepgram/sdk';
import { describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../packages/server/test/test-server.js';

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
