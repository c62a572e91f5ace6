import { encodeBase64 } from '@kikitori/audio';
import { describe, expect, it } from 'vitest';
import type { Conversation, DialectRequest } from '../../src/dialects/dialect.js';
import { openai } from '../../src/dialects/openai/openai.js';
import { DIALECTS, dialectOf } from '../../src/dialects/registry.js';
import type { SessionNotice } from '../../src/session/state.js';

const REQUEST: DialectRequest = { path: '/v1/realtime', query: '', headers: {}, protocols: [] };
const CREATED = { type: 'created', id: 'sess-0123456789abcdef', createdS: 1 } as const;
const AUDIO = encodeBase64(new Uint8Array(480));

type Told = Readonly<Record<string, unknown>>;

function say(conversation: Conversation, event: Told) {
  return conversation.read(JSON.stringify(event));
}

function tell(conversation: Conversation, ...notices: readonly SessionNotice[]): Told[] {
  return notices
    .flatMap((notice) => conversation.write(notice))
    .map((message) => JSON.parse(String(message)));
}

function open(request: Partial<DialectRequest> = { query: 'intent=transcription' }): Conversation {
  const conversation = openai.converse({ ...REQUEST, ...request });
  tell(conversation, CREATED);
  return conversation;
}

/** A session whose client ends turns itself, unless it says otherwise. */
function opened(input: Told = { turn_detection: null }): Conversation {
  const conversation = open();
  say(conversation, { type: 'session.update', session: { type: 'transcription', audio: { input } } });
  tell(conversation, { type: 'configured' });
  return conversation;
}

const delta = (text: string): SessionNotice => ({ type: 'delta', text, audioMs: 0, words: [] });
const done: SessionNotice = { type: 'done', text: '', samples: 24_000, tokens: 3, audioMs: 1_500 };
const types = (told: readonly Told[]): unknown[] => told.map(({ type }) => type);

describe('a connection on the path that OpenAI and vLLM share', () => {
  it.each([
    { query: 'intent=transcription' },
    { query: 'intent=transcription&model=gpt-realtime-whisper' },
    { headers: { 'openai-beta': 'realtime=v1' } },
    { protocols: ['realtime', 'openai-beta.realtime-v1'] },
    { firstMessage: '{"type":"session.update","session":{"type":"transcription"}}' },
    { firstMessage: '{"type":"transcription_session.update","session":{}}' },
  ])('is OpenAI’s with %j', (request) => {
    expect(dialectOf(DIALECTS, { ...REQUEST, ...request })?.name).toBe('openai');
  });

  it.each([
    {},
    { protocols: ['realtime'] },
    { query: 'model=x' },
    { firstMessage: '{"type":"session.update","model":"x"}' },
    { firstMessage: 'no JSON' },
    { firstMessage: new Uint8Array(3) },
  ])('is vLLM’s with %j', (request) => {
    expect(dialectOf(DIALECTS, { ...REQUEST, ...request })?.name).toBe('vllm');
  });

  it('chooses a subprotocol that holds no key', () => {
    const protocols = ['openai-insecure-api-key.sesame', 'realtime'];
    const greeting = openai.greet({ ...REQUEST, protocols });
    expect(greeting).toMatchObject({ protocol: 'realtime', credential: { text: 'sesame' } });
  });
});

describe('what a session of OpenAI is set to', () => {
  it.each([
    [{ turn_detection: null }, false],
    [{ turn_detection: { type: 'server_vad' } }, true],
    [{ turn_detection: { type: 'semantic_vad', eagerness: 'low' } }, true],
    [{}, true],
    [{ transcription: { model: 'gpt-live-transcribe' } }, false],
    [{ transcription: { model: 'gpt-4o-transcribe' } }, true],
  ])('%j ends turns at pauses: %s', (input, isPause) => {
    const [configure] = say(open(), { type: 'session.update', session: { audio: { input } } });
    expect(configure).toMatchObject({ type: 'configure', utterances: isPause, onsets: isPause });
  });

  it('is repeated to the client, and keeps what a later update leaves out', () => {
    const format = { type: 'audio/pcmu' };
    const conversation = opened({
      format,
      turn_detection: null,
      transcription: { model: 'm', language: 'en' },
    });
    const [configure] = say(conversation, { type: 'session.update', session: { include: ['x'] } });
    expect(configure).toMatchObject({ model: 'm', language: 'en', utterances: false });
    const [updated] = tell(conversation, { type: 'configured' });
    expect(updated).toMatchObject({
      type: 'session.updated',
      session: {
        id: 'sess_0123456789abcdef',
        audio: { input: { format, turn_detection: null, transcription: { model: 'm', language: 'en' } } },
        include: ['x'],
      },
    });
  });

  it.each([
    [{ audio: { input: { format: { type: 'audio/opus' } } } }, 'session.audio.input.format'],
    [{ audio: { input: { format: { type: 'audio/pcm', rate: 1 } } } }, 'session.audio.input.format'],
    [{ type: 'realtime' }, 'session.type'],
  ])('refuses %j, and says which member is at fault', (session, param) => {
    const conversation = open();
    const [refused] = say(conversation, { type: 'session.update', event_id: 'e1', session });
    if (refused?.type !== 'invalid') throw new Error('not refused');
    const [error] = tell(conversation, { type: 'invalid', problem: refused.problem });
    expect(error).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', code: 'invalid_value', param, event_id: 'e1' },
    });
  });

  it('is flat and under other names in the beta', () => {
    const conversation = open({ headers: { 'openai-beta': 'realtime=v1' } });
    const session = { input_audio_format: 'g711_ulaw', turn_detection: null };
    expect(say(conversation, { type: 'transcription_session.update', session })).toMatchObject([
      { type: 'configure', utterances: false },
    ]);
    expect(tell(conversation, { type: 'configured' })).toMatchObject([
      { type: 'transcription_session.updated', session },
    ]);
    say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO });
    expect(types(tell(conversation, delta(' a'), done))).toContain('conversation.item.created');
  });

  it('is set before the first audio where the client says nothing of it', () => {
    expect(say(open(), { type: 'input_audio_buffer.append', audio: AUDIO })).toMatchObject([
      { type: 'configure', model: '', utterances: true },
      { type: 'begin' },
      { type: 'append' },
    ]);
  });
});

describe('the items of a session of OpenAI', () => {
  it('are one for each commit, in order, what comes late included', () => {
    const conversation = opened();
    expect(say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO })[0]).toEqual({
      type: 'begin',
    });
    expect(say(conversation, { type: 'input_audio_buffer.commit' })).toEqual([{ type: 'end' }]);
    const first = tell(conversation, delta(' Hello'), delta(' you.'), done);
    say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO });
    const second = tell(conversation, done);
    const [one, two] = ['item_0123456789abcdef_1', 'item_0123456789abcdef_2'];
    expect(first.slice(0, 2).map(({ delta: text, item_id: id }) => [text, id])).toEqual([
      ['Hello', one],
      [' you.', one],
    ]);
    expect(first.at(-1)).toMatchObject({
      type: 'conversation.item.input_audio_transcription.completed',
      transcript: 'Hello you.',
      usage: { type: 'duration', seconds: 1.5 },
    });
    expect(second).toMatchObject([
      { type: 'input_audio_buffer.committed', item_id: two, previous_item_id: one },
      { type: 'conversation.item.added', previous_item_id: one, item: { id: two } },
      { type: 'conversation.item.done' },
      { type: 'conversation.item.input_audio_transcription.completed', item_id: two, transcript: '' },
    ]);
    expect(new Set([...first, ...second].map(({ event_id: id }) => id)).size).toBe(
      first.length + second.length,
    );
  });

  it('end at pauses, and by a commit as well, where the server finds turns', () => {
    const conversation = opened({ turn_detection: { type: 'server_vad' } });
    say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO });
    const utterance = { type: 'utterance', text: 'Yes.', startMs: 300, endMs: 900, words: [] } as const;
    const told = tell(conversation, { type: 'onset', startMs: 280 }, delta(' Yes.'), utterance);
    expect(told[0]).toMatchObject({ audio_start_ms: 280 });
    expect(told[2]).toMatchObject({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: 900 });
    expect(told.at(-1)).toMatchObject({ transcript: 'Yes.', usage: { seconds: 0.6 } });
    expect(say(conversation, { type: 'input_audio_buffer.commit' })).toEqual([
      { type: 'end' },
      { type: 'begin' },
    ]);
    expect(tell(conversation, done)).toEqual([]);
  });

  it('are forgotten with a clear, and begin anew', () => {
    const conversation = opened();
    say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO });
    tell(conversation, delta(' wrong'));
    expect(say(conversation, { type: 'input_audio_buffer.clear' })).toEqual([{ type: 'clear' }]);
    expect(types(tell(conversation, { type: 'cleared' }))).toEqual(['input_audio_buffer.cleared']);
    expect(say(conversation, { type: 'input_audio_buffer.commit' })).toMatchObject([
      { problem: { code: 'input_audio_buffer_commit_empty' } },
    ]);
    expect(say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO })[0]).toEqual({
      type: 'begin',
    });
    expect(tell(conversation, delta(' right'))).toMatchObject([{ delta: 'right' }]);
  });

  it('fail with the recogniser, and the next audio begins anew', () => {
    const conversation = opened();
    say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO, event_id: 'not at fault' });
    tell(conversation, delta(' half'));
    const told = tell(conversation, { type: 'fault', fault: 'engine_failed' });
    expect(types(told)).toEqual(['conversation.item.input_audio_transcription.failed', 'error']);
    expect(told[1]).toMatchObject({ error: { type: 'server_error', event_id: null } });
    expect(say(conversation, { type: 'input_audio_buffer.append', audio: AUDIO })[0]).toEqual({
      type: 'begin',
    });
  });
});
