import { AudioError } from '../errors.js';
import type { ByteCursor } from './byte-cursor.js';
import { children, isNumber, UNKNOWN_SIZE, unsigned, vint } from './ebml.js';
import { PACKET_BYTES_MAX } from './limits.js';
import { type BlockHead, blockFrames, blockHead } from './matroska-lacing.js';
import { type MatroskaTrack, matroskaTracks } from './matroska-tracks.js';
import type { AudioTracks } from './pcm-stream.js';

/** One frame of the track. */
export interface MatroskaPacket {
  readonly bytes: Uint8Array;
  /** Sound at the packet's end that is padding, ns. */
  readonly discardNs: number;
  /** When it begins: ms from where the earliest of sound and picture does. undefined: right behind the packet before. */
  readonly timeMs: number | undefined;
}

/** An opened file: its track and the packets to come. */
export interface MatroskaAudio {
  readonly track: MatroskaTrack;
  readonly tracks: AudioTracks;
  readonly packets: AsyncGenerator<MatroskaPacket, void>;
  /** When the packet that was taken last begins, as `timeMs` says; asked for once a packet. */
  readonly takeClockMs: () => number | undefined;
  /** After the last packet: was the file cut off or broken? */
  readonly isDamaged: () => boolean;
}

/** Element ids, with their length marker, as the specification writes them. */
const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  timestamp: 0xe7,
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
  ...[0x5854, 0xa7, 0xab, 0xaf],
  ...[0x75a1, 0x9b, 0xfa, 0xfb, 0xfd, 0xa2, 0xa4, 0xc8, 0x8e],
]);
const TRACKS_BYTES_MAX = 4 * 1024 * 1024;
const INFO_BYTES_MAX = 64 * 1024;
/** The default of the specification: a millisecond. */
const TIMESTAMP_SCALE_NS = 1_000_000;

const IS_BLOCK: ReadonlySet<number> = new Set([ID.simpleBlock, ID.block]);
/** Entered, and never left by their size. */
const IS_ENTERED: ReadonlySet<number> = new Set([ID.segment, ID.cluster, ID.blockGroup]);

/** What was found on the way. */
interface Damage {
  seen: boolean;
}

/** How a file is read. */
export interface MatroskaOptions {
  /** What its clock shows where it begins, ms. Default: where the earliest of sound and picture begins. */
  readonly zeroMs?: number;
  /** Longest packet; default `PACKET_BYTES_MAX`. */
  readonly packetBytesMax?: number;
}

/**
 * Opens WebM or Matroska as it comes, whole, cut off or damaged. Mediabunny, which MP4 is left to, loses what follows damage or a
 * first file, and says nothing of it: docs/benchmarks.md, "Containers".
 *
 * Reads up to the track list; resolves to undefined at the end of the file. Segment, Cluster and BlockGroup are entered and never
 * left by their size, so that live recordings with unknown sizes and files that were cut off read alike. The packets end where
 * another file begins.
 * Throws `no_audio_track`, `file_damaged` (no track list).
 */
export async function openMatroska(
  cursor: ByteCursor,
  { zeroMs, packetBytesMax = PACKET_BYTES_MAX }: MatroskaOptions = {},
): Promise<MatroskaAudio | undefined> {
  if (!(await cursor.fill(1))) return undefined;
  const damage: Damage = { seen: false };
  let scaleNs = TIMESTAMP_SCALE_NS;
  for (let head = await elementHead(cursor, damage); head !== undefined; ) {
    if (head.id === ID.tracks) {
      if (head.size > TRACKS_BYTES_MAX || head.size < 0 || !(await cursor.fill(head.size))) break;
      const found = matroskaTracks(cursor.take(head.size));
      const clock = new MatroskaClock(scaleNs / 1e6, found.timedNumbers, zeroMs);
      return {
        track: found.track,
        tracks: found.tracks,
        packets: new Packets(cursor, { number: found.number, damage, clock, packetBytesMax }).all(),
        takeClockMs: () => clock.takeMs(),
        isDamaged: () => damage.seen,
      };
    }
    if (head.id === ID.info && isBetween(head.size, 0, INFO_BYTES_MAX) && (await cursor.fill(head.size))) {
      scaleNs = timestampScaleNs(cursor.take(head.size));
    } else if (head.id !== ID.segment && (head.size === UNKNOWN_SIZE || !(await cursor.skip(head.size)))) {
      break;
    }
    head = await elementHead(cursor, damage);
  }
  throw new AudioError(
    'file_damaged',
    'This WebM or Matroska file has no track list; it is cut off or damaged.',
  );
}

function timestampScaleNs(info: Uint8Array): number {
  for (const { id, body } of children(info)) {
    if (id === ID.timestampScale) return Number(unsigned(body)) || TIMESTAMP_SCALE_NS;
  }
  return TIMESTAMP_SCALE_NS;
}

/** The times of blocks, from where the first of the tracks with sound or picture begins. */
class MatroskaClock {
  readonly #unitMs: number;
  readonly #timedNumbers: ReadonlySet<number>;
  #clusterTime = 0;
  #zeroMs: number | undefined;
  #isFixed: boolean;
  #takenMs: number | undefined;

  constructor(unitMs: number, timedNumbers: ReadonlySet<number>, zeroMs: number | undefined) {
    this.#unitMs = unitMs;
    this.#timedNumbers = timedNumbers;
    this.#zeroMs = zeroMs;
    this.#isFixed = zeroMs !== undefined;
  }

  /** A Cluster's time. */
  set(clusterTime: bigint): void {
    this.#clusterTime = Number(clusterTime);
  }

  /** Sees a block; says when it begins. The first of our own track fixes where the file does. */
  see({ trackNumber, relativeTime }: BlockHead, isOurs: boolean): number {
    const ms = (this.#clusterTime + relativeTime) * this.#unitMs;
    if (!this.#isFixed && this.#timedNumbers.has(trackNumber)) {
      this.#zeroMs = Math.min(this.#zeroMs ?? ms, ms);
      this.#isFixed = isOurs;
    }
    return ms - (this.#zeroMs ?? ms);
  }

  /** A packet is on its way to its decoder. */
  pass(timeMs: number | undefined): void {
    this.#takenMs = timeMs;
  }

  takeMs(): number | undefined {
    const ms = this.#takenMs;
    this.#takenMs = undefined;
    return ms;
  }
}

/** What the packets of a track are taken from a file with. */
interface PacketsOptions {
  readonly number: number;
  readonly damage: Damage;
  readonly clock: MatroskaClock;
  readonly packetBytesMax: number;
}

/** The frames of a block, which wait for what their group says of them behind it. */
interface Waiting {
  readonly frames: readonly Uint8Array[];
  readonly timeMs: number | undefined;
}
const NOTHING: Waiting = { frames: [], timeMs: undefined };

/** Takes the packets of one track out of a file, behind its track list. */
class Packets {
  readonly #cursor: ByteCursor;
  readonly #options: PacketsOptions;
  #waiting = NOTHING;
  #discardNs = 0;

  constructor(cursor: ByteCursor, options: PacketsOptions) {
    this.#cursor = cursor;
    this.#options = options;
  }

  async *all(): AsyncGenerator<MatroskaPacket, void> {
    const { damage } = this.#options;
    const cursor = this.#cursor;
    for (
      let head = await elementHead(cursor, damage);
      head !== undefined;
      head = await elementHead(cursor, damage)
    ) {
      const { id, size } = head;
      if (IS_BLOCK.has(id) || IS_ENTERED.has(id)) yield* this.#framed();
      if (IS_ENTERED.has(id)) continue;
      if (id === ID.ebml) {
        damage.seen ||= size === UNKNOWN_SIZE || !(await cursor.skip(size));
        break;
      }
      if (!(await this.#read(id, size))) {
        damage.seen = true;
        if (!(await findCluster(cursor))) break;
      }
    }
    yield* this.#framed();
  }

  /** Reads an element that is not entered; false where it is none, or cut off. */
  async #read(id: number, size: number): Promise<boolean> {
    const cursor = this.#cursor;
    const isLong = size > this.#options.packetBytesMax;
    if (IS_BLOCK.has(id)) {
      // Blocks that are too long for a packet are pictures.
      if (isLong) return await cursor.skip(size);
      if (size < 0 || !(await cursor.fill(size))) return false;
      return this.#readBlock(cursor.take(size));
    }
    if ((id === ID.timestamp || id === ID.discardPadding) && isNumber(size)) {
      if (!(await cursor.fill(size))) return false;
      const value = unsigned(cursor.take(size));
      if (id === ID.timestamp) this.#options.clock.set(value);
      else this.#discardNs = Number(BigInt.asIntN(size * 8, value));
      return true;
    }
    const isPassedOver = PASSED_OVER_IN_CLUSTER.has(id)
      ? size >= 0 && !isLong
      : PASSED_OVER.has(id) && size >= 0;
    return isPassedOver && (await cursor.skip(size));
  }

  /** Frames that do not add up are damage, but the file goes on behind them. */
  #readBlock(block: Uint8Array): true {
    const { number, damage, clock } = this.#options;
    const head = blockHead(block);
    const isOurs = head?.trackNumber === number;
    const timeMs = head === undefined ? undefined : clock.see(head, isOurs);
    const frames = head === undefined ? undefined : isOurs ? blockFrames(head) : [];
    if (frames === undefined) damage.seen = true;
    else this.#waiting = { frames, timeMs };
    return true;
  }

  *#framed(): Generator<MatroskaPacket> {
    const { frames, timeMs } = this.#waiting;
    const discardNs = this.#discardNs;
    this.#waiting = NOTHING;
    this.#discardNs = 0;
    for (const [index, bytes] of frames.entries()) {
      const packetMs = index === 0 ? timeMs : undefined;
      this.#options.clock.pass(packetMs);
      const isLast = index === frames.length - 1;
      yield { bytes, discardNs: isLast ? Math.max(0, discardNs) : 0, timeMs: packetMs };
    }
  }
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
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
