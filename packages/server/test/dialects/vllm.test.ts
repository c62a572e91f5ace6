/** What vLLM's dialect writes, and what it keeps for itself until a client asks for it. */
import { ERRORS } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { VllmConversation } from '../../src/dialects/vllm/conversation.js';
import type { Notice } from '../../src/session/state.js';
import { type Event, update } from '../realtime-client.js';

const DELTA: Notice = {
  type: 'delta',
  text: ' hello',
  audioMs: 400,
  words: [{ text: 'hello', startMs: 100, endMs: 400 }],
};
const DONE: Notice = { type: 'done', text: ' hello', samples: 16_000, tokens: 2, audioMs: 1000 };

/** A conversation whose session took what its client asked for. */
function having(extras?: Record<string, unknown>): VllmConversation {
  const conversation = new VllmConversation({ binaryIsText: false });
  ask(conversation, extras);
  conversation.write({ type: 'configured' });
  return conversation;
}

function ask(conversation: VllmConversation, extras?: Record<string, unknown>): unknown {
  return conversation.read(JSON.stringify(update('model', extras)))[0];
}

function told(conversation: VllmConversation, notice: Notice): Event {
  const [message, ...rest] = conversation.write(notice);
  expect(rest).toEqual([]);
  return JSON.parse(String(message));
}

describe("vLLM's dialect", () => {
  it('writes what vLLM writes for whoever asked for nothing else', () => {
    const plain = having();
    expect(told(plain, { ...DELTA, unsure: true })).toEqual({ type: 'transcription.delta', delta: ' hello' });
    expect(told(plain, DONE)).toEqual({
      type: 'transcription.done',
      text: ' hello',
      usage: { prompt_tokens: 13, total_tokens: 15, completion_tokens: 2, prompt_tokens_details: null },
    });
  });

  it('tells where words end, and of which it is unsure, to whoever asked for words', () => {
    const conversation = having({ words: true });
    const event = { type: 'transcription.delta', delta: ' hello', audio_ms: 400 };
    expect(told(conversation, DELTA)).toEqual(event);
    expect(told(conversation, { ...DELTA, unsure: true })).toEqual({ ...event, unsure: true });
    expect(told(conversation, DONE)).not.toHaveProperty('audio_ms');
  });

  it('tells the place of every word and of every answer to whoever sends again what is not settled', () => {
    const conversation = having({ words: true, replay: true });
    expect(told(conversation, DELTA)).toMatchObject({
      words: [{ text: 'hello', start_ms: 100, end_ms: 400 }],
    });
    expect(told(conversation, DONE)).toMatchObject({ audio_ms: 1000 });
  });

  it('asks of the session what its client asked for, and what an earlier update did', () => {
    const conversation = having({ words: true });
    expect(ask(conversation, { replay: true, delay_ms: 300 })).toEqual({
      type: 'configure',
      model: 'model',
      language: undefined,
      utterances: true,
      progress: true,
      partials: undefined,
      resumes: true,
      delayMs: 300,
    });
    expect(ask(having({ replay: true }))).toMatchObject({ progress: false, resumes: false });
  });

  it('keeps the extras as they were where the session refuses an update', () => {
    const conversation = having({ words: true });
    ask(conversation, { words: false });
    expect(told(conversation, { type: 'fault', fault: 'model_not_found', detail: 'nobody' })).toEqual({
      type: 'error',
      error: 'The model `nobody` does not exist.',
      code: 'model_not_found',
    });
    expect(told(conversation, DELTA)).toHaveProperty('audio_ms');
  });

  it("has vLLM's codes and texts for what goes wrong", () => {
    const plain = having();
    for (const [fault, code] of [
      ['not_configured', 'model_not_validated'],
      ['engine_failed', 'processing_error'],
      ['buffer_full', 'buffer_full'],
    ] as const) {
      const event = { type: 'error', error: ERRORS[code].text, code };
      expect(told(plain, { type: 'fault', fault })).toEqual(event);
    }
    expect(told(plain, { type: 'fault', fault: 'unsupported_language', detail: 'Not heard.' })).toMatchObject(
      {
        code: 'unsupported_language',
        error: 'Not heard.',
      },
    );
  });

  it('takes binary messages for JSON only where SageMaker delivers text so', () => {
    const bytes = new TextEncoder().encode('{"type":"input_audio_buffer.commit","final":true}');
    expect(having().read(bytes)).toMatchObject([{ type: 'invalid', problem: { code: 'invalid_frame' } }]);
    const container = new VllmConversation({ binaryIsText: true });
    expect(container.read(bytes)).toEqual([{ type: 'end' }]);
    expect(container.read(Uint8Array.of(0xff))).toMatchObject([{ type: 'invalid' }]);
  });
});
