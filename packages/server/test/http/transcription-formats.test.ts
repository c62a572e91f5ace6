/** What clients of OpenAI and of Mistral want of a whole answer. */
import { describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.js';
import { type Fields, form, post, stereo, voice, wav } from '../upload-client.js';

const TEXT = 'First words spoken. First words spoken.';
const USAGE = {
  type: 'duration',
  seconds: 4,
  prompt_audio_seconds: 4,
  prompt_tokens: 49,
  total_tokens: 55,
  completion_tokens: 6,
};

async function ask(test: TestServer, fields: Fields, file = wav(3900)): Promise<Record<string, unknown>> {
  return JSON.parse(await (await post(test, form(fields, file))).text());
}

describe('an answer', () => {
  it('as json has the members of OpenAI, and the model and the language that Mistral’s clients want', async () => {
    await using test = await startTestServer();
    expect(await ask(test, [])).toEqual({ text: TEXT, model: 'scripted', language: 'en', usage: USAGE });
  });

  it('as json names no language where nobody knows it', async () => {
    await using test = await startTestServer({ engine: { languages: [] } });
    expect(await ask(test, [])).toMatchObject({ language: null });
  });

  it('as verbose JSON has numbers wherever OpenAI’s schema wants them', async () => {
    await using test = await startTestServer();
    const verbose = await ask(test, [['response_format', 'verbose_json']]);
    expect(verbose).toMatchObject({ task: 'transcribe', language: 'en', model: 'scripted', usage: USAGE });
    expect(verbose['segments']).toEqual(
      [0, 1].map((id) => ({
        id,
        seek: 0,
        start: 0.1 + 2 * id,
        end: 1.2 + 2 * id,
        text: ' First words spoken.',
        tokens: [],
        temperature: 0,
        avg_logprob: 0,
        compression_ratio: 1,
        no_speech_prob: 0,
      })),
    );
  });

  it('as json has Mistral’s segments where times are asked for as Mistral asks, without brackets', async () => {
    await using test = await startTestServer();
    const segments = async (granularity: string, file = wav(3900)): Promise<unknown> =>
      (await ask(test, [['timestamp_granularities', granularity]], file))['segments'];
    const type = 'transcription_segment';
    expect(await segments('segment')).toEqual([
      { type, text: 'First words spoken.', start: 0.1, end: 1.2 },
      { type, text: 'First words spoken.', start: 2.1, end: 3.2 },
    ]);
    expect(await segments('word', wav(1900))).toEqual([
      { type, text: 'First', start: 0.1, end: 0.4 },
      { type, text: 'words', start: 0.5, end: 0.8 },
      { type, text: 'spoken.', start: 0.9, end: 1.2 },
    ]);
    expect(await segments('segment', stereo(voice(1), voice(2)))).toMatchObject([
      { text: 'First words spoken.', label: 'Channel 1' },
      { label: 'Channel 2' },
      { label: 'Channel 1' },
      { label: 'Channel 2' },
    ]);
  });
});
