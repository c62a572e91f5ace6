/** Golden vectors and properties of what readers of shared captions are told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../src/index.js';
import { CAPTION_EVENT_CHARS_MAX } from '../src/limits.js';
import {
  type CaptionEvent,
  CaptionStreamReader,
  encodeCaptionEvent,
  HEARTBEAT,
  readCaptionEvent,
  SPEAKER_STATES,
} from '../src/shared-captions.js';

interface Vector {
  readonly name: string;
  readonly text: string;
  readonly event?: unknown;
}

function vectors(kind: 'accept' | 'reject'): Vector[] {
  const file = join(import.meta.dirname, 'vectors', 'shared-captions', `${kind}.json`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const text = fc.string({ unit: 'binary' });
// JSON has no -0, and a time cannot be one.
const time = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const caption = fc.record({ number: fc.maxSafeNat(), text, startMs: time, endMs: time });
const live = fc.record({ stable: text, unstable: text });
const speaker = fc.option(fc.constantFrom(...SPEAKER_STATES), { nil: undefined });
const event: fc.Arbitrary<CaptionEvent> = fc.oneof(
  fc.record({
    type: fc.constant('snapshot' as const),
    session: text,
    language: fc.option(text, { nil: undefined }),
    utterances: fc.array(caption),
    live,
    speaker,
  }),
  fc.record({
    type: fc.constant('update' as const),
    utterances: fc.array(caption),
    live: fc.option(live, { nil: undefined }),
    speaker,
  }),
  fc.constant({ type: 'closed' as const }),
);

/** As a vector has it: JSON has no undefined. */
function plain(each: CaptionEvent): unknown {
  return each.type === 'snapshot' ? { ...each, language: each.language ?? null } : each;
}

describe('shared captions', () => {
  it.each(vectors('accept'))('are read: $name', (vector) => {
    expect(new CaptionStreamReader().push(vector.text).map(plain)).toEqual([vector.event]);
  });

  it.each(vectors('accept'))('are written byte for byte: $name', (vector) => {
    expect(new CaptionStreamReader().push(vector.text).map(encodeCaptionEvent)).toEqual([vector.text]);
  });

  it.each(vectors('reject'))('are not read: $name; what follows is', (vector) => {
    const reader = new CaptionStreamReader();
    expect(reader.push(vector.text)).toEqual([]);
    expect(reader.push(encodeCaptionEvent({ type: 'closed' }))).toEqual([{ type: 'closed' }]);
  });

  it('come back as they were written, however the text is cut, with signs of life between', () => {
    const lengths = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), lengths, (events, cuts) => {
        const stream = `${HEARTBEAT}${events.map(encodeCaptionEvent).join(HEARTBEAT)}`;
        const reader = new CaptionStreamReader();
        const read: CaptionEvent[] = [];
        let at = 0;
        while (at < stream.length) {
          const from = at;
          at += cuts.next().value;
          read.push(...reader.push(stream.slice(from, at)));
        }
        expect(read).toEqual(events);
      }),
    );
  });

  it('that break off at any unit are no event, and nothing is thrown', () => {
    fc.assert(
      fc.property(event, (whole) => {
        const stream = encodeCaptionEvent(whole);
        for (let length = 0; length < stream.length; length += 1) {
          expect(new CaptionStreamReader().push(stream.slice(0, length))).toEqual([]);
        }
        if (whole.type === 'closed') return;
        const data = stream.slice(stream.indexOf('data: ') + 6, -2);
        expect(readCaptionEvent(whole.type, data)).toEqual(whole);
        for (let length = 0; length < data.length; length += 1) {
          expect(readCaptionEvent(whole.type, data.slice(0, length))).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of any other JSON are no event, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.constantFrom('snapshot', 'update'), fc.oneof(fc.json(), text), (name, data) => {
        expect(readCaptionEvent(name, data)).toBeUndefined();
      }),
    );
  });

  it('have the wire’s order whatever the order in the event, and nothing that does not belong', () => {
    const shuffled = {
      more: 1,
      live: { unstable: 'b', more: 1, stable: 'a' },
      utterances: [{ endMs: 3, startMs: 2, text: 't', more: 1, number: 1 }],
      type: 'update',
    } as const;
    const data =
      '{"utterances":[{"number":1,"text":"t","start_ms":2,"end_ms":3}],"live":{"stable":"a","unstable":"b"}}';
    expect(encodeCaptionEvent(shuffled)).toBe(`event: update\ndata: ${data}\n\n`);
  });

  it('of a speaker in a state that is not known are read without it', () => {
    const data = '{"utterances":[],"speaker":"asleep"}';
    expect(readCaptionEvent('update', data)).toEqual({ type: 'update', utterances: [] });
  });

  it('are the same with other line ends, and with data of several lines', () => {
    const reader = new CaptionStreamReader();
    const stream = 'event: update\r\ndata: {"utterances":\r\ndata: []}\r\n\r\n';
    expect([...stream].flatMap((unit) => reader.push(unit))).toEqual([{ type: 'update', utterances: [] }]);
  });

  it('are given up when an event does not end: one line, or many', () => {
    const push = (piece: string, times: number) => () => {
      const reader = new CaptionStreamReader();
      for (let count = 0; count < times; count += 1) reader.push(piece);
    };
    const most = 'x'.repeat(CAPTION_EVENT_CHARS_MAX);
    expect(push(most, 1)).not.toThrow();
    expect(push(`${most}x`, 1)).toThrow(ProtocolError);
    const line = `data: ${'x'.repeat(1_023)}\n`;
    expect(push(line, 2_048)).not.toThrow();
    expect(push(line, 2_049)).toThrow(ProtocolError);
  });
});
