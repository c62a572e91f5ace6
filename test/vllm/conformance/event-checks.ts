/** What each event of a client is answered with, and what is answered with nothing. */
import { expect } from 'vitest';
import { audio, COMMIT, FINAL, type WireEvent } from '../raw-client.js';
import {
  type Check,
  connected,
  expectError,
  expectWhole,
  inSession,
  SINCE_0_31,
  speak,
  totalDeltas,
  type World,
} from './check.js';

const NOT_VALIDATED =
  'Model not validated. Make sure to validate the model by sending a session.update event.';
/** 1,600 samples, and 3 bytes more. */
const PADDED_IN_THE_MIDDLE = `${Buffer.alloc(3_200).toString('base64')}AAAA`;
const APPEND = 'input_audio_buffer.append';
const UPDATE = 'session.update';

/** Each message is answered with one error, and the session goes on. */
function errors(
  name: string,
  rows: (world: World) => readonly (readonly [string | WireEvent, string])[],
  code: string,
): Check {
  return {
    name,
    run: (world) =>
      inSession(world, async (client) => {
        for (const [message, error] of rows(world)) {
          client.send(message);
          expectError(await client.next(), error, code);
        }
        expectWhole(world, await speak(client, 1_600), 1_600);
      }),
  };
}

/** As pydantic writes them. */
function invalid(
  world: World,
  schema: string,
  { field, what, type, input }: Readonly<Record<'field' | 'what' | 'type' | 'input', string>>,
): string {
  const version = world.age === '0.17.1' ? '2.12' : '2.14';
  const [head, tail] = [`1 validation error for ${schema}\n${field}`, `[type=${type}, ${input}]`];
  return `${head}\n  ${what} ${tail}\n    For further information visit https://errors.pydantic.dev/${version}/v/${type}`;
}

const noAttribute = (type: string): string => `'${type}' object has no attribute 'get'`;
const tooDeep = (kind: string): string =>
  `maximum recursion depth exceeded while decoding a JSON ${kind} from a unicode string`;

export const EVENT_CHECKS: readonly Check[] = [
  errors(
    'answers what is no JSON with invalid_json',
    () => ['', '\ufeff{}', '{} {}', 'x', '{"type":'].map((message) => [message, 'Invalid JSON']),
    'invalid_json',
  ),
  errors(
    'answers JSON that is no object, or nests absurdly, in the words of Python',
    () => [
      ['[]', noAttribute('list')],
      ['"x"', noAttribute('str')],
      ['5', noAttribute('int')],
      ['1.5', noAttribute('float')],
      ['true', noAttribute('bool')],
      ['null', noAttribute('NoneType')],
      ['['.repeat(100_000), tooDeep('array')],
      ['{"a":'.repeat(100_000), tooDeep('object')],
    ],
    'processing_error',
  ),
  errors(
    'answers types that it does not know with their value, the last one of two',
    () => [
      [{}, 'Unknown event type: None'],
      [{ type: 5 }, 'Unknown event type: 5'],
      [{ type: true }, 'Unknown event type: True'],
      [{ type: [1, 'a', { b: null }] }, "Unknown event type: [1, 'a', {'b': None}]"],
      [{ type: 'input_audio_buffer.clear' }, 'Unknown event type: input_audio_buffer.clear'],
      ['{"type":"x","type":"y"}', 'Unknown event type: y'],
    ],
    'unknown_event',
  ),
  errors(
    'answers audio that is no base64 of whole samples with invalid_audio, and empty audio too',
    () =>
      ['', '!!!!', 'AAA', 'AA==', 'AAAA', 'é', '=AAA'].map((text) => [
        { type: APPEND, audio: text },
        'Invalid audio data',
      ]),
    'invalid_audio',
  ),
  errors(
    'answers fields of another type as pydantic does',
    (world) => {
      const append = (what: string, type: string, input: string): string =>
        invalid(world, 'InputAudioBufferAppend', { field: 'audio', what, type, input });
      const commit = (what: string, type: string, input: string): string =>
        invalid(world, 'InputAudioBufferCommit', { field: 'final', what, type, input });
      const [missing, noText] = ['Field required', 'Input should be a valid string'];
      const noBoolean = 'Input should be a valid boolean';
      const unclear = `${noBoolean}, unable to interpret input`;
      const long = `${'a'.repeat(60)}`;
      return [
        [{ type: APPEND }, append(missing, 'missing', `input_value={'type': '${APPEND}'}, input_type=dict`)],
        [{ type: APPEND, audio: 5 }, append(noText, 'string_type', 'input_value=5, input_type=int')],
        [
          { type: APPEND, audio: null },
          append(noText, 'string_type', 'input_value=None, input_type=NoneType'),
        ],
        [
          { type: APPEND, audio: [long] },
          append(
            noText,
            'string_type',
            `input_value=['${'a'.repeat(23)}...${'a'.repeat(22)}'], input_type=list`,
          ),
        ],
        [{ ...COMMIT, final: null }, commit(noBoolean, 'bool_type', 'input_value=None, input_type=NoneType')],
        [{ ...COMMIT, final: 1.5 }, commit(noBoolean, 'bool_type', 'input_value=1.5, input_type=float')],
        [{ ...COMMIT, final: [] }, commit(noBoolean, 'bool_type', 'input_value=[], input_type=list')],
        [{ ...COMMIT, final: 2 }, commit(unclear, 'bool_parsing', 'input_value=2, input_type=int')],
        [
          { ...COMMIT, final: 'maybe' },
          commit(unclear, 'bool_parsing', "input_value='maybe', input_type=str"),
        ],
      ];
    },
    'processing_error',
  ),
  {
    ...errors(
      'knows the names that it serves, and takes no name for one of them',
      () => [
        [{ type: UPDATE, model: 'other' }, 'The model `other` does not exist.'],
        [{ type: UPDATE, model: ['x'] }, "The model `['x']` does not exist."],
        [{ type: UPDATE, model: { a: "it's" } }, "The model `{'a': \"it's\"}` does not exist."],
      ],
      'model_not_found',
    ),
    ages: SINCE_0_31,
  },
  {
    ...errors(
      'misses the model in a session.update without one',
      () =>
        [{ type: UPDATE }, { type: UPDATE, model: null }].map((event) => [
          event,
          'Missing required field: model',
        ]),
      'invalid_event',
    ),
    ages: SINCE_0_31,
  },
  {
    ...errors(
      'misses the model in a session.update without one, in the words of Python',
      () => [[{ type: UPDATE }, "'model'"]],
      'processing_error',
    ),
    ages: ['0.17.1'],
  },
  {
    name: 'does not begin before a model was named, and then as if nothing had been asked',
    ages: SINCE_0_31,
    run: async (world) => {
      const client = await connected(world);
      for (const event of [
        COMMIT,
        FINAL,
        { ...COMMIT, final: 'maybe' },
        { type: UPDATE, model: 'other' },
        COMMIT,
      ]) {
        client.send(event);
        if (event.type === UPDATE) expect((await client.next())['code']).toBe('model_not_found');
        else expectError(await client.next(), NOT_VALIDATED, 'model_not_validated');
      }
      client.send({ type: UPDATE, model: world.model });
      expectWhole(world, await speak(client, 1_600), 1_600);
      await client.close();
    },
  },
  {
    name: 'complains that no model was named, and begins all the same',
    ages: ['0.17.1'],
    run: async (world) => {
      const client = await connected(world);
      client.send(COMMIT, audio(1_600));
      expectError(await client.next(), NOT_VALIDATED, 'model_not_validated');
      client.send(FINAL);
      expectError(await client.next(), NOT_VALIDATED, 'model_not_validated');
      expectWhole(world, await client.answer(), 1_600);
      await client.close();
    },
  },
  {
    name: 'believes any name',
    ages: ['0.17.1'],
    run: async (world) => {
      const client = await connected(world);
      client.send({ type: UPDATE, model: 'other' });
      expectWhole(world, await speak(client, 1_600), 1_600);
      await client.close();
    },
  },
  {
    name: 'takes an empty name for the right one',
    run: async (world) => {
      const client = await connected(world);
      client.send({ type: UPDATE, model: '' });
      expectWhole(world, await speak(client, 1_600), 1_600);
      await client.close();
    },
  },
  {
    name: 'acknowledges nothing, and reads no members that it does not know',
    run: (world) =>
      inSession(world, async (client) => {
        client.send({ type: UPDATE, model: world.model, event_id: 'event-1', session: {} });
        client.send({ ...audio(1_600), event_id: 'event-2' }, { ...COMMIT, event_id: 'event-3' });
        await client.quiet();
        client.send({ type: UPDATE, model: world.model }, FINAL);
        expectWhole(world, await client.answer(), 1_600);
        await client.quiet();
      }),
  },
  {
    name: 'passes over what is not of the alphabet of base64',
    run: (world) =>
      inSession(world, async (client) => {
        const whole = Buffer.alloc(3_200).toString('base64');
        const broken = (whole.match(/.{1,76}/g) ?? []).join('\n');
        for (const text of [broken, ` -_${whole}`, `${whole}!`, `${whole}==`]) {
          client.send(COMMIT, { type: APPEND, audio: text }, FINAL);
          expectWhole(world, await client.answer(), 1_600);
        }
      }),
  },
  {
    name: 'reads base64 no further than its padding',
    ages: ['0.17.1'],
    run: (world) =>
      inSession(world, async (client) => {
        client.send(COMMIT, { type: APPEND, audio: PADDED_IN_THE_MIDDLE }, FINAL);
        expectWhole(world, await client.answer(), 1_600);
      }),
  },
  {
    ...errors(
      'does not take base64 with padding in the middle',
      () => [[{ type: APPEND, audio: PADDED_IN_THE_MIDDLE }, 'Invalid audio data']],
      'invalid_audio',
    ),
    ages: SINCE_0_31,
  },
  {
    name: 'takes for true and false what Python takes for it',
    run: (world) =>
      inSession(world, async (client) => {
        for (const yes of [1, '1', 'yes', 'TRUE', 'on', 't', 'Y']) {
          client.send(
            { ...COMMIT, final: 0 },
            audio(1_600),
            { ...COMMIT, final: 'off' },
            { ...COMMIT, final: yes },
          );
          expectWhole(world, await client.answer(), 1_600);
        }
      }),
  },
  {
    name: 'reads a message that comes in fragments as one',
    run: (world) =>
      inSession(world, async (client) => {
        const text = JSON.stringify(audio(1_600));
        client.send(COMMIT);
        client.socket.send(text.slice(0, 1_000), { fin: false });
        client.socket.send(text.slice(1_000), { fin: true });
        client.send(FINAL);
        expect((await client.answer()).deltas).toHaveLength(totalDeltas(1_600));
      }),
  },
];
