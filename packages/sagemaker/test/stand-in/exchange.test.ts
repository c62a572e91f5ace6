import { connect, type Socket } from 'node:net';
import { ManualClock } from '@kikitori/core/manual-clock';
import { OPCODE } from '@kikitori/transport/frames';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAmzDate } from '../../src/event-stream/amz-date.js';
import { EventStreamDecoder } from '../../src/event-stream/decoder.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { readRequest } from '../../src/stand-in/request.js';
import { checkSignature } from '../../src/stand-in/request-access.js';
import { EXCHANGES, type Exchange, type Http2Frame, headerOf } from '../shared-exchange.js';
import { FrameContainer } from './frame-container.js';
import { Inbox } from './inbox.js';
import { startWorld, type World } from './world.js';

let world: World | undefined;
let container: FrameContainer | undefined;
let socket: Socket | undefined;
afterEach(async () => {
  socket?.destroy();
  await world?.dispose();
  await container?.stop();
});

const TYPES: Readonly<Record<string, number>> = { DATA: 0, HEADERS: 1, SETTINGS: 4, GOAWAY: 7 };

/** A frame of HTTP/2 as it was captured. */
function encodeH2(frame: Http2Frame & { readonly stream?: number }): Buffer {
  const payload = Buffer.from(frame.payloadHex ?? '', 'hex');
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.byteLength, 0, 3);
  header[3] = TYPES[frame.type ?? ''] ?? 255;
  header[4] = frame.flags ?? 0;
  header.writeUInt32BE(frame.stream ?? (frame.type === 'HEADERS' || frame.type === 'DATA' ? 1 : 0), 5);
  return Buffer.concat([header, payload]);
}

/** A stand-in as it was for the exchange, with a container that says hello and echoes. */
async function startFor(exchange: Exchange): Promise<World> {
  container = await FrameContainer.start();
  const unixMs = parseAmzDate(headerOf(exchange, 'x-amz-date')) ?? 0;
  return await startWorld({
    clock: new ManualClock(unixMs),
    credentials: [exchange.credentials],
    region: exchange.region,
    endpoints: [{ name: endpointOf(exchange), containerUrl: container.url }],
  });
}

async function echo(from: FrameContainer): Promise<void> {
  const far = await from.ends.next();
  far.send('{"type":"session.created"}');
  for (let heard = await far.heard.next(); 'payload' in heard; heard = await far.heard.next()) {
    const opcode = { text: OPCODE.text, binary: OPCODE.binary, continuation: OPCODE.continuation }[
      heard.kind as 'text'
    ];
    far.send(heard.payload, { opcode, isFinal: heard.isFinal });
  }
}

function endpointOf(exchange: Exchange): string {
  return headerOf(exchange, ':path').split('/')[2] ?? '';
}

/** What the bytes of a client begin with. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  encodeH2({ type: 'SETTINGS' }),
]);
const GOAWAY = encodeH2({ type: 'GOAWAY', payloadHex: '0000000000000000' });

/** Headers, events and the end, as they were captured; the rest of the connection is always the same. */
function framesOf({ http2 }: Exchange): readonly Http2Frame[] {
  return http2.clientToServer.filter(({ type }) => type === 'HEADERS' || type === 'DATA');
}

/** The hello, and every event back. */
function answersTo({ requestEvents }: Exchange): object[] {
  const hello = Buffer.from('{"type":"session.created"}').toString('hex');
  const parts: object[] = [{ DataType: 'UTF8', CompletionState: 'COMPLETE', BytesHex: hello }];
  for (const { inner } of requestEvents) {
    if (inner === null) continue;
    const textOf = (name: string): string | undefined => inner.headers.find(([found]) => found === name)?.[2];
    const DataType = textOf('DataType') ?? 'BINARY';
    parts.push({
      DataType,
      CompletionState: textOf('CompletionState') ?? 'COMPLETE',
      BytesHex: inner.bodyHex,
    });
  }
  return parts;
}

type Answer = { readonly type: number; readonly flags: number; readonly payload: Buffer };

/** Frames that come back. */
function readH2(from: Socket): Inbox<Answer> {
  const frames = new Inbox<Answer>();
  let bytes = Buffer.alloc(0);
  from.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.byteLength >= 9 && bytes.byteLength >= 9 + bytes.readUIntBE(0, 3)) {
      const length = bytes.readUIntBE(0, 3);
      frames.push({ type: bytes[3] ?? 0, flags: bytes[4] ?? 0, payload: bytes.subarray(9, 9 + length) });
      bytes = bytes.subarray(9 + length);
    }
  });
  return frames;
}

for (const { name, exchange } of EXCHANGES) {
  describe(`${name}${exchange === undefined ? ' (absent here)' : ''}`, () => {
    it.skipIf(exchange === undefined)(
      'is accepted byte for byte, GOAWAY after the headers included',
      async () => {
        if (exchange === undefined) return;
        world = await startFor(exchange);
        const echoing = echo(container ?? world.container);
        socket = connect(world.runtime.port, '127.0.0.1');
        const frames = readH2(socket);
        const [head = Buffer.of(), ...events] = framesOf(exchange).map(encodeH2);
        const end = events.splice(-2);
        socket.write(Buffer.concat([PREFACE, head]));
        const parts: object[] = [];
        const types: number[] = [];
        const decoder = new EventStreamDecoder();
        const expected = answersTo(exchange);
        while (parts.length < expected.length) {
          const { type, payload } = await frames.next();
          types.push(type);
          if (type === TYPES['HEADERS']) socket.write(Buffer.concat([GOAWAY, ...events]));
          if (type !== TYPES['DATA']) continue;
          decoder.push(payload, ({ headers, payload: bytes }) => {
            parts.push({
              DataType: headers.get('DataType')?.value,
              CompletionState: headers.get('CompletionState')?.value,
              BytesHex: Buffer.from(bytes).toString('hex'),
            });
          });
        }
        expect(parts).toStrictEqual(expected);
        expect(types).not.toContain(TYPES['GOAWAY']);
        socket.write(Buffer.concat(end));
        let last = await frames.next();
        while (last.type !== TYPES['DATA'] || (last.flags & 1) === 0) last = await frames.next();
        expect(last.payload.byteLength).toBe(0);
        await echoing;
        const clientParts = expected.length - 1;
        expect(await world.logged('stream ended')).toMatchObject({ end: 'client_done', clientParts });
      },
    );

    it.skipIf(exchange === undefined)('is refused with any one bit of any event changed', async () => {
      if (exchange === undefined) return;
      world = await startFor(exchange);
      const { logged, runtime } = world;
      const near = container ?? world.container;
      const frames = framesOf(exchange).map(encodeH2);
      const flips = fc.record({ which: fc.nat(exchange.requestEvents.length - 1), at: fc.nat(1_000_000) });
      await fc.assert(
        fc.asyncProperty(flips, async ({ which, at }) => {
          const line = connect(runtime.port, '127.0.0.1');
          line.on('error', () => undefined);
          const bytes = frames.map((frame) => Buffer.from(frame));
          // Event n is the frame behind the headers and n others, and begins behind nine bytes.
          const event = bytes[which + 1] ?? Buffer.of();
          flip(event, 72 + (at % ((event.byteLength - 9) * 8)));
          line.write(Buffer.concat([PREFACE, ...bytes]));
          const far = await near.ends.next();
          expect(await logged('stream ended')).toMatchObject({ end: 'client_event', clientParts: which });
          line.destroy();
          far.socket.destroy();
        }),
        { numRuns: 60 },
      );
    });

    it.skipIf(exchange === undefined)('is refused with any one bit of its request signature changed', () => {
      if (exchange === undefined) return;
      const { credentials, region, request } = exchange;
      const raw = request.pseudoAndHeadersInOrder.flat();
      const unixMs = parseAmzDate(headerOf(exchange, 'x-amz-date')) ?? 0;
      const policy = {
        credentials: [credentials],
        regions: new Set([region]),
        clockSkewMsMax: 300_000,
        keys: new SigningKeys(),
      };
      const check = (headers: readonly string[]): boolean =>
        checkSignature(readRequest(headers), policy, unixMs).failure === undefined;
      expect(check(raw)).toBe(true);
      const accepted: string[] = [];
      for (const header of ['authorization', 'x-amz-date', 'x-amz-security-token']) {
        const at = raw.indexOf(header) + 1;
        const value = Buffer.from(raw[at] ?? '', 'latin1');
        const from = Math.max(0, value.indexOf('Signature='));
        for (let bit = from * 8; bit < value.byteLength * 8; bit += 1) {
          const changed = Buffer.from(value);
          flip(changed, bit);
          if (check(raw.with(at, changed.toString('latin1')))) accepted.push(`${header} bit ${bit}`);
        }
      }
      expect(accepted).toStrictEqual([]);
    });
  });
}

function flip(bytes: Buffer, bit: number): void {
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
}
