/** What clients of other protocols say: the recorded conversations of each dialect, damaged. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DialectRequest } from '../../../packages/server/src/dialects/dialect.js';
import { DIALECTS, dialectOf } from '../../../packages/server/src/dialects/registry.js';
import type { SessionInput, SessionNotice } from '../../../packages/server/src/session/state.js';
import { mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { type FuzzTarget, insist, pure } from '../target.js';

const FOLDER = join(import.meta.dirname, '../../../packages/server/test/dialects/golden');
const SAYS = '> ';
const TEXT_MAX = 4_096;
const CODE_MAX = 64;
const MESSAGES = 4;

/** A conversation: what was asked for, and what its client says. */
interface Recorded {
  readonly path: string;
  readonly query: string;
  readonly said: readonly string[];
}

const RECORDED: readonly Recorded[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => {
    const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
    const [, target = '/'] = (lines.find((line) => line.startsWith('GET ')) ?? '').split(' ');
    const [path = '/', query = ''] = target.split('?');
    const said = lines.filter((line) => line.startsWith(SAYS)).map((line) => line.slice(SAYS.length));
    return { path, query, said };
  });

const WORDS = [{ text: 'Word.', startMs: 100, endMs: 300 }];
const NOTICES: readonly SessionNotice[] = [
  { type: 'configured' },
  { type: 'cleared' },
  { type: 'onset', startMs: 90 },
  { type: 'delta', text: ' Word.', audioMs: 300, words: WORDS },
  { type: 'partial', text: 'and', audioMs: 400 },
  { type: 'utterance', text: 'Word.', startMs: 100, endMs: 300, words: WORDS, unsure: true },
  { type: 'done', text: ' Word.', samples: 8_000, tokens: 2, audioMs: 500 },
  { type: 'progress', receivedMs: 500, settledMs: 300, lagMs: 200 },
  { type: 'fault', fault: 'engine_failed' },
  { type: 'fault', fault: 'model_not_found', detail: 'nobody' },
  { type: 'closing', code: 1000, lifeMs: 1_000 },
];

/** One of a list that is not empty. */
function oneOf<T>(random: Random, from: readonly T[]): T {
  const found = from[random.whole(from.length - 1)];
  if (found === undefined) throw new TypeError('nothing to choose from');
  return found;
}

function conversation(random: Random): void {
  const { path, query, said } = oneOf(random, RECORDED);
  const firstMessage = oneOf(random, said);
  const request: DialectRequest = {
    path,
    query: random.chance(0.3) ? mutatedText(query, random) : query,
    headers: {},
    protocols: [],
    firstMessage,
  };
  const talk = dialectOf(DIALECTS, request)?.converse(request);
  if (talk === undefined) return;
  talk.write({ type: 'created', id: 'sess-0123456789abcdef', createdS: 1 });
  for (let count = 0; count < MESSAGES; count += 1) {
    const line = oneOf(random, said);
    const message = line.startsWith('audio') ? random.bytes(random.whole(200)) : mutatedText(line, random);
    for (const input of talk.read(message)) check(input);
    for (const told of talk.write(oneOf(random, NOTICES))) {
      insist(typeof told !== 'string' || told === '' || told.length > 1, 'A message that says nothing.');
    }
  }
}

function check(input: SessionInput): void {
  if (input.type === 'append')
    insist(input.pcm.length > 0 && input.pcm.length % 2 === 0, 'Not whole samples.');
  if (input.type !== 'invalid') return;
  const { code, text } = input.problem;
  insist(text.length < TEXT_MAX, 'An error repeats more than its bound.');
  insist(code.length < CODE_MAX && /^[a-z0-9_]+$/i.test(code), 'An error has a code that is no label.');
}

export const DIALECT_TARGETS: readonly FuzzTarget[] = [
  { name: 'dialects', attacks: 10_000, open: pure(conversation) },
];
