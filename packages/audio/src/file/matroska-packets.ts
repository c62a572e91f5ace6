import { AudioError } from '../errors.js';
import type { ByteCursor } from './byte-cursor.js';
import { children, float, isNumber, UNKNOWN_SIZE, unsigned, vint } from './ebml.js';
import { PACKET_BYTES_MAX } from './limits.js';
import { blockFrames } from './matroska-lacing.js';

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
  ebml: 0x1a45dfa3,
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
/** What else may stand in a Segment, of no use here; and the Void and CRC-32 of anywhere. */
const PASSED_OVER: ReadonlySet<number> = new Set([
  ...[0xec, 0xbf],
  ...[0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367],
]);
/** The same in a Cluster and in a BlockGroup, where elements are small. Any other id behind the track list is damage. */
const PASSED_OVER_IN_CLUSTER: ReadonlySet<number> = new Set([
  ...[0xe7, 0x5854, 0xa7, 0xab, 0xaf],
  ...[0x75a1, 0x9b, 0xfa, 0xfb, 0xfd, 0xa2, 0xa4, 0xc8, 0x8e],
]);
const AUDIO_TRACK_TYPE = 2;
/** Longer than every name of a codec. */
const CODEC_ID_BYTES_MAX = 64;
const TRACKS_BYTES_MAX = 4 * 1024 * 1024;

/** What was found on the way. */
interface Damage {
  seen: boolean;
}

/**
 * Opens WebM or Matroska as it comes, whole, cut off or damaged. Mediabunny, which MP4 is left to, loses what follows damage or a
 * first file, and says nothing of it: docs/benchmarks.md, "Containers".
 *
 * Reads up to the track list; resolves to undefined at the end of the file. Segment, Cluster and BlockGroup are entered and never
 * left by their size, so that live recordings with unknown sizes and files that were cut off read alike. The packets end where
 * another file begins.
 * Throws `no_audio_track`, `file_encrypted` (encrypted), `file_damaged` (no track list).
 */
export async function openMatroska(cursor: ByteCursor): Promise<MatroskaAudio | undefined> {
  if (!(await cursor.fill(1))) return undefined;
  const damage: Damage = { seen: false };
  for (let head = await elementHead(cursor, damage); head !== undefined; ) {
    if (head.id === ID.tracks) {
      if (head.size > TRACKS_BYTES_MAX || head.size < 0 || !(await cursor.fill(head.size))) break;
      const found = audioTrack(cursor.take(head.size));
      return {
        track: found.track,
        packets: packets(cursor, found.number, damage),
        isDamaged: () => damage.seen,
      };
    }
    if (head.id !== ID.segment && (head.size === UNKNOWN_SIZE || !(await cursor.skip(head.size)))) break;
    head = await elementHead(cursor, damage);
  }
  throw new AudioError(
    'file_damaged',
    'This WebM or Matroska file has no track list; it is cut off or damaged.',
  );
}

async function* packets(
  cursor: ByteCursor,
  trackNumber: number,
  damage: Damage,
): AsyncGenerator<MatroskaPacket, void> {
  // The last block of a group waits for the group's DiscardPadding, which follows it.
  let waiting: Uint8Array[] = [];
  let discardNs = 0;
  for (
    let head = await elementHead(cursor, damage);
    head !== undefined;
    head = await elementHead(cursor, damage)
  ) {
    const { id, size } = head;
    const isBlock = id === ID.simpleBlock || id === ID.block;
    const isEntered = id === ID.segment || id === ID.cluster || id === ID.blockGroup;
    if (isBlock || isEntered) {
      yield* framed(waiting, discardNs);
      waiting = [];
      discardNs = 0;
    }
    if (isEntered) continue;
    if (id === ID.ebml) {
      damage.seen ||= size === UNKNOWN_SIZE || !(await cursor.skip(size));
      break;
    }
    if (id === ID.discardPadding && isNumber(size) && (await cursor.fill(size))) {
      discardNs = Number(BigInt.asIntN(size * 8, unsigned(cursor.take(size))));
    } else if (isBlock && isPacketSize(size) && (await cursor.fill(size))) {
      const frames = blockFrames(cursor.take(size), trackNumber);
      if (frames === undefined) damage.seen = true;
      else waiting = frames;
    } else if (!isPassedOver(id, size) || !(await cursor.skip(size))) {
      damage.seen = true;
      if (!(await findCluster(cursor))) break;
    }
  }
  yield* framed(waiting, discardNs);
}

function isPacketSize(size: number): boolean {
  return size >= 0 && size <= PACKET_BYTES_MAX;
}

/** Blocks that are too long for a packet are pictures. */
function isPassedOver(id: number, size: number): boolean {
  if (id === ID.simpleBlock || id === ID.block) return size > PACKET_BYTES_MAX;
  return PASSED_OVER_IN_CLUSTER.has(id) ? isPacketSize(size) : PASSED_OVER.has(id) && size >= 0;
}

function* framed(frames: readonly Uint8Array[], discardNs: number): Generator<MatroskaPacket> {
  for (const [index, bytes] of frames.entries()) {
    yield { bytes, discardNs: index === frames.length - 1 ? Math.max(0, discardNs) : 0 };
  }
}

/** Id and size of the next element; undefined at the end. Zeros are padding, other bytes that are no element are damage. */
async function elementHead(
  cursor: ByteCursor,
  damage: Damage,
): Promise<{ id: number; size: number } | undefined> {
  while (await cursor.fill(2)) {
    await cursor.fill(12);
    const held = cursor.held;
    const idBytes = Math.clz32(held[0] ?? 0) - 23;
    const sizeBytes = Math.clz32(held[idBytes] ?? 0) - 23;
    if (held[0] === 0) {
      const end = held.findIndex((byte) => byte !== 0);
      cursor.drop(end < 0 ? held.length : end);
    } else if (idBytes > 4 || sizeBytes > 8 || held.length < idBytes + sizeBytes) {
      damage.seen = true;
      cursor.drop(1);
      if (!(await findCluster(cursor))) return undefined;
    } else {
      const id = Number(unsigned(held.subarray(0, idBytes)));
      const size = vint(held.subarray(idBytes, idBytes + sizeBytes));
      cursor.drop(idBytes + sizeBytes);
      return { id, size };
    }
  }
  cursor.drop(cursor.held.length);
  return undefined;
}

/** Goes on to the next mark of a cluster or of another file after damage; false where there is none. */
async function findCluster(cursor: ByteCursor): Promise<boolean> {
  while (await cursor.fill(4)) {
    const held = cursor.held;
    for (let at = 0; at + 4 <= held.length; at += 1) {
      if (held[at] !== 0x1f && held[at] !== 0x1a) continue;
      const id = Number(unsigned(held.subarray(at, at + 4)));
      if (id !== ID.cluster && id !== ID.ebml) continue;
      cursor.drop(at);
      return true;
    }
    cursor.drop(held.length - 3);
  }
  cursor.drop(cursor.held.length);
  return false;
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
