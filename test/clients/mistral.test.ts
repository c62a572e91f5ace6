/** Mistral's own client against our server: realtime transcription. */
import { AudioEncoding, RealtimeTranscription } from '@mistralai/mistralai/extra/realtime';
import { describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { KEY, partsOf, spoken, useStage, whyNoClients } from './stage.js';

const RATE_HZ = 16_000;

describe.skipIf(whyNoClients !== undefined)('the client of Mistral', { timeout: 120_000 }, () => {
  const stage = useStage();

  const clientOf = (apiKey = KEY): RealtimeTranscription =>
    new RealtimeTranscription({ apiKey, serverURL: stage.plain.url });

  async function* played(name: string, rateHz: number): AsyncGenerator<Uint8Array> {
    yield* partsOf(await spoken(rateHz, name), rateHz);
  }

  it('transcribes a stream: deltas, segments with times, and the whole with what it took', async () => {
    const events = [];
    for await (const event of clientOf().transcribeStream(
      played('ferry.flac', RATE_HZ),
      stage.engine.info.model,
    )) {
      events.push(event);
    }
    const done = events.find((event) => event.type === 'transcription.done');
    const said = events.flatMap((event) =>
      'text' in event && event.type.endsWith('delta') ? [event.text] : [],
    );
    expect(done).toMatchObject({ usage: { promptAudioSeconds: 12 } });
    expect(done !== undefined && 'text' in done ? done.text : '').toBe(said.join(''));
    expectWhole(said.join(''), 'ferry');
    expect(events.some(({ type }) => type === 'transcription.segment')).toBe(true);
    expect(events.some(({ type }) => type === 'error')).toBe(false);
  });

  it('gets one answer for each flush, an empty one where nothing was said, in any format', async () => {
    const rateHz = 48_000;
    const connection = await clientOf().connect(stage.engine.info.model, {
      audioFormat: { encoding: AudioEncoding.PcmS16le, sampleRate: rateHz },
    });
    const texts: string[] = [];
    const reading = (async () => {
      for await (const event of connection) {
        if (event.type === 'transcription.done' && 'text' in event) texts.push(String(event.text));
      }
    })();
    for await (const part of played('kitchen.flac', rateHz)) await connection.sendAudio(part);
    await connection.flushAudio();
    await connection.flushAudio();
    await connection.endAudio();
    await reading;
    expect(texts.slice(1)).toEqual(['', '']);
    expectWhole(texts[0] ?? '', 'kitchen');
  });

  it('is told of a wrong key, and of a model that is not there', async () => {
    await expect(clientOf('wrong').connect(stage.engine.info.model)).rejects.toThrow();
    const events = [];
    for await (const event of clientOf().transcribeStream(played('ferry.flac', RATE_HZ), 'nobody')) {
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 404 } });
  });
});
