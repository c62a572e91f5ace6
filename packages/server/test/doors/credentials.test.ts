/** Every way in which clients show a key: it opens what it should, and is never said back. */
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Dialect } from '../../src/dialects/dialect.js';
import { vllm } from '../../src/dialects/vllm/vllm.js';
import {
  credentialOf,
  headerCredential,
  plainProtocols,
  subprotocolCredential,
} from '../../src/doors/credentials.js';
import { RealtimeClient } from '../realtime-client.js';
import { startTestServer } from '../test-server.js';
import { form } from '../upload-client.js';

const HEADERS = [
  { authorization: 'Bearer sesame' },
  { authorization: 'Token sesame' },
  { authorization: 'sesame' },
  { 'api-key': 'sesame' },
  { 'x-api-key': 'sesame' },
  // That of a proxy on the way.
  { authorization: 'Basic bmFtZTpwYXNz', 'x-api-key': 'sesame' },
] as const;

describe('headers', () => {
  it.each(HEADERS)('open HTTP and WebSocket alike: %o', async (headers) => {
    await using test = await startTestServer({ server: { apiKey: 'sesame' } });
    const url = (path: string): string => `${test.url}/v1/${path}`;
    expect((await fetch(url('models'), { headers })).status).toBe(200);
    const file = await fetch(url('audio/transcriptions'), { method: 'POST', body: form(), headers });
    expect(file.status).toBe(200);
    const token = await fetch(url('realtime/client_secrets'), { method: 'POST', headers });
    expect(token.status).toBe(200);
    const client = await RealtimeClient.connect(test.realtime, { headers });
    await client.connection.close();
    expect(JSON.stringify(test.log)).not.toContain('sesame');
  });

  it('with a wrong key open nothing', async () => {
    await using test = await startTestServer({ server: { apiKey: 'sesame' } });
    for (const headers of [
      { authorization: 'Token wrong' },
      { authorization: 'wrong' },
      { 'api-key': 'wrong' },
      { 'x-api-key': 'Bearer sesame' },
      { 'x-api-key': '' },
      { cookie: 'api-key=sesame' },
    ]) {
      expect((await fetch(`${test.url}/v1/models`, { headers })).status, JSON.stringify(headers)).toBe(401);
      await expect(RealtimeClient.connect(test.realtime, { headers })).rejects.toMatchObject({
        httpStatus: 401,
      });
    }
  });

  it('are read in one order', () => {
    const headers = { authorization: 'Token a', 'api-key': 'b', 'x-api-key': 'c' };
    expect(headerCredential(headers)?.text).toBe('a');
    expect(headerCredential({ ...headers, authorization: 'Basic a' })?.text).toBe('b');
    expect(headerCredential({ 'api-key': '', 'x-api-key': ['c', 'd'] })?.text).toBe('c');
    expect(headerCredential({})).toBeUndefined();
  });
});

describe('subprotocols', () => {
  it('hold a key as the browser clients of OpenAI, NVIDIA and Deepgram write it', () => {
    const key = { text: 'sesame', carriage: 'subprotocol' };
    for (const protocols of [
      ['realtime', 'openai-insecure-api-key.sesame', 'openai-beta.realtime-v1'],
      ['realtime', 'realtime-token.sesame'],
      ['token', 'sesame'],
      ['bearer', 'sesame'],
    ]) {
      expect(subprotocolCredential(protocols)).toEqual(key);
      expect(credentialOf({ authorization: undefined, protocols })).toEqual(key);
      expect(plainProtocols(protocols).join()).not.toContain('sesame');
    }
    expect(plainProtocols(['token', 'sesame', 'realtime'])).toEqual(['token', 'realtime']);
    for (const protocols of [[], ['token'], ['realtime', 'sesame'], ['openai-insecure-api-key.']]) {
      expect(subprotocolCredential(protocols)).toBeUndefined();
    }
  });

  it('with a key are never answered with, whatever a dialect says', async () => {
    const careless: Dialect = {
      ...vllm,
      greet: (request) => ({ ...vllm.greet(request), protocol: request.protocols.at(-1) }),
    };
    await using test = await startTestServer({ server: { apiKey: 'sesame', dialects: [careless] } });
    const chosen = (protocols: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(test.realtime.replace('http', 'ws'), protocols);
        // It fails where none was chosen, as a browser does; the answer itself says which.
        socket.on('upgrade', ({ headers }) => {
          resolve(headers['sec-websocket-protocol'] ?? 'none');
          socket.terminate();
        });
        socket.on('unexpected-response', () => reject(new Error('it was not let in')));
        socket.on('error', () => undefined);
      });
    expect(await chosen(['openai-insecure-api-key.sesame', 'realtime'])).toBe('realtime');
    expect(await chosen(['realtime', 'openai-insecure-api-key.sesame'])).toBe('none');
    expect(await chosen(['token', 'sesame'])).toBe('none');
  });
});
