import { AudioError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import { PACKET_BYTES_MAX } from './limits.js';

/** The first audio track of a WebM or Matroska file (RFC 9559). */
export interface MatroskaTrack {
  /** "A_OPUS", "A_VORBIS", "A_PCM/INT/LIT", … */
  readonly codecId: string;
  readonly codecPrivate: Uint8Array;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** 0 where it is not stated. */
  readonly bitDepth: number;
}

/** One frame of the track. */
export interface MatroskaPacket {
  readonly bytes: Uint8Array;
  /** Sound at the packet's end that is padding, ns. */
  readonly discardNs: number;
}

/** An opened file: its track and the packets to come. */
export interface MatroskaAudio {
  readonly track: MatroskaTrack;
  readonly packets: AsyncGenerator<MatroskaPacket, void>;
  /** After the last packet: was the file cut off or broken? */
  readonly isDamaged: () => boolean;
}

/** Element ids, with their length marker, as the specification writes them. */
const ID = {
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  encodings: 0x6d80,
  encryption: 0x5035,
  audio: 0xe1,
  rate: 0xb5,
  channels: 0x9f,
  bitDepth: 0x6264,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;
const UNKNOWN_SIZE = -1;
const AUDIO_TRACK_TYPE = 2;
/** Longer than every name of a codec. */
const CODEC_ID_BYTES_MAX = 64;
const TRACKS_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Reads up to the track list. Segment, Cluster and BlockGroup are entered and never left by their size, so that
 * live recordings with unknown sizes and files that were cut off read alike.
 * Throws `no_audio_track`, `file_encrypted` (encrypted), `file_damaged` (no track list).
 */
export async function openMatroska(pieces: AsyncIterable<Uint8Array>): Promise<MatroskaAudio> {
  const cursor = new ByteCursor(pieces);
  for (let head = await elementHead(cursor); head !== undefined; head = await elementHead(cursor)) {
    if (head.id === ID.segment) continue;
    if (head.id !== ID.tracks) {
      if (head.size === UNKNOWN_SIZE || !(await cursor.skip(head.size))) break;
      continue;
    }
    if (head.size > TRACKS_BYTES_MAX || head.size < 0 || !(await cursor.fill(head.size))) break;
    const found = audioTrack(cursor.take(head.size));
    const damage = { seen: false };
    return {
      track: found.track,
      packets: packets(cursor, found.number, damage),
      isDamaged: () => damage.seen,
    };
  }
  throw new AudioError(
    'file_damaged',
    'This WebM or Matroska file has no track list; it is cut off or damaged.',
  );
}

async function* packets(
  cursor: ByteCursor,
  trackNumber: number,
  damage: { seen: boolean },
): AsyncGenerator<MatroskaPacket, void> {
  // The last block of a group waits for the group's DiscardPadding, which follows it.
  let waiting: Uint8Array[] = [];
  let discardNs = 0;
  for (let head = await elementHead(cursor); head !== undefined; head = await elementHead(cursor)) {
    const isBlock = head.id === ID.simpleBlock || head.id === ID.block;
    if (head.id === ID.discardPadding && isNumber(head.size) && (await cursor.fill(head.size))) {
      discardNs = Number(BigInt.asIntN(head.size * 8, unsigned(cursor.take(head.size))));
      continue;
    }
    if (head.id === ID.blockGroup || head.id === ID.cluster || isBlock) {
      yield* framed(waiting, discardNs);
      waiting = [];
      discardNs = 0;
    }
    if (head.id === ID.blockGroup || head.id === ID.cluster || head.id === ID.segment) continue;
    if (head.size === UNKNOWN_SIZE) {
      damage.seen = true;
      if (!(await findCluster(cursor))) break;
    } else if (isBlock && head.size <= PACKET_BYTES_MAX) {
      if (!(await cursor.fill(head.size))) {
        damage.seen = true;
        break;
      }
      const frames = blockFrames(cursor.take(head.size), trackNumber);
      if (frames === undefined) damage.seen = true;
      else waiting = frames;
    } else if (!(await cursor.skip(head.size))) {
      damage.seen = true;
      break;
    }
  }
  yield* framed(waiting, discardNs);
}

function* framed(frames: readonly Uint8Array[], discardNs: number): Generator<MatroskaPacket> {
  for (const [index, bytes] of frames.entries()) {
    yield { bytes, discardNs: index === frames.length - 1 ? Math.max(0, discardNs) : 0 };
  }
}

/** Id and size of the next element; undefined at the end. Bytes that are no element are passed over. */
async function elementHead(cursor: ByteCursor): Promise<{ id: number; size: number } | undefined> {
  while (await cursor.fill(2)) {
    await cursor.fill(12);
    const held = cursor.held;
    const idBytes = Math.clz32(held[0] ?? 0) - 23;
    const sizeBytes = Math.clz32(held[idBytes] ?? 0) - 23;
    if (idBytes > 4 || sizeBytes > 8 || held.length < idBytes + sizeBytes) {
      if (!(await findCluster(cursor))) return undefined;
      continue;
    }
    const id = Number(unsigned(held.subarray(0, idBytes)));
    const size = vint(held.subarray(idBytes, idBytes + sizeBytes));
    cursor.drop(idBytes + sizeBytes);
    return { id, size };
  }
  return undefined;
}

/** Goes on to the next cluster mark after damage; false where there is none. */
async function findCluster(cursor: ByteCursor): Promise<boolean> {
  cursor.drop(1);
  while (await cursor.fill(4)) {
    const at = cursor.held.indexOf(0x1f);
    cursor.drop(at < 0 ? cursor.held.length : at);
    if (at >= 0 && (await cursor.fill(4)) && Number(unsigned(cursor.held.subarray(0, 4))) === ID.cluster)
      return true;
    cursor.drop(Math.min(1, cursor.held.length));
  }
  return false;
}

/** A size: the marker bit removed; `UNKNOWN_SIZE` where all bits are ones. */
function vint(bytes: Uint8Array): number {
  const bits = 7 * bytes.length;
  const value = BigInt.asUintN(bits, unsigned(bytes));
  return value === (1n << BigInt(bits)) - 1n ? UNKNOWN_SIZE : Number(value);
}

/** Numbers have at most eight bytes; sizes are the file's word. */
function isNumber(sizeBytes: number): boolean {
  return sizeBytes >= 0 && sizeBytes <= 8;
}

/** The whole number of an element; 0 where it is longer than numbers are. */
function unsigned(bytes: Uint8Array): bigint {
  let value = 0n;
  if (!isNumber(bytes.length)) return value;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The elements directly inside `bytes`. Ends quietly where one does not fit. */
function* children(bytes: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  for (let at = 0; at < bytes.length; ) {
    const idBytes = Math.clz32(bytes[at] ?? 0) - 23;
    const sizeBytes = Math.clz32(bytes[at + idBytes] ?? 0) - 23;
    if (idBytes > 4 || sizeBytes > 8) return;
    const bodyAt = at + idBytes + sizeBytes;
    const size = vint(bytes.subarray(at + idBytes, bodyAt));
    if (size < 0 || bodyAt + size > bytes.length) return;
    yield {
      id: Number(unsigned(bytes.subarray(at, at + idBytes))),
      body: bytes.subarray(bodyAt, bodyAt + size),
    };
    at = bodyAt + size;
  }
}

function audioTrack(tracks: Uint8Array): { number: number; track: MatroskaTrack } {
  for (const entry of children(tracks)) {
    if (entry.id !== ID.trackEntry) continue;
    const fields = new Map([...children(entry.body)].map(({ id, body }) => [id, body]));
    if (Number(unsigned(fields.get(ID.trackType) ?? new Uint8Array(0))) !== AUDIO_TRACK_TYPE) continue;
    const encodings = fields.get(ID.encodings);
    if (encodings !== undefined) refuseEncoding(encodings);
    const audio = new Map(
      [...children(fields.get(ID.audio) ?? new Uint8Array(0))].map(({ id, body }) => [id, body]),
    );
    return {
      number: Number(unsigned(fields.get(ID.trackNumber) ?? new Uint8Array(0))),
      track: {
        codecId: String.fromCharCode(
          ...(fields.get(ID.codecId)?.subarray(0, CODEC_ID_BYTES_MAX) ?? []).filter((byte) => byte > 0),
        ),
        codecPrivate: fields.get(ID.codecPrivate) ?? new Uint8Array(0),
        sampleRateHz: Math.round(float(audio.get(ID.rate)) ?? 8000), // the defaults of the specification
        channels: Number(unsigned(audio.get(ID.channels) ?? Uint8Array.of(1))),
        bitDepth: Number(unsigned(audio.get(ID.bitDepth) ?? new Uint8Array(0))),
      },
    };
  }
  throw new AudioError('no_audio_track', 'This file has no audio track; choose one that has sound.');
}

function refuseEncoding(encodings: Uint8Array): never {
  const isEncrypted = [...children(encodings)].some(({ body }) =>
    [...children(body)].some(({ id }) => id === ID.encryption),
  );
  if (isEncrypted) {
    throw new AudioError('file_encrypted', 'This file is copy-protected; use a copy without protection.');
  }
  throw new AudioError(
    'decoder_missing',
    'This kind of Matroska needs ffmpeg; install ffmpeg and try again.',
  );
}

function float(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0);
  return bytes.length === 8 ? view.getFloat64(0) : undefined;
}

/** The frames of one block; none for another track, undefined for a damaged block. RFC 9559 section 10. */
function blockFrames(block: Uint8Array, trackNumber: number): Uint8Array[] | undefined {
  const numberBytes = Math.clz32(block[0] ?? 0) - 23;
  if (numberBytes > 8 || block.length < numberBytes + 3) return undefined;
  if (vint(block.subarray(0, numberBytes)) !== trackNumber) return [];
  const lacing = ((block[numberBytes + 2] ?? 0) >> 1) & 3;
  const body = block.subarray(numberBytes + 3);
  if (lacing === 0) return [body];
  const count = (body[0] ?? 0) + 1;
  if (lacing === 2) return cut(body, 1, Array(count).fill((body.length - 1) / count));
  return lacing === 1 ? xiphLaced(body, 1, count) : ebmlLaced(body, count);
}

/** Frames whose sizes are given as runs of 255; also the three headers of Vorbis in CodecPrivate. */
export function xiphLaced(body: Uint8Array, from: number, count: number): Uint8Array[] | undefined {
  const sizes: number[] = [];
  let at = from;
  for (let size = 0; sizes.length < count - 1 && at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    size += byte;
    if (byte === 255) continue;
    sizes.push(size);
    size = 0;
  }
  return withRest(body, at, sizes, count);
}

function ebmlLaced(body: Uint8Array, count: number): Uint8Array[] | undefined {
  const sizes: number[] = [];
  let at = 1;
  while (sizes.length < count - 1 && at < body.length) {
    const width = Math.clz32(body[at] ?? 0) - 23;
    if (width > 8) return undefined;
    const value = Number(BigInt.asUintN(7 * width, unsigned(body.subarray(at, at + width))));
    // After the first, sizes are signed differences: half of the range is below 0.
    const before = sizes.at(-1);
    sizes.push(before === undefined ? value : before + value - (2 ** (7 * width - 1) - 1));
    at += width;
  }
  return withRest(body, at, sizes, count);
}

function withRest(body: Uint8Array, at: number, sizes: number[], count: number): Uint8Array[] | undefined {
  if (sizes.length !== count - 1) return undefined;
  return cut(body, at, [...sizes, body.length - at - sizes.reduce((sum, size) => sum + size, 0)]);
}

function cut(body: Uint8Array, from: number, sizes: readonly number[]): Uint8Array[] | undefined {
  const frames: Uint8Array[] = [];
  let at = from;
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 0 || at + size > body.length) return undefined;
    frames.push(body.subarray(at, at + size));
    at += size;
  }
  return frames;
}
