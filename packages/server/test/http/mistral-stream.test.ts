import { describe, expect, it } from 'vitest';
import { startTestServer } from '../test-server.js';
import { type Fields, form, openUpload, post, wav } from '../upload-client.js';

const PYTHON = { 'user-agent': 'speakeasy-sdk/python 3.7.0 2.884.13 1.0.0 mistralai' };
const JAVASCRIPT = { 'user-agent': 'speakeasy-sdk/typescript 2.7.0 2.884.13 1.0.0 @mistralai/mistralai' };

function framesOf(body: string): unknown[] {
  return body
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [event = '', data = ''] = frame.split('\n');
      const told = JSON.parse(data.replace(/^data: /, ''));
      expect(event).toBe(`event: ${told.type ?? 'error'}`);
      return told;
    });
}

describe('a stream to a client of Mistral', () => {
  it.each([PYTHON, JAVASCRIPT])('has its events and no others: %o', async (headers) => {
    await using test = await startTestServer();
    const ask = async (...fields: Fields): Promise<unknown[]> => {
      // Its library writes `stream` behind the file.
      const body = form([['stream', 'true'], ...fields], wav(2000), 'behind');
      return framesOf(await (await post(test, body, headers)).text());
    };
    const delta = (text: string): object => ({ type: 'transcription.text.delta', text });
    const deltas = [delta('First'), delta(' words'), delta(' spoken.')];
    const done = {
      type: 'transcription.done',
      model: 'scripted',
      text: 'First words spoken.',
      language: 'en',
      segments: [],
      usage: {
        type: 'duration',
        seconds: 2,
        prompt_audio_seconds: 2,
        prompt_tokens: 25,
        total_tokens: 28,
        completion_tokens: 3,
      },
    };
    expect(await ask()).toEqual([...deltas, done]);
    const times = { text: 'First words spoken.', start: 0.1, end: 1.2 };
    expect(await ask(['timestamp_granularities', 'segment'])).toEqual([
      ...deltas,
      { type: 'transcription.segment', ...times },
      { ...done, segments: [{ type: 'transcription_segment', ...times }] },
    ]);
  });

  it('ends with the error where one comes after the first word', async () => {
    await using test = await startTestServer({ server: { httpLimits: { discardMs: 20 } } });
    const upload = openUpload(test, [['stream', 'true']], PYTHON);
    upload.write(wav(5000).subarray(0, 128_000));
    await upload.firstData();
    const drained = test.server.drain({ deadlineMs: 50 });
    const frames = framesOf(await upload.rest());
    expect(frames.at(-1)).toMatchObject({ error: { code: 503 } });
    await drained;
  });
});
