/** Libraries of others that send whole files: OpenAI's, Mistral's, Deepgram's, and the AI SDK. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import { DeepgramClient } from '@deepgram/sdk';
import { Mistral } from '@mistralai/mistralai';
import { experimental_transcribe as transcribe } from 'ai';
import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { KEY, useStage, whyNoClients } from './stage.js';

const NAME = 'ferry.flac';

describe.skipIf(whyNoClients !== undefined)('a library of others', { timeout: 120_000 }, () => {
  const stage = useStage();
  let bytes: Buffer;
  beforeAll(async () => {
    bytes = await readFile(join(import.meta.dirname, '../../samples', NAME));
  });

  const openai = (apiKey = KEY): OpenAI =>
    new OpenAI({ apiKey, baseURL: `${stage.plain.url}/v1`, maxRetries: 0 });

  it('OpenAI: words and segments with times, in the model’s well-known name', async () => {
    const answer = await openai().audio.transcriptions.create({
      file: new File([new Uint8Array(bytes)], NAME),
      model: 'whisper-1',
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    });
    expectWhole(answer.text, 'ferry');
    expect(answer.words?.length).toBeGreaterThan(15);
    expect(answer.segments?.length).toBeGreaterThan(1);
    for (const segment of answer.segments ?? []) {
      for (const figure of [segment.avg_logprob, segment.compression_ratio, segment.no_speech_prob]) {
        expect(typeof figure).toBe('number');
      }
    }
  });

  it('OpenAI: text as it comes, whose pieces are the whole', async () => {
    const stream = await openai().audio.transcriptions.create({
      file: new File([new Uint8Array(bytes)], NAME),
      model: 'gpt-4o-mini-transcribe',
      stream: true,
    });
    let said = '';
    let whole: string | undefined;
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') said += event.delta;
      if (event.type === 'transcript.text.done') whole = event.text;
    }
    expect(whole).toBe(said.trim());
    expectWhole(said, 'ferry');
  });

  it('OpenAI: lists and finds the model, and is told of a wrong key and of one that is not there', async () => {
    const { model } = stage.engine.info;
    expect((await openai().models.list()).data.map(({ id }) => id)).toContain(model);
    expect((await openai().models.retrieve(model)).id).toBe(model);
    await expect(openai().models.retrieve('nobody')).rejects.toThrow(OpenAI.NotFoundError);
    await expect(openai('wrong').models.list()).rejects.toThrow(OpenAI.AuthenticationError);
  });

  it('Mistral: text, language and model', async () => {
    const client = new Mistral({ apiKey: KEY, serverURL: stage.plain.url });
    const answer = await client.audio.transcriptions.complete({
      model: 'voxtral-mini-latest',
      file: new File([new Uint8Array(bytes)], NAME),
      timestampGranularities: ['segment'],
    });
    expectWhole(answer.text, 'ferry');
    expect(answer.segments?.length).toBeGreaterThan(1);
  });

  it('Deepgram: the same text, with a time for every word', async () => {
    const { url } = stage.plain;
    const environment = { base: url, production: url, agent: url, agentRest: url };
    const { media } = new DeepgramClient({ apiKey: KEY, environment }).listen.v1;
    const answer = await media.transcribeFile(bytes, { model: 'nova-3', smart_format: true });
    if (!('results' in answer)) throw new Error('No results.');
    const { transcript, words = [] } = answer.results.channels[0]?.alternatives?.[0] ?? {};
    const file = new File([new Uint8Array(bytes)], NAME);
    const { text } = await openai().audio.transcriptions.create({ file, model: 'whisper-1' });
    expect(transcript).toBe(text);
    expect(words).toHaveLength(text.split(' ').length);
    expect(answer.metadata.duration).toBeCloseTo(10.7, 0);
    expect(words.at(-1)?.end).toBeGreaterThan(9);
  });

  it('the AI SDK: text, segments and duration', async () => {
    const provider = createOpenAI({ apiKey: KEY, baseURL: `${stage.plain.url}/v1` });
    const answer = await transcribe({ model: provider.transcription('whisper-1'), audio: bytes });
    expectWhole(answer.text, 'ferry');
    expect(answer.durationInSeconds).toBeCloseTo(10.7, 0);
  });
});
