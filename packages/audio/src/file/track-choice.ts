import { type FileHandle, open } from 'node:fs/promises';
import { AudioError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import type { ByteSource } from './byte-source.js';
import type { AudioFormat } from './format-table.js';
import { MP4_BOXES_MAX } from './limits.js';
import { openMatroska } from './matroska-packets.js';
import type { AudioTracks } from './pcm-stream.js';

/**
 * Which sound track of a file is heard that ffmpeg will read: it would take the one with most channels, or the first, and not ask
 * which is marked as default. undefined where the format marks none, or what can be looked at does not say.
 */
export async function chooseTrack(source: ByteSource, format: AudioFormat): Promise<AudioTracks | undefined> {
  if (format === 'matroska') return await matroskaChoice(source.probe);
  if (format !== 'mp4') return undefined;
  if (source.path === undefined) return await mp4Choice(readerOf(source.probe));
  const file = await open(source.path, 'r').catch(() => undefined);
  if (file === undefined) return undefined; // ffmpeg will say why
  try {
    return await mp4Choice(fileReader(file));
  } finally {
    await file.close();
  }
}

async function matroskaChoice(probe: Uint8Array): Promise<AudioTracks | undefined> {
  async function* once(): AsyncGenerator<Uint8Array, void> {
    yield probe;
  }
  try {
    return (await openMatroska(new ByteCursor(once())))?.tracks;
  } catch (error) {
    if (error instanceof AudioError) return undefined;
    throw error;
  }
}

/** Bytes from a place on; fewer at the end. */
type ReadAt = (position: number, length: number) => Promise<DataView>;

function readerOf(bytes: Uint8Array): ReadAt {
  return (position, length) => {
    const part = bytes.subarray(position, position + length);
    return Promise.resolve(new DataView(part.buffer, part.byteOffset, part.byteLength));
  };
}

function fileReader(file: FileHandle): ReadAt {
  return async (position, length) => {
    const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, position);
    return new DataView(buffer.buffer, 0, bytesRead);
  };
}

/** Of a movie's sound tracks the first that is enabled (ISO 14496-12 section 8.3.2). */
async function mp4Choice(read: ReadAt): Promise<AudioTracks | undefined> {
  const budget = { left: MP4_BOXES_MAX };
  const whole = { from: 0, to: Number.POSITIVE_INFINITY };
  const enabled: boolean[] = [];
  for await (const movie of boxes(read, whole, budget)) {
    if (movie.kind !== 'moov') continue;
    for await (const track of boxes(read, movie, budget)) {
      if (track.kind !== 'trak') continue;
      const { isSound, isEnabled } = await mp4Track(read, track, budget);
      if (isSound) enabled.push(isEnabled);
    }
    break;
  }
  return enabled.length === 0
    ? undefined
    : { count: enabled.length, chosen: Math.max(0, enabled.indexOf(true)) };
}

async function mp4Track(
  read: ReadAt,
  track: Span,
  budget: Budget,
): Promise<{ isSound: boolean; isEnabled: boolean }> {
  let isEnabled = false;
  let isSound = false;
  for await (const box of boxes(read, track, budget)) {
    if (box.kind === 'tkhd') isEnabled = (flagsOf(await read(box.from, 4)) & 1) !== 0;
    if (box.kind !== 'mdia') continue;
    for await (const part of boxes(read, box, budget)) {
      if (part.kind === 'hdlr') isSound = fourCc(await read(part.from, 12), 8) === 'soun';
    }
  }
  return { isSound, isEnabled };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** How many boxes are still looked at. */
interface Budget {
  left: number;
}

/** The boxes inside a span: kind and body. Ends where one does not fit, or is not there. */
async function* boxes(
  read: ReadAt,
  { from, to }: Span,
  budget: Budget,
): AsyncGenerator<Span & { readonly kind: string }, void> {
  for (let at = from; at < to && budget.left > 0; budget.left -= 1) {
    const head = await read(at, 16);
    if (head.byteLength < 8) return;
    const isLong = head.getUint32(0) === 1 && head.byteLength === 16;
    const headBytes = isLong ? 16 : 8;
    const boxBytes = isLong ? Number(head.getBigUint64(8)) : head.getUint32(0);
    if (boxBytes < headBytes) return;
    yield { kind: fourCc(head, 4), from: at + headBytes, to: Math.min(to, at + boxBytes) };
    at += boxBytes;
  }
}

/** The flags of a full box; 0 where it is cut off. */
function flagsOf(view: DataView): number {
  return view.byteLength < 4 ? 0 : view.getUint32(0) & 0xffffff;
}

function fourCc(view: DataView, at: number): string {
  return String.fromCharCode(
    ...new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(at, at + 4),
  );
}
