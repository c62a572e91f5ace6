import { describe, expect, it } from 'vitest';
import { eventFrame } from '../../src/wyoming/event-frame.js';
import { EventReader, type WyomingEvent } from '../../src/wyoming/event-reader.js';

const LIMITS = { headerBytesMax: 100, dataBytesMax: 60, payloadBytesMax: 8 };

/** As the protocol's own library writes it: data behind the line, then the payload. */
const CHUNK = Buffer.concat([
  Buffer.from('{"type": "audio-chunk", "version": "1.10.2", "data_length": 20, "payload_length": 4}\n'),
  Buffer.from('{"rate":16000,"a":1}'),
  Buffer.from([1, 2, 3, 4]),
]);

function read(...pieces: readonly (string | Uint8Array)[]): WyomingEvent[] {
  const reader = new EventReader(LIMITS);
  return pieces.flatMap((piece) => [...reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece)]);
}

describe('EventReader', () => {
  it('reads a line, the data behind it, and the payload', () => {
    const [event] = read('{"type":"a","data":{"x":1,"y":2},"data_length":7,"payload_length":2}\n{"y":3}hi');
    expect(event).toEqual({ type: 'a', data: { x: 1, y: 3 }, payload: new Uint8Array([104, 105]) });
  });

  it('reads the same however the bytes are cut', () => {
    const whole = Buffer.concat([CHUNK, eventFrame('audio-stop'), eventFrame('ping', { text: 'é' })]);
    const expected = read(whole);
    expect(expected.map(({ type }) => type)).toEqual(['audio-chunk', 'audio-stop', 'ping']);
    expect(expected[0]?.payload).toEqual(new Uint8Array([1, 2, 3, 4]));
    for (let size = 1; size < 40; size += 1) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      );
      expect(read(...pieces)).toEqual(expected);
    }
  });

  it('keeps nothing of the bytes that it was handed', () => {
    const bytes = Buffer.from(CHUNK);
    const [event] = new EventReader(LIMITS).push(bytes);
    bytes.fill(0);
    expect(event?.payload).toEqual(new Uint8Array([1, 2, 3, 4]));
  });

  it('takes lengths that are null, and data that is none', () => {
    expect(read('{"type":"a","data":null,"data_length":null,"payload_length":null}\n')).toEqual([
      { type: 'a', data: {}, payload: new Uint8Array() },
    ]);
  });

  it.each([
    ['a line that is no JSON', 'hello\n'],
    ['a line that is no object', '[1]\n'],
    ['a line without a type', '{"data":{}}\n'],
    ['a type that is no string', '{"type":["a"]}\n'],
    ['a length below zero', '{"type":"a","payload_length":-1}\n'],
    ['a length that is no whole number', '{"type":"a","data_length":1.5}\n'],
    ['a length that is text', '{"type":"a","data_length":"7"}\n'],
    ['more data than one may send', '{"type":"a","data_length":61}\n'],
    ['more payload than one may send', '{"type":"a","payload_length":9}\n'],
    ['data that is no object', '{"type":"a","data_length":2}\n[]'],
    ['a line longer than one may be', `{"type":"${'a'.repeat(100)}"}\n`],
    ['a line without an end', 'x'.repeat(101)],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'BrokenFrameError' }));
  });

  it('says what came before what it refuses', () => {
    const events: string[] = [];
    const all = (): void => {
      for (const { type } of new EventReader(LIMITS).push(Buffer.from('{"type":"good"}\nbad\n')))
        events.push(type);
    };
    expect(all).toThrow();
    expect(events).toEqual(['good']);
  });
});

describe('eventFrame', () => {
  it('puts data behind the line, counted in bytes', () => {
    expect(eventFrame('pong', { text: 'é' }).toString()).toBe(
      '{"type":"pong","version":"1.10.2","data_length":13}\n{"text":"é"}',
    );
  });
});
