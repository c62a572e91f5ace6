import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventChain } from '../../src/event-stream/event-signature.js';
import { EventSigner } from '../../src/event-stream/event-signer.js';
import { encodeMessage, sealMessage } from '../../src/event-stream/message.js';
import { encodeException, encodePart } from '../../src/event-stream/payload-part.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { type EventFault, RequestEvents } from '../../src/stand-in/request-events.js';

const NOW = 1_795_361_242_000;
const CHAIN = {
  secretAccessKey: 'secret',
  region: 'us-east-1',
  seedSignature: 'a'.repeat(64),
  keys: new SigningKeys(),
};

/** Reads chunks; what came out, parts as text. */
function read(
  chunks: readonly Uint8Array[],
  eventBytesMax = 1_000_000,
): { heard: string[]; fault: EventFault | undefined } {
  const heard: string[] = [];
  const events = new RequestEvents(
    { ...CHAIN, eventBytesMax, clockSkewMsMax: 300_000, unixMs: () => NOW },
    {
      onPart: ({ isText, isFinal, payload }) => {
        heard.push(
          `${isText ? 'text' : 'binary'}${isFinal ? '' : '…'} ${Buffer.from(payload).toString('latin1')}`,
        );
      },
      onEnd: () => heard.push('end'),
    },
  );
  for (const chunk of chunks) events.push(Uint8Array.from(chunk));
  return { heard, fault: events.end() };
}

/** Three parts and the end, as a client signs them. */
function body(): Buffer[] {
  const signer = new EventSigner(CHAIN);
  return [
    signer.sign({ dataType: 'UTF8' }, 'one', NOW),
    // The official client's clock can step back by a second.
    signer.sign(
      { dataType: 'BINARY', completionState: 'PARTIAL', padding: 'pp' },
      Buffer.of(1, 2),
      NOW - 900,
    ),
    signer.sign({}, '', NOW + 5),
    signer.signEnd(NOW + 10),
  ];
}
const HEARD = ['text one', 'binary… \x01\x02', 'binary ', 'end'];

/** Any bytes in an envelope that is signed as the first link of the chain. */
function signed(inner: Uint8Array, dateMs = NOW): Uint8Array {
  const signature = Buffer.from(new EventChain(CHAIN).sign(inner, dateMs), 'hex');
  return encodeMessage(
    [
      [':date', { type: 'timestamp', value: dateMs }],
      [':chunk-signature', { type: 'binary', value: signature }],
    ],
    inner,
  );
}

describe('the events of a request', () => {
  it('come out in order, with what they are', () => {
    expect(read(body())).toStrictEqual({ heard: HEARD, fault: undefined });
  });

  it('come out the same, however the bytes are cut', () => {
    const whole = Buffer.concat(body());
    const cuts = fc.array(fc.integer({ min: 0, max: whole.byteLength }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const edges = [0, ...at.sort((a, b) => a - b), whole.byteLength];
        const chunks = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));
        expect(read(chunks)).toStrictEqual({ heard: HEARD, fault: undefined });
      }),
    );
  });

  it('are not read on after the signed empty one', () => {
    expect(read([...body(), Buffer.from('anything'), ...body()])).toStrictEqual({
      heard: HEARD,
      fault: undefined,
    });
  });

  it('may end between two of them, and not inside one', () => {
    const [first = Buffer.alloc(0)] = body();
    expect(read([first])).toStrictEqual({ heard: ['text one'], fault: undefined });
    for (const length of [1, 8, 11, 12, 13, 79, first.byteLength - 1]) {
      expect(read([first.subarray(0, length)])).toStrictEqual({ heard: [], fault: 'truncated' });
    }
  });

  it('are refused whichever single bit is flipped, and nothing of the flipped one comes out', () => {
    const events = body();
    const accepted: string[] = [];
    events.forEach((event, index) => {
      for (let bit = 0; bit < event.byteLength * 8; bit += 1) {
        const bytes = Buffer.from(event);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const { heard, fault } = read([...events.slice(0, index), bytes]);
        if (fault === undefined || heard.length !== index) accepted.push(`event ${index} bit ${bit}`);
      }
    });
    expect(accepted).toStrictEqual([]);
  });

  it('are refused for a flipped bit of date, signature or payload even where the checksums are right', () => {
    const events = body();
    const flips = fc.record({ index: fc.nat(3), at: fc.nat(1_000_000), bit: fc.nat(7) });
    fc.assert(
      fc.property(flips, ({ index, at, bit }) => {
        const bytes = Buffer.from(events[index] ?? Buffer.alloc(0));
        // The date (8 bytes), the signature (32), and everything inside; not the names and types of headers.
        const places = [
          ...range(12 + 7, 12 + 15),
          ...range(12 + 35, 12 + 67),
          ...range(79, bytes.byteLength - 4),
        ];
        const place = places[at % places.length] ?? 0;
        bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
        sealMessage(bytes, 0, bytes.byteLength, 67);
        const { heard, fault } = read([...events.slice(0, index), bytes]);
        expect(heard).toStrictEqual(HEARD.slice(0, index));
        expect(fault).toMatch(/signature|expired|malformed/);
      }),
    );
  });

  it.each<[string, number, EventFault | undefined]>([
    ['five minutes old', NOW - 300_000, undefined],
    ['older', NOW - 300_001, 'expired'],
    ['five minutes early', NOW + 300_000, undefined],
    ['earlier', NOW + 300_001, 'expired'],
  ])('are held against the clock: %s', (_name, dateMs, fault) => {
    expect(read([signed(encodePart({}, Buffer.of()), dateMs)]).fault).toBe(fault);
  });

  it('are refused when one is left out, doubled or out of order', () => {
    const [first = Buffer.of(), second = Buffer.of(), third = Buffer.of()] = body();
    expect(read([second]).fault).toBe('signature');
    expect(read([first, third])).toStrictEqual({ heard: ['text one'], fault: 'signature' });
    expect(read([first, first]).fault).toBe('signature');
  });

  const text = (value: string) => ({ type: 'string', value }) as const;
  it.each<[string, Uint8Array, EventFault?]>([
    ['no message', Buffer.from('hello, this is not a message'), 'checksum'],
    ['too short a message', Buffer.from('short')],
    ['two messages', Buffer.concat([encodePart({}, Buffer.of(1)), encodePart({}, Buffer.of(2))])],
    ['an exception', encodeException('ModelStreamError', {})],
    [
      'another event',
      encodeMessage(
        [
          [':message-type', text('event')],
          [':event-type', text('Other')],
        ],
        Buffer.of(),
      ),
    ],
    ['no headers', encodeMessage([], Buffer.of(1))],
    ['another DataType', encodeMessage([...part(), ['DataType', text('JSON')]], Buffer.of())],
    [
      'a DataType that is no string',
      encodeMessage([...part(), ['DataType', { type: 'boolean', value: true }]], Buffer.of()),
    ],
    ['another CompletionState', encodeMessage([...part(), ['CompletionState', text('DONE')]], Buffer.of())],
  ])('are refused when a rightly signed one holds %s', (_name, inner, fault = 'malformed') => {
    expect(read([signed(inner)])).toStrictEqual({ heard: [], fault });
  });

  function part(): [string, { type: 'string'; value: string }][] {
    return [
      [':message-type', text('event')],
      [':event-type', text('PayloadPart')],
    ];
  }

  it('are refused without their envelope, and with one that holds more than is signed', () => {
    expect(read([encodePart({ dataType: 'UTF8' }, Buffer.from('bare'))]).fault).toBe('malformed');
    const inner = encodePart({}, Buffer.of());
    const chain = new EventChain(CHAIN);
    const envelope = encodeMessage(
      [
        [':date', { type: 'timestamp', value: NOW }],
        [':chunk-signature', { type: 'binary', value: Buffer.from(chain.sign(inner, NOW), 'hex') }],
        ['DataType', text('UTF8')],
      ],
      inner,
    );
    expect(read([envelope]).fault).toBe('malformed');
  });

  it('give what was whole in front of any damage, and never more', () => {
    const whole = Buffer.concat(body());
    const place = fc.nat(whole.byteLength);
    const damage = fc.record({
      from: place,
      to: place,
      insert: fc.uint8Array({ maxLength: 200 }),
      cut: place,
    });
    fc.assert(
      fc.property(damage, ({ from, to, insert, cut }) => {
        const bytes = Buffer.concat([whole.subarray(0, from), insert, whole.subarray(Math.max(from, to))]);
        const { heard } = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
        expect(HEARD.slice(0, heard.length)).toStrictEqual(heard);
      }),
      { numRuns: 500 },
    );
  });

  it('are refused by their announced length, before it is there', () => {
    const [first = Buffer.of()] = body();
    const limit = first.byteLength;
    expect(read([first], limit).fault).toBeUndefined();
    expect(read([first.subarray(0, 12)], limit - 1).fault).toBe('oversized');
    const huge = Buffer.alloc(16);
    sealMessage(huge, 0, 16, 0);
    huge.writeUInt32BE(0xffffffff, 0);
    expect(read([huge.subarray(0, 12)]).fault).toBe('checksum');
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
