/** Every dialect against the suite, one that exists for this test alone among them, and how they are told apart. */
import { encodeMuLaw } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import { connectWebSocket } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { assemblyAi } from '../../src/dialects/assemblyai/assemblyai.js';
import type { Dialect, DialectRequest } from '../../src/dialects/dialect.js';
import { Interpreter } from '../../src/dialects/interpreter.js';
import { mistral } from '../../src/dialects/mistral/mistral.js';
import { nim } from '../../src/dialects/nim/nim.js';
import { openai } from '../../src/dialects/openai/openai.js';
import { DIALECTS, dialectOf } from '../../src/dialects/registry.js';
import { vllm } from '../../src/dialects/vllm/vllm.js';
import { WYOMING_PATH, wyoming } from '../../src/dialects/wyoming/wyoming.js';
import { append, commit, type Event, final, RealtimeClient, update } from '../realtime-client.js';
import { eventually, handshake, startTestServer } from '../test-server.js';
import { testDialect } from './conformance.js';
import { lines } from './lines/lines.js';

const REQUEST: DialectRequest = { path: '/v1/realtime', query: '', headers: {}, protocols: [] };

const NIM_UPDATE = JSON.stringify({
  type: 'transcription_session.update',
  session: { input_audio_format: 'pcm16', input_audio_params: { sample_rate_hz: 16_000, num_channels: 1 } },
});

testDialect({
  dialect: vllm,
  request: REQUEST,
  hello: [update('scripted')].map((event) => JSON.stringify(event)),
  audio: (lengthMs) => [commit, append(lengthMs)].map((event) => JSON.stringify(event)),
  turnEnd: [commit, final].map((event) => JSON.stringify(event)),
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => eventOf(message).delta ?? '',
  isAnswer: (message) => eventOf(message).type === 'transcription.done',
  isError: (message) => eventOf(message).type === 'error',
});

testDialect({
  dialect: openai,
  request: { ...REQUEST, query: 'intent=transcription' },
  hello: [
    JSON.stringify({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } }),
  ],
  audio: (lengthMs) => [JSON.stringify(append(1.5 * lengthMs))],
  turnEnd: ['{"type":"input_audio_buffer.commit"}'],
  emptyTurn: 'refused',
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => {
    const { type, delta } = eventOf(message);
    return type === 'conversation.item.input_audio_transcription.delta' ? (delta ?? '') : '';
  },
  isAnswer: (message) => eventOf(message).type === 'conversation.item.input_audio_transcription.completed',
  isError: (message) => eventOf(message).type === 'error',
});

testDialect({
  dialect: mistral,
  request: { ...REQUEST, path: '/v1/audio/transcriptions/realtime', query: 'model=scripted' },
  hello: [],
  audio: (lengthMs) => [JSON.stringify({ ...append(lengthMs), type: 'input_audio.append' })],
  turnEnd: ['{"type":"input_audio.flush"}'],
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => {
    const { type, text } = eventOf(message);
    return type === 'transcription.text.delta' ? (text ?? '') : '';
  },
  isAnswer: (message) => eventOf(message).type === 'transcription.done',
  isError: (message) => eventOf(message).type === 'error',
});

const SPEECH = { rate: 16_000, width: 2, channels: 1 };

testDialect({
  dialect: wyoming,
  request: { ...REQUEST, path: WYOMING_PATH },
  hello: ['{"type":"transcribe","data":{}}'],
  audio: (lengthMs) => [JSON.stringify({ type: 'audio-chunk', data: SPEECH }), new Uint8Array(lengthMs * 32)],
  turnEnd: ['{"type":"audio-stop"}'],
  nonsense: '{"data":{}}',
  textOf: (message) => {
    const { type, data } = eventOf(message);
    return type === 'transcript-chunk' ? (data?.text ?? '') : '';
  },
  isAnswer: (message) => eventOf(message).type === 'transcript',
  isError: (message) => eventOf(message).type === 'error',
});

testDialect({
  dialect: nim,
  request: { ...REQUEST, firstMessage: NIM_UPDATE },
  hello: [NIM_UPDATE],
  audio: (lengthMs) => [JSON.stringify(append(lengthMs)), '{"type":"input_audio_buffer.commit"}'],
  // The server ends turns, at pauses.
  turnEnd: [],
  emptyTurn: 'unanswered',
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => {
    const { type, delta } = eventOf(message);
    return type === 'conversation.item.input_audio_transcription.delta' ? (delta ?? '') : '';
  },
  isAnswer: (message) => eventOf(message).type === 'conversation.item.input_audio_transcription.completed',
  isError: (message) => eventOf(message).type === 'error',
});

testDialect({
  dialect: assemblyAi,
  request: { ...REQUEST, path: '/v3/ws', query: 'sample_rate=16000' },
  hello: [],
  audio: (lengthMs) => [new Uint8Array(lengthMs * 32)],
  turnEnd: ['{"type":"ForceEndpoint"}'],
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => {
    const { end_of_turn: isEnd, transcript } = JSON.parse(String(message));
    return isEnd === true ? transcript : '';
  },
  emptyTurn: 'unanswered',
  isAnswer: (message) => JSON.parse(String(message)).end_of_turn === true,
  isError: (message) => eventOf(message).type === 'Error',
});

testDialect({
  dialect: lines,
  request: { ...REQUEST, path: '/lines' },
  hello: [],
  audio: (lengthMs) => [encodeMuLaw(new Int16Array(lengthMs * 8))],
  turnEnd: ['stop'],
  nonsense: 'of no dialect',
  textOf: (message) => (/^[.!]/.test(String(message)) ? '' : String(message)),
  isAnswer: (message) => message === '.',
  isError: (message) => String(message).startsWith('!'),
});

describe('a server with one more dialect', () => {
  it('lets its clients in beside the others, and refuses each in its own words', async () => {
    await using test = await startTestServer({
      server: { dialects: [lines, ...DIALECTS], apiKey: 'sesame' },
    });
    const headers = { authorization: 'Bearer sesame' };
    const url = `${test.url.replace('http', 'ws')}/lines`;
    const connection = await connectWebSocket({ url, headers });
    await connection.send(encodeMuLaw(new Int16Array(16_000)));
    await connection.send('stop');
    const said: Message[] = [];
    for await (const message of connection.messages) {
      said.push(message);
      if (message === '.') break;
    }
    expect(said.slice(0, -1).join(' ')).toBe('First words spoken.');
    const other = await RealtimeClient.connect(test.realtime, { headers });
    expect((await other.next())?.type).toBe('session.created');
    await other.connection.close();
    for (const [path, answer] of [
      ['/lines', 'Unauthorized'],
      ['/v1/realtime', '{"error":"Unauthorized"}'],
    ] as const) {
      const [head, body] = (await handshake(test.server.port, path)).split('\r\n\r\n');
      expect([head?.split(' ')[1], body]).toEqual(['401', answer]);
    }
  });
});

describe('a server with sessions of several voices', () => {
  it('gives each voice a place, and has them back', async () => {
    await using test = await startTestServer({
      engine: { streamsMax: 2 },
      server: { dialects: [lines, ...DIALECTS] },
    });
    const url = `${test.url.replace('http', 'ws')}/lines?lanes=caller,agent`;
    const connection = await connectWebSocket({ url });
    await connection.send(Uint8Array.of(0, 255));
    await eventually(async () => (await test.metric('kikitori_sessions_active')) === 2);
    expect(await handshake(test.server.port, '/v1/realtime')).toMatch(/^HTTP\/1\.1 503/);
    await connection.close();
    await eventually(async () => (await test.metric('kikitori_sessions_active')) === 0);
  });
});

describe('dialects that share a path', () => {
  /** As OpenAI's and vLLM's do: only the first message shows which. */
  const shouting: Dialect = {
    ...lines,
    name: 'shouting',
    claims: ({ path, firstMessage }) => path === '/v1/realtime' && firstMessage === 'HELLO',
  };
  const dialects = [shouting, vllm];

  it('are told apart by the first message', () => {
    expect(dialectOf(dialects, REQUEST)).toBe(vllm);
    expect(dialectOf(dialects, { ...REQUEST, firstMessage: 'HELLO' })).toBe(shouting);
    expect(dialectOf(dialects, { ...REQUEST, path: '/nowhere' })).toBe(undefined);
  });

  it('hand the connection over, with what the session has told so far', () => {
    const created = { type: 'created', id: 'sess-1', createdS: 1 } as const;
    const seen: string[] = [];
    const curious: Dialect = {
      ...shouting,
      converse: () => ({
        read: (message) => [{ type: 'invalid', problem: { code: 'heard', text: String(message) } }],
        write: (notice) => {
          seen.push(notice.type);
          return [notice.type];
        },
      }),
    };
    const interpreter = new Interpreter({ dialects: [curious, vllm], dialect: vllm, request: REQUEST });
    expect(interpreter.write(created)).toHaveLength(1);
    expect(interpreter.read('HELLO')).toMatchObject([{ problem: { text: 'HELLO' } }]);
    expect(seen).toEqual(['created']);
    expect(interpreter.write({ type: 'configured' })).toEqual(['configured']);
    // Only the first message may decide.
    expect(interpreter.read('{}')).toMatchObject([{ problem: { text: '{}' } }]);
  });

  it('stay what the request said where the first message says nothing else', () => {
    const interpreter = new Interpreter({ dialects, dialect: vllm, request: REQUEST });
    expect(interpreter.read(JSON.stringify(commit))).toEqual([{ type: 'begin' }]);
    expect(interpreter.read('HELLO')).toMatchObject([{ type: 'invalid' }]);
  });
});

function eventOf(message: Message): Event {
  return JSON.parse(String(message));
}
