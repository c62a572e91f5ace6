/** Deepgram's `/v1/listen`: conversations as they are on the wire, and what they do not show. */
import { encodeMuLaw } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { deepgramListen } from '../../../src/dialects/deepgram/listen.js';
import type { DialectRequest } from '../../../src/dialects/dialect.js';
import type { SessionNotice } from '../../../src/session/state.js';
import { testDialect } from '../conformance.js';
import { playGolden } from '../golden-player.js';

const QUERY = 'model=nova-3&encoding=linear16&sample_rate=16000';
const REQUEST: DialectRequest = { path: '/v1/listen', query: QUERY, headers: {}, protocols: [] };
const CREATED: SessionNotice = { type: 'created', id: 'sess-1', createdS: 1 };

interface Told {
  readonly type: string;
  readonly is_final?: boolean;
  readonly from_finalize?: boolean;
  readonly start?: number;
  readonly duration?: number;
  readonly channel?: {
    readonly alternatives: readonly {
      readonly transcript: string;
      readonly words: readonly { readonly word: string; readonly confidence: number }[];
    }[];
  };
}

const toldOf = (message: Message): Told => JSON.parse(String(message));
const transcriptOf = (told: Told): string => told.channel?.alternatives[0]?.transcript ?? '';
const silence = (lengthMs: number): Message[] => [new Uint8Array(lengthMs * 32)];

testDialect({
  dialect: deepgramListen,
  request: REQUEST,
  hello: [],
  audio: silence,
  turnEnd: ['{"type":"Finalize"}'],
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => (toldOf(message).is_final === true ? transcriptOf(toldOf(message)) : ''),
  isAnswer: (message) => toldOf(message).from_finalize === true,
  isError: (message) => toldOf(message).type === 'Error',
  isFarewell: (message) => toldOf(message).type === 'Metadata',
});

describe('a conversation with Deepgram', () => {
  it.each([
    ['deepgram-live', silence],
    ['deepgram-finalize', (lengthMs: number) => [encodeMuLaw(new Int16Array(lengthMs * 8))]],
    ['deepgram-two-voices', silence],
    ['deepgram-bad-query', silence],
    ['deepgram-unknown-model', silence],
  ] as const)('goes as written in %s', async (name, audio) => {
    const path = new URL(`../golden/${name}.txt`, import.meta.url);
    await playGolden({ dialect: deepgramListen, path, audio });
  });
});

describe('the key of a Deepgram client', () => {
  const greet = (request: Partial<DialectRequest>) => deepgramListen.greet({ ...REQUEST, ...request });

  it.each(['Token sesame', 'token  sesame', 'Bearer sesame', 'sesame'])('is found in %j', (authorization) => {
    expect(greet({ headers: { authorization } }).credential).toEqual({ text: 'sesame', carriage: 'header' });
  });

  it.each(['Basic sesame', ''])('is not found in %j', (authorization) => {
    expect(greet({ headers: { authorization } }).credential).toBe(undefined);
  });

  it('is the second subprotocol of a browser, which hears the first', () => {
    expect(greet({ protocols: ['token', 'sesame'] })).toEqual({
      credential: { text: 'sesame', carriage: 'subprotocol' },
      protocol: 'token',
    });
    expect(greet({ protocols: ['realtime', 'sesame'] })).toEqual({
      credential: undefined,
      protocol: undefined,
    });
  });
});

describe('what a Deepgram client sends', () => {
  it.each([
    ['WAV', 'RIFF....WAVE'],
    ['Ogg', 'OggS....'],
    ['WebM', '\x1aE\xdf\xa3....'],
    ['MP4', '....ftypisom'],
    ['FLAC', 'fLaC....'],
    ['MP3', 'ID3.....'],
  ])('is refused by its name where it is %s and no encoding was said', (name, head) => {
    const bytes = Buffer.from(head, 'latin1');
    const conversation = deepgramListen.converse({ ...REQUEST, query: 'model=nova-3' });
    expect(conversation.read(bytes)).toMatchObject([
      { type: 'invalid', problem: { text: expect.stringContaining(name), closing: { code: 1008 } } },
    ]);
    expect(deepgramListen.converse(REQUEST).read(bytes).at(-1)?.type).toBe('append');
  });

  it('is a container only at its beginning', () => {
    const conversation = deepgramListen.converse({ ...REQUEST, query: 'model=nova-3' });
    conversation.read(new Uint8Array(320));
    expect(conversation.read(Buffer.from('OggS....')).at(-1)?.type).toBe('append');
  });

  it('is mixed where its channels are not to be heard apart', () => {
    const query = `${QUERY}&channels=2`;
    const pcm = new Uint8Array(Int16Array.of(3, 5, -3, -3).buffer);
    const input = deepgramListen
      .converse({ ...REQUEST, query })
      .read(pcm)
      .at(-1);
    expect(input).toEqual({ type: 'append', pcm: new Uint8Array(Int16Array.of(4, -3).buffer) });
  });

  it('says with an empty message that it is done, as older clients do', () => {
    expect(deepgramListen.converse(REQUEST).read(new Uint8Array())).toEqual([{ type: 'leave' }]);
  });

  it('is refused where a message would grow beyond what one may hold', () => {
    const conversation = deepgramListen.converse({ ...REQUEST, query: 'encoding=mulaw&sample_rate=8000' });
    expect(conversation.read(new Uint8Array(14 * 1024 * 1024)).at(-1)).toMatchObject({
      type: 'invalid',
      problem: { code: 'invalid_audio' },
    });
    expect(conversation.read(new Uint8Array(80)).at(-1)?.type).toBe('append');
  });

  it.each([
    ['sample_rate=0', 'sample_rate'],
    ['sample_rate=fast', 'sample_rate'],
    ['encoding=opus', 'encoding'],
    ['encoding=constructor', 'encoding'],
    ['channels=9&multichannel=true', 'channels'],
    ['channels=0', 'channels'],
  ])('cannot be served with %s', (query, name) => {
    expect(deepgramListen.converse({ ...REQUEST, query }).read(new Uint8Array(2))).toMatchObject([
      { problem: { code: 'bad_query', text: expect.stringContaining(`${name} is`) } },
    ]);
  });
});

describe('what a Deepgram client is told', () => {
  const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 300 });
  const converse = (query = '') => {
    const conversation = deepgramListen.converse({ ...REQUEST, query: `${QUERY}${query}` });
    conversation.write(CREATED);
    conversation.read(new Uint8Array(32_000));
    return (notice: SessionNotice): Told[] => conversation.write(notice).map(toldOf);
  };

  it('says the word without what stands around it, and doubts what the engine doubts', () => {
    const tell = converse();
    const words = [word('“Don’t', 0), word('go…”', 400), word('—', 800)];
    const [told] = tell({ type: 'utterance', text: '', startMs: 0, endMs: 1100, words, unsure: true });
    expect(told?.channel?.alternatives[0]?.words.map((each) => [each.word, each.confidence])).toEqual([
      ['don’t', 0.5],
      ['go', 0.5],
      ['', 0.5],
    ]);
  });

  it('repeats the whole utterance in each interim result, with words that may still change behind it', () => {
    const tell = converse('&interim_results=true');
    tell({ type: 'delta', text: ' One', audioMs: 300, words: [word('One', 0)] });
    const [told] = tell({ type: 'partial', text: 'two three', audioMs: 300 });
    expect(transcriptOf(told ?? { type: '' })).toBe('One two three');
    expect(told?.channel?.alternatives[0]?.words).toMatchObject([
      { start: 0, end: 0.3 },
      { start: 0.3, end: 0.6 },
      { start: 0.6, end: 0.9 },
    ]);
  });

  it('leaves out no time between two final results', () => {
    const tell = converse();
    const first = tell({ type: 'utterance', text: 'a', startMs: 100, endMs: 400, words: [word('a', 100)] });
    const second = tell({ type: 'utterance', text: 'b', startMs: 900, endMs: 1200, words: [word('b', 900)] });
    expect([...first, ...second]).toMatchObject([
      { start: 0, duration: 0.4 },
      { start: 0.4, duration: 0.8 },
    ]);
  });

  it('ends a beginning that came to nothing, so that nobody seems to speak for ever', () => {
    const tell = converse('&vad_events=true');
    expect(tell({ type: 'onset', startMs: 200 })).toEqual([
      { type: 'SpeechStarted', channel: [0, 1], timestamp: 0.2 },
    ]);
    const [told] = tell({ type: 'utterance', text: '', startMs: 200, endMs: 500, words: [] });
    expect(told).toMatchObject({ is_final: true, speech_final: true, start: 0, duration: 0.5 });
  });

  it('keeps what was shown when the recogniser fails, and answers whoever waits', () => {
    const conversation = deepgramListen.converse(REQUEST);
    conversation.read(new Uint8Array(320));
    conversation.read('{"type":"Finalize"}');
    conversation.write({ type: 'delta', text: ' One', audioMs: 300, words: [word('One', 0)] });
    const told = conversation.write({ type: 'fault', fault: 'engine_failed' }).map(toldOf);
    expect(told).toMatchObject([
      { from_finalize: true },
      { type: 'Error', variant: 'INTERNAL_SERVER_ERROR' },
    ]);
    expect(transcriptOf(told[0] ?? { type: '' })).toBe('One');
    expect(conversation.read(new Uint8Array(320)).map(({ type }) => type)).toEqual(['begin', 'append']);
  });
});
