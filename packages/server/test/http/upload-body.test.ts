/** `POST /invocations`: a file as the whole body. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually, startTestServer, type TestServer } from '../test-server.js';
import { form, wav } from '../upload-client.js';

afterEach(() => vi.unstubAllEnvs());

const TEXT = 'First words spoken. First words spoken.';

function invoke(
  test: TestServer,
  body: Uint8Array<ArrayBuffer> | FormData,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const type = body instanceof FormData ? {} : { 'content-type': 'audio/wav' };
  return fetch(`${test.url}/invocations${query}`, { method: 'POST', body, headers: { ...type, ...headers } });
}

/** A body that is written by hand, of which so much is announced. */
function openBody(test: TestServer, path: string, lengthBytes?: number) {
  const request = httpRequest(`${test.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'audio/wav',
      ...(lengthBytes === undefined ? {} : { 'content-length': lengthBytes }),
    },
  });
  let body = '';
  let isOver = false;
  request.on('response', (response) => {
    response.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    response.on('close', () => {
      isOver = true;
    });
  });
  request.on('error', () => {
    isOver = true;
  });
  return {
    request,
    firstData: () => eventually(() => body !== ''),
    rest: async (): Promise<string> => {
      await eventually(() => isOver);
      return body;
    },
  };
}

describe('a file as the whole body', () => {
  it('is answered as json, with the figures that one in a form has', async () => {
    await using test = await startTestServer();
    for (const type of ['audio/wav', 'application/octet-stream', 'application/x-anything']) {
      const answer = await invoke(test, wav(3900), { headers: { 'content-type': type } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(await answer.json()).toMatchObject({ text: TEXT, model: 'scripted', usage: { seconds: 4 } });
    }
    const inForm = await invoke(test, form([['response_format', 'text']], wav(3900)));
    expect(await inForm.text()).toBe(`${TEXT}\n`);
    expect(await test.metric('kikitori_files_total{status="200"}')).toBe(4);
    expect(test.engine.calls.streamsOpen).toBe(0);
  });

  it('is answered as the query wishes, or SageMaker’s custom attributes do', async () => {
    await using test = await startTestServer();
    const vtt = await invoke(test, wav(3900), { query: '?response_format=vtt' });
    expect(await vtt.text()).toMatch(/^WEBVTT/);
    const headers = {
      'x-amzn-sagemaker-custom-attributes': 'response_format=verbose_json&timestamp_granularities=word',
    };
    const verbose = await (await invoke(test, wav(3900), { headers })).json();
    expect(verbose.words[0]).toEqual({ word: 'First', start: 0.1, end: 0.4 });
    const wrong = await invoke(test, wav(3900), { query: '?response_format=xml' });
    expect([wrong.status, (await wrong.json()).error.param]).toEqual([400, 'response_format']);
  });

  it('is streamed while it comes, where that is asked for', async () => {
    await using test = await startTestServer();
    const upload = openBody(test, '/invocations?stream=true');
    const file = wav(5000);
    upload.request.write(file.subarray(0, 128_000));
    await upload.firstData();
    upload.request.end(file.subarray(128_000));
    expect(await upload.rest()).toContain('"type":"transcript.text.done"');
  });

  it('has the bounds of a file in a form', async () => {
    const file = wav(2000);
    await using test = await startTestServer({ server: { httpLimits: { fileBytesMax: file.length } } });
    expect((await invoke(test, file)).status).toBe(200);
    const longer = new Uint8Array(file.length + 1);
    longer.set(file);
    const announced = await invoke(test, longer);
    expect([announced.status, await announced.text()]).toEqual([
      400,
      expect.stringContaining('Maximum file size exceeded'),
    ]);
    const upload = openBody(test, '/invocations');
    upload.request.write(longer);
    expect(await upload.rest()).toContain('Maximum file size exceeded');
    upload.request.destroy();
  });

  it('that is none, or none that is understood, is refused', async () => {
    await using test = await startTestServer();
    const empty = await invoke(test, new Uint8Array());
    expect([empty.status, await empty.text()]).toEqual([400, expect.stringContaining('The body is empty')]);
    const noise = await invoke(test, new Uint8Array(100_000).fill(7));
    expect([noise.status, (await noise.json()).error.param]).toEqual([400, 'file']);
    expect((await fetch(`${test.url}/invocations`)).status).toBe(405);
  });

  it('that stops arriving is ended', async () => {
    await using test = await startTestServer({ server: { httpLimits: { bodyStallMs: 50, discardMs: 50 } } });
    const upload = openBody(test, '/invocations', 64_000);
    upload.request.write(wav(2000).subarray(0, 32_000));
    expect(await upload.rest()).toContain('"code":408');
    upload.request.destroy();
  });

  it('whose sender leaves is deleted, and its place is free', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kikitori-test-'));
    vi.stubEnv('TMPDIR', folder);
    await using test = await startTestServer();
    const upload = openBody(test, '/invocations?stream=true', 200_000);
    upload.request.write(wav(5000).subarray(0, 128_000));
    await upload.firstData();
    expect(await readdir(folder)).toHaveLength(1);
    upload.request.destroy();
    await eventually(async () => (await test.metric('kikitori_files_total{status="499"}')) === 1);
    await eventually(async () => (await readdir(folder)).length === 0);
    await rm(folder, { recursive: true });
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
  });

  it('needs the key, where there is one', async () => {
    await using test = await startTestServer({ server: { apiKey: 'key' } });
    expect((await invoke(test, wav(100))).status).toBe(401);
    expect((await invoke(test, wav(100), { headers: { 'x-api-key': 'key' } })).status).toBe(200);
  });
});
