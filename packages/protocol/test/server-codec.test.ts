import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeServerEvent, parseServerEvent, type ServerEvent } from '../src/index.js';

const text = fc.string({ unit: 'binary' });
// JSON has no -0, and a time cannot be one.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const usage = fc.record({
  prompt_tokens: fc.nat(),
  total_tokens: fc.nat(),
  completion_tokens: fc.nat(),
  prompt_tokens_details: fc.option(fc.record({ cached_tokens: fc.option(fc.nat()) })),
});
const word = fc.record({ text, start_ms: number, end_ms: number });
const serverEvent: fc.Arbitrary<ServerEvent> = fc.oneof(
  fc.record({ type: fc.constant('session.created' as const), id: text, created: fc.nat() }),
  fc.record({ type: fc.constant('transcription.delta' as const), delta: text }),
  fc.record({ type: fc.constant('transcription.delta' as const), delta: text, audio_ms: number }),
  fc.record({
    type: fc.constant('transcription.delta' as const),
    delta: text,
    audio_ms: number,
    words: fc.array(word),
  }),
  fc.record({
    type: fc.constant('transcription.delta' as const),
    delta: text,
    audio_ms: number,
    unsure: fc.constant(true as const),
  }),
  fc.record({ type: fc.constant('transcription.done' as const), text, usage: fc.option(usage) }),
  fc.record({
    type: fc.constant('transcription.done' as const),
    text,
    usage: fc.option(usage),
    audio_ms: number,
  }),
  fc.record({ type: fc.constant('error' as const), error: text, code: fc.option(text) }),
  fc.record({
    type: fc.constant('kikitori.utterance' as const),
    text,
    start_ms: number,
    end_ms: number,
    words: fc.array(word),
  }),
  fc.record({
    type: fc.constant('kikitori.utterance' as const),
    text,
    start_ms: number,
    end_ms: number,
    words: fc.array(word),
    unsure: fc.constant(true as const),
  }),
  fc.record({ type: fc.constant('kikitori.progress' as const), received_ms: number, settled_ms: number }),
  fc.record({
    type: fc.constant('kikitori.progress' as const),
    received_ms: number,
    settled_ms: number,
    lag_ms: number,
  }),
  fc.record({ type: fc.constant('kikitori.partial' as const), text, audio_ms: number }),
);

it('gives back every event that it wrote', () => {
  fc.assert(
    fc.property(serverEvent, (event) => {
      expect(parseServerEvent(encodeServerEvent(event))).toEqual(event);
    }),
  );
});

it('calls an event that is cut at any unit invalid JSON, and throws nothing', () => {
  fc.assert(
    fc.property(serverEvent, (event) => {
      const whole = encodeServerEvent(event);
      for (let length = 0; length < whole.length; length += 1) {
        const cut = parseServerEvent(whole.slice(0, length));
        expect(cut.type === 'invalid' && cut.error.code).toBe('invalid_json');
      }
    }),
    { numRuns: 50 },
  );
});

it('answers any JSON with an event or an error, and throws nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), text), (anything) => {
      expect(['invalid', 'unknown']).toContain(parseServerEvent(anything).type);
    }),
  );
});

it('writes members in the wire’s order whatever the order in the event, and none that does not belong', () => {
  const shuffled = { later: 1, code: 'invalid_audio', error: 'Invalid audio data', type: 'error' } as const;
  expect(encodeServerEvent(shuffled)).toBe(
    '{"type":"error","error":"Invalid audio data","code":"invalid_audio"}',
  );
});

it('names the member that is wrong and never repeats its value', () => {
  const event = parseServerEvent('{"type":"transcription.delta","delta":["secret words"]}');
  expect(event.type === 'invalid' && event.error.wireText).toBe('Not a string: delta');
});

it('reads the words of a delta only where it has a position: other servers may mean something else', () => {
  const words = '"words":["two","words"]';
  expect(parseServerEvent(`{"type":"transcription.delta","delta":" x",${words}}`)).toEqual({
    type: 'transcription.delta',
    delta: ' x',
  });
  expect(parseServerEvent(`{"type":"transcription.delta","delta":" x","audio_ms":1,${words}}`).type).toBe(
    'invalid',
  );
});
