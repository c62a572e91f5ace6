/** `POST /v1/listen`: a file in Deepgram's shape. */
import { createHash } from 'node:crypto';
import { encodeMuLaw, float32ToInt16, int16ToPcm16 } from '@kikitori/audio';
import { describe, expect, it } from 'vitest';
import { fileAnswer } from '../../../src/dialects/deepgram/file-answer.js';
import { startTestServer, type TestServer } from '../../test-server.js';
import { stereo, voice, wav } from '../../upload-client.js';

const TEXT = 'First words spoken. First words spoken.';
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

function listen(
  test: TestServer,
  query: string,
  body: Uint8Array<ArrayBuffer> | FormData | string = wav(3900),
  headers: Record<string, string> = {},
): Promise<Response> {
  const type = body instanceof FormData ? {} : { 'content-type': 'application/octet-stream' };
  return fetch(`${test.url}/v1/listen${query}`, { method: 'POST', body, headers: { ...type, ...headers } });
}

/** The status of an answer, and what it says went wrong. */
async function failureOf(answer: Response): Promise<readonly unknown[]> {
  const { err_code, err_msg, request_id } = await answer.json();
  expect(request_id).toMatch(UUID);
  return [answer.status, err_code, err_msg];
}

/** The transcript of each channel of an answer. */
async function transcripts(answer: Response): Promise<readonly unknown[]> {
  expect(answer.status).toBe(200);
  const { results } = await answer.json();
  return results.channels.map(
    ({ alternatives: [first] }: { alternatives: { transcript: string }[] }) => first?.transcript,
  );
}

describe('a file at /v1/listen', () => {
  it('is answered with its words and their times, and with what is known of the request', async () => {
    await using test = await startTestServer();
    const file = wav(3900);
    const answer = await listen(test, '?model=nova-3&smart_format=true&punctuate=true&language=en-US', file);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { metadata, results } = await answer.json();
    const { request_id, created, models, ...known } = metadata;
    expect(request_id).toMatch(UUID);
    expect(new Date(created).toISOString()).toBe(created);
    expect(known).toEqual({
      transaction_key: 'deprecated',
      sha256: createHash('sha256').update(file).digest('hex'),
      duration: 3.9,
      channels: 1,
      model_info: { [models[0]]: { name: 'nova-3', version: '1', arch: 'kikitori' } },
    });
    expect(Object.keys(results)).toEqual(['channels']);
    const [channel] = results.channels;
    expect(Object.keys(channel)).toEqual(['alternatives']);
    const [{ transcript, confidence, words }] = channel.alternatives;
    expect([transcript, confidence, words.length]).toEqual([TEXT, 1, 6]);
    expect(words[5]).toEqual({
      word: 'spoken',
      punctuated_word: 'spoken.',
      start: 2.9,
      end: 3.2,
      confidence: 1,
    });
    expect(test.engine.calls.streamsOpen).toBe(0);
    expect(await test.metric('kikitori_files_total{status="200"}')).toBe(1);
    expect(await test.metric('kikitori_audio_seconds_total{source="file"}')).toBe(3.9);
    expect(await test.metric('kikitori_words_total{source="file"}')).toBe(6);
  });

  it('has its utterances and its language where they are asked for', async () => {
    await using test = await startTestServer();
    const { results } = await (await listen(test, '?utterances=true&detect_language=true')).json();
    expect(results.channels[0].detected_language).toBe('en');
    const [first, second] = results.utterances;
    expect(results.utterances).toHaveLength(2);
    expect(second.id).toMatch(UUID);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ start: 2.1, end: 3.2, confidence: 1, channel: 0 });
    expect(second.transcript).toBe('First words spoken.');
    expect(second.words).toEqual(results.channels[0].alternatives[0].words.slice(3));
  });

  it('names no language where nobody can tell which it was', async () => {
    for (const languages of [[], ['en', 'de']]) {
      await using test = await startTestServer({ engine: { languages } });
      const { results } = await (await listen(test, '?detect_language=true')).json();
      expect(results.channels[0]).not.toHaveProperty('detected_language');
    }
  });

  it('has the words of each channel apart with multichannel', async () => {
    await using test = await startTestServer();
    const call = stereo(voice(1), voice(2));
    expect(await transcripts(await listen(test, '?multichannel=true', call))).toEqual([TEXT, TEXT]);
    expect(await transcripts(await listen(test, '?multichannel=true'))).toEqual([TEXT]);
    expect(await transcripts(await listen(test, '', call))).toEqual([TEXT]);
    const { metadata, results } = await (
      await listen(test, '?multichannel=true&utterances=true', call)
    ).json();
    expect(metadata.channels).toBe(2);
    const places = results.utterances.map(({ channel, start }: Record<string, unknown>) => [channel, start]);
    expect(places).toEqual([
      [0, 0.1],
      [1, 0.1],
      [0, 2.1],
      [1, 2.1],
    ]);
  });

  it('has a channel in which nobody speaks, with nothing in it', () => {
    const words = [{ text: 'Hello.', startMs: 100, endMs: 400 }];
    const utterances = [{ startMs: 100, endMs: 400, words, lane: 1, label: 'Channel 2' }];
    const heard = { audioMs: 1_000, tokens: 2, utterances, remarks: [], lanes: 2 };
    const options = { requestId: '', createdMs: 0, sha256: '', model: '', utterances: false };
    expect(fileAnswer(heard, { ...options, detectedLanguage: undefined })).toMatchObject({
      metadata: { channels: 2 },
      results: {
        channels: [
          { alternatives: [{ transcript: '', confidence: 0, words: [] }] },
          { alternatives: [{ transcript: 'Hello.', confidence: 1, words: [{ start: 0.1, end: 0.4 }] }] },
        ],
      },
    });
  });

  it('is half as sure of what does not sound like a language that the model hears', async () => {
    const words = [{ text: 'Bonjour.', startMs: 100, endMs: 500 }];
    const script = [{ words, unsureFrom: 1 }];
    await using test = await startTestServer({ engine: { script, afterScript: 'silence', roundMs: 4_000 } });
    const { results } = await (await listen(test, '')).json();
    const [{ confidence, words: told }] = results.channels[0].alternatives;
    expect([confidence, told[0].confidence]).toEqual([0.5, 0.5]);
  });

  it('is raw audio where the query names an encoding, and is looked at where it is a container all the same', async () => {
    await using test = await startTestServer();
    const samples = float32ToInt16(new Float32Array(2 * 8_000));
    const query = 'sample_rate=8000&channels=2';
    const pcm = new Uint8Array(int16ToPcm16(samples));
    const raw = await (await listen(test, `?encoding=linear16&${query}&multichannel=true`, pcm)).json();
    expect(raw.metadata).toMatchObject({ duration: 1, channels: 2 });
    const mixed = await (await listen(test, `?encoding=linear16&${query}`, pcm)).json();
    expect(mixed.metadata).toMatchObject({ duration: 1, channels: 1 });
    const mulaw = new Uint8Array(encodeMuLaw(samples));
    const phone = await (await listen(test, '?encoding=mulaw', mulaw)).json();
    expect(phone.metadata.duration).toBe(2);
    for (const encoding of ['linear16', 'flac', 'opus']) {
      expect(await transcripts(await listen(test, `?encoding=${encoding}&sample_rate=8000`))).toEqual([TEXT]);
    }
  });

  it('that is damaged says so', async () => {
    await using test = await startTestServer();
    const whole = wav(3900);
    const answer = await listen(test, '', whole.slice(0, whole.length - 1_000));
    const told = 'The file is damaged: what could be read of it was transcribed.';
    expect(answer.headers.get('x-kikitori-remarks')).toBe(told);
    expect((await answer.json()).metadata.remarks).toEqual([told]);
  });

  it('of an address is not fetched, and a form is none: both are told what to do', async () => {
    await using test = await startTestServer();
    const url = JSON.stringify({ url: 'https://example.com/a.wav' });
    const fetched = await listen(test, '', url, { 'content-type': 'application/json' });
    expect(await failureOf(fetched)).toEqual([
      400,
      'Bad Request',
      expect.stringContaining('Nothing is fetched'),
    ]);
    const form = new FormData();
    form.append('file', new Blob([wav(100)]), 'a.wav');
    expect(await failureOf(await listen(test, '', form))).toEqual([
      400,
      'Bad Request',
      expect.stringContaining('not a form'),
    ]);
    expect(await test.metric('kikitori_files_total{status="400"}')).toBe(2);
  });

  it.each([
    ['?model=nobody', 'INVALID_MODEL', 'The model does not exist'],
    ['?language=de', 'UNSUPPORTED_LANGUAGE', 'en'],
    ['?encoding=wax', 'Bad Request', 'encoding is one of linear16'],
    ['?encoding=linear16&sample_rate=7', 'Bad Request', 'sample_rate is a whole number'],
    ['?callback=https://example.com/', 'Bad Request', 'Nothing is sent to a callback'],
  ])('is refused with what is wrong in %s', async (query, code, sentence) => {
    await using test = await startTestServer();
    const failure = await failureOf(await listen(test, query));
    expect(failure).toEqual([400, code, expect.stringContaining(sentence)]);
  });

  it('is answered by its name, by an alias, and by every name of Deepgram’s models', async () => {
    await using test = await startTestServer();
    for (const [asked, told] of [
      ['?model=scripted', 'scripted'],
      ['?model=whisper-1', 'whisper-1'],
      ['?model=nova-2-drivethru', 'nova-2-drivethru'],
      ['', 'scripted'],
    ]) {
      const { metadata } = await (await listen(test, asked ?? '')).json();
      expect(metadata.model_info[metadata.models[0]].name).toBe(told);
    }
  });

  it('that is none, or none that is understood, is refused', async () => {
    await using test = await startTestServer();
    const empty = await failureOf(await listen(test, '', new Uint8Array()));
    expect(empty).toEqual([400, 'Bad Request', expect.stringContaining('The body is empty')]);
    const noise = await failureOf(await listen(test, '', new Uint8Array(100_000).fill(7)));
    expect(noise).toEqual([400, 'Bad Request', expect.stringContaining('no audio format')]);
    expect((await fetch(`${test.url}/v1/listen`)).status).toBe(405);
  });

  it('has the bounds of a file in a form, and is told of them in Deepgram’s words', async () => {
    const file = wav(2000);
    const httpLimits = { fileBytesMax: file.length, uploadsMax: 1 };
    await using test = await startTestServer({ server: { httpLimits } });
    expect((await listen(test, '', file)).status).toBe(200);
    const longer = new Uint8Array(file.length + 1);
    longer.set(file);
    const tooLarge = [413, 'PAYLOAD_TOO_LARGE', expect.stringContaining('too large')];
    expect(await failureOf(await listen(test, '', longer))).toEqual(tooLarge);
    await using full = await startTestServer({ server: { httpLimits: { uploadsMax: 0 } } });
    const answer = await listen(full, '', file);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await failureOf(answer)).toEqual([503, 'SERVICE_UNAVAILABLE', expect.any(String)]);
  });

  it('needs the key, where there is one, and says so in Deepgram’s words', async () => {
    await using test = await startTestServer({ server: { apiKey: 'key' } });
    const refused = await listen(test, '', wav(100), { authorization: 'Token wrong' });
    expect(await failureOf(refused)).toEqual([401, 'INVALID_AUTH', 'Unauthorized']);
    const taken = await listen(test, '', wav(100), { authorization: 'Token key' });
    expect(taken.status).toBe(200);
  });

  it('may be sent by pages whose origin is allowed', async () => {
    const allowedOrigins = ['https://app.example'];
    await using test = await startTestServer({ server: { allowedOrigins } });
    const asked = await fetch(`${test.url}/v1/listen?model=nova-3`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-deepgram-sdk',
      },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-methods')).toBe('POST');
    expect(asked.headers.get('access-control-allow-headers')).toContain('x-deepgram-sdk');
    const answer = await listen(test, '', wav(100), { origin: 'https://app.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const foreign = await listen(test, '', wav(100), { origin: 'https://other.example' });
    expect(await failureOf(foreign)).toEqual([403, 'INSUFFICIENT_PERMISSIONS', expect.any(String)]);
  });
});
