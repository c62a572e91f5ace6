/** A message that holds much audio: nothing is lost in it, and nobody else has to wait for it. */
import { RawAudioReader } from '@kikitori/audio';
import { createScriptedEngine } from '@kikitori/engine';
import { createMemoryPair } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { inPieces, speechOf } from '../../src/dialects/audio-pieces.js';
import { deepgramListen } from '../../src/dialects/deepgram/listen.js';
import { startSession } from '../../src/session/serve-connection.js';
import type { Append, SessionInput } from '../../src/session/state.js';
import { listenTo } from '../realtime-client.js';
import { eventually, SCRIPT } from '../test-server.js';

const SOUND = { encoding: 's24le', sampleRateHz: 24_000 } as const;

function noise(lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, at) => (at * 7_919) % 251);
}

function appendsOf(inputs: readonly SessionInput[]): Append[] {
  return inputs.flatMap((input) => {
    if (input.type === 'appends') return [...input.pieces];
    return input.type === 'append' ? [input] : [];
  });
}

describe('audio of one message', () => {
  it('is the same in pieces as in one', () => {
    const bytes = noise(300_001);
    const pieces = appendsOf(speechOf(new RawAudioReader(SOUND), bytes));
    const [whole] = new RawAudioReader(SOUND).push(bytes);
    expect(pieces.length).toBe(5);
    expect(Buffer.concat(pieces.map(({ pcm }) => pcm)).equals(whole ?? new Uint8Array())).toBe(true);
  });

  it('is not looked at before it is taken', () => {
    let looked = 0;
    const [input] = inPieces(noise(200_000), () => {
      looked += 1;
      return [];
    });
    expect([input?.type, looked]).toEqual(['appends', 0]);
  });

  it('leaves room for others between its pieces', async () => {
    const engine = createScriptedEngine(SCRIPT);
    const { near, far } = createMemoryPair();
    const request = {
      path: '/v1/listen',
      query: 'encoding=linear16&sample_rate=48000&channels=2&multichannel=true',
      headers: {},
      protocols: [],
    };
    const session = startSession(far, { engine, claimed: { dialect: deepgramListen, request } });
    const { told, closed } = listenTo(near);
    let turns = 0;
    let isOver = false;
    const others = eventually(() => {
      turns += 1;
      return isOver;
    });
    // 20 s of two voices, 3.84 MB: 59 pieces.
    await near.send(new Uint8Array(20 * 48_000 * 2 * 2));
    await near.send('{"type":"CloseStream"}');
    await closed;
    isOver = true;
    await others;
    expect(turns).toBeGreaterThan(59);
    expect(JSON.parse(String(told.at(-1)))).toMatchObject({
      type: 'Metadata',
      duration: expect.closeTo(20, 1),
      channels: 2,
    });
    await session.ended;
    await engine.close();
  });
});
