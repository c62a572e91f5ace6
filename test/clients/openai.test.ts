/** OpenAI's own client against our server: realtime transcription. */
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { KEY, partsOf, spoken, useStage, whyNoClients } from './stage.js';

const RATE_HZ = 24_000;

describe.skipIf(whyNoClients !== undefined)('the client of OpenAI', { timeout: 120_000 }, () => {
  const stage = useStage();

  /** A session, and all that it was told. */
  async function connect(apiKey = KEY) {
    const client = new OpenAI({ apiKey, baseURL: `${stage.secure.url}/v1` });
    const realtime = new OpenAIRealtimeWS(
      { intent: 'transcription', options: { ca: stage.authority } },
      client,
    );
    const events: RealtimeServerEvent[] = [];
    const errors: Error[] = [];
    let wake = (): void => undefined;
    realtime.on('event', (event) => {
      events.push(event);
      wake();
    });
    realtime.on('error', (error) => {
      errors.push(error);
      wake();
    });
    const until = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    const opened = new Promise<void>((resolve, reject) => {
      realtime.socket.once('open', resolve);
      realtime.socket.once('error', reject);
    });
    const of = <T extends RealtimeServerEvent['type']>(type: T) =>
      events.filter((event): event is Extract<RealtimeServerEvent, { type: T }> => event.type === type);
    return { realtime, events, errors, until, opened, of };
  }

  const DELTA = 'conversation.item.input_audio_transcription.delta';
  const COMPLETED = 'conversation.item.input_audio_transcription.completed';

  function settings(turnDetection: null | { type: 'server_vad' }, model = '') {
    return {
      type: 'session.update',
      session: {
        type: 'transcription',
        audio: {
          input: {
            format: { type: 'audio/pcm', rate: RATE_HZ },
            transcription: { model },
            turn_detection: turnDetection,
          },
        },
      },
    } as const;
  }

  it('gets turns from voice detection: who begins and ends to speak, deltas as they come, and the whole', async () => {
    const { realtime, until, opened, of, errors, events } = await connect();
    await opened;
    realtime.send(settings({ type: 'server_vad' }));
    for (const part of partsOf(await spoken(RATE_HZ, 'kitchen.flac'), RATE_HZ)) {
      realtime.send({ type: 'input_audio_buffer.append', audio: part.toString('base64') });
    }
    const isSaid = (): boolean => /warm/i.test(of(COMPLETED).at(-1)?.transcript ?? '');
    await until(isSaid);
    realtime.close();
    expect(errors).toEqual([]);
    const completed = of(COMPLETED);
    expectWhole(completed.map(({ transcript }) => transcript).join(' '), 'kitchen');
    for (const [index, { item_id: id, transcript }] of completed.entries()) {
      const deltas = of(DELTA).filter(({ item_id }) => item_id === id);
      expect(deltas.map(({ delta }) => delta).join('')).toBe(transcript);
      const [started, stopped, committed] = [
        of('input_audio_buffer.speech_started')[index],
        of('input_audio_buffer.speech_stopped')[index],
        of('input_audio_buffer.committed')[index],
      ];
      expect([started?.item_id, stopped?.item_id, committed?.item_id]).toEqual([id, id, id]);
      expect(committed?.previous_item_id ?? null).toBe(completed[index - 1]?.item_id ?? null);
      expect(started?.audio_start_ms).toBeLessThan(stopped?.audio_end_ms ?? 0);
    }
    const types = events.map(({ type }) => type);
    expect(types.indexOf('input_audio_buffer.speech_started')).toBeLessThan(types.indexOf(DELTA));
    expect(types.slice(0, 2)).toEqual(['session.created', 'session.updated']);
  });

  it('ends turns itself where it wants to, one answer for each commit', async () => {
    const { realtime, until, opened, of, errors } = await connect();
    await opened;
    realtime.send(settings(null));
    for (const [turn, name] of ['kitchen', 'ferry'].entries()) {
      for (const part of partsOf(await spoken(RATE_HZ, `${name}.flac`), RATE_HZ)) {
        realtime.send({ type: 'input_audio_buffer.append', audio: part.toString('base64') });
      }
      realtime.send({ type: 'input_audio_buffer.commit' });
      await until(() => of(COMPLETED).length > turn);
      expectWhole(of(COMPLETED)[turn]?.transcript ?? '', name);
    }
    realtime.send({ type: 'input_audio_buffer.clear' });
    await until(() => of('input_audio_buffer.cleared').length > 0);
    realtime.send({ type: 'input_audio_buffer.commit', event_id: 'mine' });
    await until(() => errors.length > 0);
    realtime.close();
    expect(of('error')[0]?.error).toMatchObject({
      code: 'input_audio_buffer_commit_empty',
      event_id: 'mine',
    });
  });

  it('is told of a model that is not there, and of a wrong key', async () => {
    const { realtime, until, opened, of } = await connect();
    await opened;
    realtime.send(settings(null, 'nobody'));
    await until(() => of('error').length > 0);
    realtime.close();
    expect(of('error')[0]?.error).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found' });
    const locked = await connect('wrong');
    await expect(locked.opened).rejects.toThrow('401');
  });
});
