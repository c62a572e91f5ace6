/** Deepgram's `/v2/listen` (Flux): conversations as they are on the wire, and what they do not show. */
import type { Message } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { deepgramFlux } from '../../../src/dialects/deepgram/flux.js';
import type { DialectRequest } from '../../../src/dialects/dialect.js';
import type { SessionNotice } from '../../../src/session/state.js';
import { testDialect } from '../conformance.js';
import { playGolden } from '../golden-player.js';

const QUERY = 'model=flux-general-en&encoding=linear16&sample_rate=16000';
const REQUEST: DialectRequest = { path: '/v2/listen', query: QUERY, headers: {}, protocols: [] };

interface Told {
  readonly type: string;
  readonly event?: string;
  readonly trigger?: string;
  readonly transcript?: string;
  readonly turn_index?: number;
  readonly sequence_id?: number;
}

const toldOf = (message: Message): Told => JSON.parse(String(message));
const silence = (lengthMs: number): Message[] => [new Uint8Array(lengthMs * 32)];

testDialect({
  dialect: deepgramFlux,
  request: REQUEST,
  hello: [],
  audio: silence,
  turnEnd: ['{"type":"ForceEndTurn"}'],
  nonsense: '{"type":"of no dialect"}',
  textOf: (message) => {
    const { event, transcript = '' } = toldOf(message);
    return event === 'EndOfTurn' ? transcript : '';
  },
  isAnswer: (message) => toldOf(message).trigger === 'manual',
  isError: (message) => toldOf(message).type === 'Error',
  isFarewell: (message) => toldOf(message).event === 'EndOfTurn',
});

describe('a conversation with Flux', () => {
  it.each(['deepgram-flux-live', 'deepgram-flux-control'])('goes as written in %s', async (name) => {
    const path = new URL(`../golden/${name}.txt`, import.meta.url);
    await playGolden({ dialect: deepgramFlux, path, audio: silence });
  });
});

describe('what a client of Flux is told', () => {
  const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 300 });
  const converse = () => {
    const conversation = deepgramFlux.converse(REQUEST);
    conversation.read(new Uint8Array(64_000));
    return (notice: SessionNotice): Told[] => conversation.write(notice).map(toldOf);
  };

  it('counts every message, and its turns', () => {
    const tell = converse();
    const told = [
      ...tell({ type: 'created', id: 'sess-1', createdS: 1 }),
      ...tell({ type: 'onset', startMs: 0 }),
      ...tell({ type: 'delta', text: ' One', audioMs: 300, words: [word('One', 0)] }),
      ...tell({ type: 'utterance', text: 'One', startMs: 0, endMs: 300, words: [word('One', 0)] }),
      ...tell({ type: 'delta', text: ' Two', audioMs: 1300, words: [word('Two', 1000)] }),
    ];
    expect(told.map(({ sequence_id: number }) => number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(told.map(({ event, turn_index: index }) => [event, index])).toEqual([
      [undefined, undefined],
      ['StartOfTurn', 0],
      ['Update', 0],
      ['EndOfTurn', 0],
      // Where no onset was told the first words begin a turn.
      ['StartOfTurn', 1],
      ['Update', 1],
    ]);
  });

  it('ends each turn with the words that were shown', () => {
    const tell = converse();
    tell({ type: 'delta', text: ' One', audioMs: 300, words: [word('One', 0)] });
    const shown = tell({ type: 'partial', text: 'two', audioMs: 300 }).at(-1)?.transcript;
    const words = [word('One', 0), word('two', 400)];
    const [ended] = tell({ type: 'utterance', text: 'One two', startMs: 0, endMs: 700, words });
    expect([shown, ended?.transcript]).toEqual(['One two', 'One two']);
  });

  it('says that a container is none of what it hears', () => {
    const conversation = deepgramFlux.converse({ ...REQUEST, query: 'model=flux-general-en' });
    expect(conversation.read(Buffer.from('OggS....'))).toMatchObject([{ problem: { code: 'container' } }]);
  });

  it.each(['eot_threshold=0.1', 'eager_eot_threshold=1', 'eot_timeout_ms=soon', 'encoding=opus'])(
    'says what is wrong with %s, and closes',
    (query) => {
      const conversation = deepgramFlux.converse({ ...REQUEST, query });
      const [input] = conversation.read(new Uint8Array(2));
      expect(input).toMatchObject({ type: 'invalid', problem: { closing: { code: 1008 } } });
      expect(input).toMatchObject({ problem: { text: expect.stringContaining(query.split('=')[0] ?? '') } });
    },
  );
});
