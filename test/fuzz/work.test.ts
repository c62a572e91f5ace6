/**
 * Bytes that are made to be looked at again and again: each costs a bounded number of steps. Counted, not timed; what costs
 * time inside the platform is for the campaign at growing sizes and for test/tidy.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkCounter } from './work-counter.js';

const BYTES = 256 * 1024;
/** Steps for each byte. The most that any of these takes is 47; a square at this size is ten thousand and more. */
const STEPS_PER_BYTE_MAX = 100;

const counter = new WorkCounter();
beforeAll(() => counter.start());
afterAll(() => counter.close());

async function* flowing(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function drain(parts: AsyncIterable<unknown> | undefined): Promise<void> {
  for await (const _part of parts ?? []);
}

/** So many bytes of one piece after the other. */
function repeated(...piece: readonly (string | Uint8Array)[]): Buffer {
  const parts = piece.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  return Buffer.alloc(BYTES, Buffer.concat(parts));
}

type Case = readonly [name: string, open: () => Promise<() => unknown>];

// Imported inside: what was loaded before the counter began is not counted block by block.
const CASES: readonly Case[] = [
  [
    'FLAC that is headers and nothing else',
    async () => {
      const { ByteCursor } = await import('../../packages/audio/src/file/byte-cursor.js');
      const { openFlac } = await import('../../packages/audio/src/file/flac-frames.js');
      const { flacHead, flacHeader } = await import('../../packages/audio/test/file/hostile-bytes.js');
      const bytes = Buffer.concat([flacHead, repeated(flacHeader(1), 'abc')]);
      return async () => drain((await openFlac(new ByteCursor(flowing(bytes, 4_096))))?.frames);
    },
  ],
  [
    'Ogg whose every page claims the next 64 KiB',
    async () => {
      const { oggPackets } = await import('../../packages/audio/src/file/ogg-packets.js');
      const bytes = repeated('OggS', Buffer.alloc(27, 0xff));
      return () => drain(oggPackets(flowing(bytes, 4_096)));
    },
  ],
  [
    'Matroska whose elements are empty or none',
    async () => {
      const { ByteCursor } = await import('../../packages/audio/src/file/byte-cursor.js');
      const { openMatroska } = await import('../../packages/audio/src/file/matroska-packets.js');
      const bytes = repeated(Uint8Array.of(0x1f, 0x43, 0xb6, 0, 0xa3, 0x80));
      return async () => {
        await expect(openMatroska(new ByteCursor(flowing(bytes, 4_096)))).rejects.toThrow('no track list');
      };
    },
  ],
  [
    'what could be MP3, ADTS or AC-3 at every byte',
    async () => {
      const { sniff } = await import('../../packages/audio/src/file/sniff.js');
      const bytes = repeated(
        'ID3',
        Uint8Array.of(4, 0, 0, 0, 0, 0, 0),
        Buffer.alloc(20, 0xff),
        Uint8Array.of(0xff, 0xfb, 0x10, 0),
      );
      return () => sniff(bytes, false);
    },
  ],
  [
    'WAV of chunks without a length',
    async () => {
      const { WavDecoder } = await import('../../packages/audio/src/wav-decoder.js');
      const bytes = Buffer.concat([
        Buffer.from('RIFF\xff\xff\xff\xffWAVE', 'latin1'),
        repeated('LIST', new Uint8Array(4)),
      ]);
      return () => new WavDecoder().push(bytes);
    },
  ],
  [
    'an event of backslashes and quotes',
    async () => {
      const { parseClientEvent } = await import('../../packages/protocol/src/client-codec.js');
      const text = `{"type":"${repeated('\\\\\\"').toString('latin1')}`;
      return () => parseClientEvent(text);
    },
  ],
  [
    'an event whose type is a list of texts',
    async () => {
      const { parseClientEvent } = await import('../../packages/protocol/src/client-codec.js');
      const text = JSON.stringify({ type: Array.from({ length: BYTES / 512 }, () => '\u00e9'.repeat(500)) });
      return () => parseClientEvent(text);
    },
  ],
  [
    'shared captions, letter by letter',
    async () => {
      const { CaptionStreamReader } = await import(
        '../../packages/protocol/src/shared-captions/caption-stream-reader.js'
      );
      const text = `data: ${repeated('data: ').toString('latin1')}`;
      return () => {
        const reader = new CaptionStreamReader();
        for (const letter of text) reader.push(letter);
      };
    },
  ],
  [
    'frames, byte by byte',
    async () => {
      const { FrameCollector } = await import('../../packages/transport/src/frames/frame-collector.js');
      const bytes = repeated(Uint8Array.of(0x81, 0x7d), Buffer.alloc(125, 0x20));
      return () => {
        const collector = new FrameCollector({ role: 'client', messageBytesMax: BYTES });
        for (let at = 0; at < bytes.length; at += 1) {
          collector.push(bytes.subarray(at, at + 1));
          while (collector.next() !== undefined);
        }
      };
    },
  ],
];

describe('each byte costs a bounded number of steps', () => {
  it.each(CASES)('%s', async (_name, open) => {
    const run = await open();
    counter.take();
    await run();
    const steps = counter.take();
    if (process.env['FUZZ_STEPS'] !== undefined) process.stdout.write(`${_name}: ${steps / BYTES}\n`);
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThan(STEPS_PER_BYTE_MAX * BYTES);
  });
});
