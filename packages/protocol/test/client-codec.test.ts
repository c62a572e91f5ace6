import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ClientEvent,
  DELAY_MS_MAX,
  ECHO_UNITS_MAX,
  ERRORS,
  encodeClientEvent,
  FRAME_BYTES_MAX,
  parseClientEvent,
} from '../src/index.js';

const text = fc.string({ unit: 'binary' });
const request = fc.record(
  {
    words: fc.boolean(),
    partials: fc.boolean(),
    replay: fc.boolean(),
    delay_ms: fc.integer({ min: 0, max: DELAY_MS_MAX }),
  },
  { requiredKeys: [] },
);
const clientEvent: fc.Arbitrary<ClientEvent> = fc.oneof(
  fc.record({ type: fc.constant('session.update' as const), model: text }),
  fc.record({ type: fc.constant('session.update' as const), model: text, language: text, kikitori: request }),
  fc.record({ type: fc.constant('input_audio_buffer.append' as const), audio: fc.base64String() }),
  fc.record({ type: fc.constant('input_audio_buffer.commit' as const), final: fc.boolean() }),
);

it('writes the bytes that vLLM’s own clients mean, type first and without spaces', () => {
  const written = (
    [
      { type: 'session.update', model: 'm' },
      { type: 'session.update', model: 'm', kikitori: { partials: true, words: true } },
      {
        type: 'session.update',
        model: 'm',
        kikitori: { delay_ms: 2000, replay: true, partials: false, words: true },
      },
      { type: 'session.update', model: 'm', language: 'en', kikitori: {} },
      { type: 'input_audio_buffer.append', audio: 'AAABAP//' },
      { type: 'input_audio_buffer.commit', final: false },
      { type: 'input_audio_buffer.commit', final: true },
    ] as const
  ).map(encodeClientEvent);
  expect(written).toStrictEqual([
    '{"type":"session.update","model":"m"}',
    '{"type":"session.update","model":"m","kikitori":{"words":true,"partials":true}}',
    '{"type":"session.update","model":"m","kikitori":{"words":true,"partials":false,"replay":true,"delay_ms":2000}}',
    '{"type":"session.update","model":"m","language":"en","kikitori":{}}',
    '{"type":"input_audio_buffer.append","audio":"AAABAP//"}',
    '{"type":"input_audio_buffer.commit"}',
    '{"type":"input_audio_buffer.commit","final":true}',
  ]);
});

it('gives back every event that it wrote', () => {
  fc.assert(
    fc.property(clientEvent, (event) => {
      expect(parseClientEvent(encodeClientEvent(event))).toEqual(event);
    }),
  );
});

it('calls an event that is cut at any unit invalid JSON, and throws nothing', () => {
  fc.assert(
    fc.property(clientEvent, (event) => {
      const whole = encodeClientEvent(event);
      for (let length = 0; length < whole.length; length += 1) {
        const cut = parseClientEvent(whole.slice(0, length));
        expect(cut.type === 'invalid' && cut.error.code).toBe('invalid_json');
      }
    }),
  );
});

it('answers any JSON and any text with an event or an error, and throws nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), text), (anything) => {
      expect(['invalid', 'session.update', 'input_audio_buffer.commit']).toContain(
        parseClientEvent(anything).type,
      );
    }),
  );
});

it('repeats a long unknown type only up to the bound', () => {
  const answer = (length: number): string => {
    const event = parseClientEvent(JSON.stringify({ type: 'x'.repeat(length) }));
    return event.type === 'invalid' ? event.error.wireText : '';
  };
  const prefix = 'Unknown event type: ';
  expect(answer(ECHO_UNITS_MAX - 1)).toBe(prefix + 'x'.repeat(ECHO_UNITS_MAX - 1));
  expect(answer(ECHO_UNITS_MAX)).toBe(prefix + 'x'.repeat(ECHO_UNITS_MAX));
  expect(answer(ECHO_UNITS_MAX + 1)).toBe(`${prefix}${'x'.repeat(ECHO_UNITS_MAX)}...`);
  expect(answer(8_000_000)).toHaveLength(prefix.length + ECHO_UNITS_MAX + 3);
});

it('takes an append of exactly the frame limit and refuses one byte more', () => {
  const frame = encodeClientEvent({ type: 'input_audio_buffer.append', audio: '' });
  const ofLength = (bytes: number) =>
    parseClientEvent(frame.replace('""', `"${'A'.repeat(bytes - frame.length)}"`));
  expect(ofLength(FRAME_BYTES_MAX - 1).type).toBe('input_audio_buffer.append');
  expect(ofLength(FRAME_BYTES_MAX).type).toBe('input_audio_buffer.append');
  const refused = ofLength(FRAME_BYTES_MAX + 1);
  expect(
    refused.type === 'invalid' && [refused.error.code, ERRORS[refused.error.code].closeCode],
  ).toStrictEqual(['frame_too_large', 1009]);
});

it('says what is wrong in a sentence of its own, however much was sent', () => {
  const sentences = new Set<string>();
  const members = fc.dictionary(
    fc.string(),
    fc.json().map((json): unknown => JSON.parse(json)),
  );
  const notText = fc.oneof(
    members,
    fc.array(members),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(true),
  );
  const sent = fc.oneof(
    fc.tuple(members, notText).map(([rest, type]) => ({ ...rest, type })),
    fc.tuple(members, notText).map(([rest, model]) => ({ ...rest, type: 'session.update', model })),
    members.map(({ audio: _, ...rest }) => ({ ...rest, type: 'input_audio_buffer.append' })),
    fc
      .tuple(members, notText)
      .map(([rest, audio]) => ({ ...rest, type: 'input_audio_buffer.append', audio })),
    fc
      .tuple(members, members)
      .map(([rest, final]) => ({ ...rest, type: 'input_audio_buffer.commit', final })),
    fc.array(members),
  );
  fc.assert(
    fc.property(sent, (message) => {
      const event = parseClientEvent(JSON.stringify(message));
      if (event.type === 'invalid') sentences.add(event.error.wireText);
    }),
  );
  expect([...sentences].sort()).toEqual([
    'Missing required field: audio',
    'Not a boolean: final',
    'Not a string: audio',
    'Not a string: model',
    'Not a string: type',
    'Not an object: the message',
  ]);
});
