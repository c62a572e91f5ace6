import { describe, expect, it } from 'vitest';
import { answeredNames, MODEL_ALIASES, servedModel } from '../src/model-aliases.js';
import { append, commit, deltasOf, final, RealtimeClient, update } from './realtime-client.js';
import { startTestServer, type TestServer } from './test-server.js';
import { form, post, wav } from './upload-client.js';

function namesTold({ log }: TestServer): unknown[] {
  return log.flatMap(({ level, fields }) =>
    level === 'info' && fields['asked'] !== undefined ? [[fields['asked'], fields['model']]] : [],
  );
}

describe('a name', () => {
  it('that is served means itself, also where it is an alias; every other alias, and none, the default', () => {
    const models = ['kikitori', 'nova-3'];
    expect(servedModel('nova-3', models)).toBe('nova-3');
    for (const name of ['', 'kikitori', 'whisper-1']) expect(servedModel(name, models)).toBe('kikitori');
    for (const name of ['nobody', 'Whisper-1', 'constructor', 'gpt-4o-transcribe-diarize']) {
      expect(servedModel(name, models), name).toBeUndefined();
    }
    const answered = answeredNames(models);
    expect(answered.slice(0, 2)).toEqual(models);
    expect(new Set(answered)).toEqual(new Set([...models, ...MODEL_ALIASES]));
    expect(answered.length).toBe(new Set(answered).size);
  });
});

describe('every model that AssemblyAI’s libraries let their users name', () => {
  // The enumeration of `assemblyai` 1.8 in Python.
  it.each([
    ...['universal-streaming-multilingual', 'universal-streaming-english', 'universal-3-5-pro'],
    ...['universal-3-6', 'universal-3-6-pro', 'u3-pro', 'u3-rt-pro', 'u3-rt-pro-beta-1', 'whisper-rt'],
  ])('is an alias: %s', (name) => {
    expect(servedModel(name, ['kikitori'])).toBe('kikitori');
  });
});

describe('a client that names a well-known model', () => {
  it('has its file answered by the one that is served, which the answer names and the log says once', async () => {
    await using test = await startTestServer({ server: { models: ['kikitori'] } });
    for (const model of ['whisper-1', 'gpt-4o-mini-transcribe', 'whisper-1', 'voxtral-mini-latest']) {
      const answer = await post(test, form([['model', model]], wav(2000)));
      expect(await answer.json()).toMatchObject({ text: 'First words spoken.', model: 'kikitori' });
    }
    const asked = ['whisper-1', 'gpt-4o-mini-transcribe', 'voxtral-mini-latest'];
    expect(namesTold(test)).toEqual(asked.map((name) => [name, 'kikitori']));
  });

  it('has a session, too', async () => {
    await using test = await startTestServer();
    for (let i = 0; i < 2; i += 1) {
      const client = await RealtimeClient.connect(test.realtime);
      const model = 'mistralai/Voxtral-Mini-4B-Realtime-2602';
      await client.send(update(model), commit, append(2000), final);
      expect(deltasOf(await client.until('transcription.done'))).toBe(' First words spoken.');
      await client.connection.close();
    }
    expect(namesTold(test)).toEqual([['mistralai/Voxtral-Mini-4B-Realtime-2602', 'scripted']]);
  });
});
