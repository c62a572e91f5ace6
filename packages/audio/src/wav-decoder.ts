import { AudioError } from './errors.js';
import { WAV_FORMAT_BYTES_MAX } from './limits.js';
import { decodeSamples } from './pcm-samples.js';
import {
  beginsWav,
  endOf,
  isKnownChunk,
  notWav,
  readId,
  readSize64,
  readWavHead,
  SIZE_OPEN,
  WAV_HEAD_BYTES,
  type WavContainer,
  WavSearch,
} from './wav-container.js';
import { parseWavFormat, type WavFormat } from './wav-format.js';
import { JUDGED_BYTES, soundsLikeSamples } from './wav-judge.js';
import { WavSound } from './wav-sound.js';

/** What a WAV stream turned out to be, at its end. */
export interface WavSummary {
  readonly format: WavFormat;
  /** Samples of one channel. */
  readonly lengthFrames: number;
  /** The stream ended before the size that its header states: a broken download, a recorder that died. */
  readonly isTruncated: boolean;
  /** Samples that were held back until it was known what they are; mostly none. */
  readonly rest: Float32Array<ArrayBuffer>;
  /** Bytes behind the stated end that are neither chunks, nor tags, nor samples of this format. */
  readonly leftOutBytes: number;
}

/**
 * What the next bytes are. `head`, `chunk`, `format` and `sizes` are collected whole (40 bytes at most), `skip` and `data`
 * run through, `tail` is judged: sound, or not; `end` is everything behind the sound.
 */
type Part = 'head' | 'chunk' | 'format' | 'sizes' | 'skip' | 'data' | 'tail' | 'end';

const COLLECTED: ReadonlySet<Part> = new Set<Part>(['head', 'chunk', 'format', 'sizes']);

const CHUNK_HEAD_BYTES = 8;
const W64_CHUNK_HEAD_BYTES = 24;
/** sox states this when it writes to a pipe; from here on a size is a bound, and nobody misses the rest. */
const SIZE_GUESSED = 0x7fff_f000;
/** `ds64` (EBU Tech 3306): RIFF size, data size, both 64-bit. */
const SIZES_BYTES = 16;
/** Less than this behind the stated end is no sound that anybody misses. */
const TAIL_BYTES_MIN = 512;

const damaged = (message: string) => new AudioError('file_damaged', message);

/**
 * Reads a WAV stream (RIFF, RIFX, RF64/BW64, Wave64) that arrives cut anywhere.
 *
 * Chunks before, between and after the sound are skipped, with or without the pad byte of odd ones; several `data` chunks
 * follow each other. Sizes 0 and 0xFFFFFFFF of writers into a pipe mean "to the end", and sizes are not believed to be the end:
 * what lies behind is heard where it is samples (a size beyond 32 bits, a recorder that died), left out and counted where it
 * is not. Where another WAV file begins this one ends: `next`. A header that contradicts itself is held against the samples.
 * No memory is taken by a stated size: beside its output it holds one frame, or the 2 KiB that are being judged.
 *
 * Errors, thrown by `push` and `finish`, after which every call throws the same: `not_audio` (no WAV), `file_damaged`,
 * `unsupported_codec` (ADPCM, GSM, MP3 and so on inside of a WAV).
 */
export class WavDecoder {
  #part: Part = 'head';
  #container: WavContainer = 'wav';
  #sound: WavSound | undefined;
  /** What the chunk that is being read states, and the frames before it. */
  #promise: { readonly frames: number; readonly bytes: number } | undefined;
  #failure: unknown;
  /** Bytes collected of the current part. */
  readonly #held = new Uint8Array(WAV_FORMAT_BYTES_MAX);
  #heldBytes = 0;
  #neededBytes = WAV_HEAD_BYTES;
  /** Samples that are ready. */
  #pieces: Float32Array<ArrayBuffer>[] = [];
  /** What the sound left at its stated end: half a frame, a pad byte; and behind it what is being judged. */
  #tail: Uint8Array = new Uint8Array(0);
  readonly #search = new WavSearch();
  #next: Uint8Array | undefined;
  /** Bytes left of a part that runs through. */
  #leftBytes = 0;
  /** Bytes of the current chunk behind that part. */
  #restBytes = 0;
  /** How many bytes have been read, and how many the file is said to have. */
  #position = 0;
  #endPosition = Number.POSITIVE_INFINITY;
  #dataBytes64 = Number.POSITIVE_INFINITY;
  #mayHavePad = false;
  #hasData = false;
  #isTagged = false;
  #leftOutBytes = 0;

  /** The format, as soon as the header has been read; how a sample lies in its bytes may turn out with the first samples. */
  get format(): WavFormat | undefined {
    return this.#sound?.format;
  }

  /**
   * Samples of one channel that the header states, once it has been read; `undefined` when it does not say. For progress
   * bars: nothing holds a file to its word.
   */
  get promisedFrames(): number | undefined {
    if (this.#promise === undefined || this.#sound === undefined) return undefined;
    return this.#promise.frames + Math.floor(this.#promise.bytes / this.#sound.format.frameBytes);
  }

  /** Another WAV file begins with these bytes, the last that were pushed; nothing more is taken. */
  get next(): Uint8Array | undefined {
    return this.#next;
  }

  /** The samples that `bytes` completes, interleaved, −1…1; may be none. A fresh array; `bytes` is not kept. */
  push(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    return this.#guarded(() => {
      this.#read(bytes);
      return this.#taken();
    });
  }

  /** Says that no bytes follow. Without a format and a `data` chunk: `file_damaged`; without even the first bytes: `not_audio`. */
  finish(): WavSummary {
    return this.#guarded(() => {
      const sound = this.#sound;
      if (sound === undefined || !this.#hasData) {
        throw this.#part === 'head' ? notWav() : damaged('This WAV file ends before its sound begins.');
      }
      if (this.#part === 'tail') this.#judgeTail(sound);
      sound.settle(this.#pieces);
      const { format, lengthFrames } = sound;
      const isTruncated = this.#part === 'data' && lengthFrames < (this.promisedFrames ?? 0);
      return { format, lengthFrames, isTruncated, rest: this.#taken(), leftOutBytes: this.#leftOutBytes };
    });
  }

  #guarded<T>(action: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return action();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #taken(): Float32Array<ArrayBuffer> {
    const pieces = this.#pieces;
    this.#pieces = [];
    return joined(pieces);
  }

  #read(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length && this.#next === undefined; ) {
      const rest = bytes.subarray(offset);
      const isCollected = COLLECTED.has(this.#part);
      const taken = isCollected ? this.#collect(rest) : this.#runThrough(rest);
      offset += taken;
      this.#position += taken;
      this.#advance();
      if (isCollected && this.#next !== undefined) {
        this.#next = concatenated(this.#next, bytes.subarray(offset));
      }
    }
  }

  /** Takes what is still needed; returns how much that was. */
  #collect(bytes: Uint8Array): number {
    const taken = Math.min(this.#neededBytes - this.#heldBytes, bytes.length);
    this.#held.set(bytes.subarray(0, taken), this.#heldBytes);
    this.#heldBytes += taken;
    return taken;
  }

  /** Takes what belongs to the part, up to where another file begins; returns how much that was. */
  #runThrough(bytes: Uint8Array): number {
    let piece = bytes.subarray(0, this.#leftBytes);
    const at = this.#hasData ? this.#search.find(piece) : undefined;
    if (at !== undefined) {
      this.#next = concatenated(this.#search.before(Math.max(0, -at)), bytes.subarray(Math.max(0, at)));
      piece = piece.subarray(0, Math.max(0, at));
    }
    this.#leftBytes -= piece.length;
    if (this.#part === 'data') this.#sound?.push(piece, this.#pieces);
    if (this.#part === 'tail') this.#tail = concatenated(this.#tail, piece);
    if (this.#part === 'end' && !this.#isTagged) this.#leftOutBytes += piece.length;
    return piece.length;
  }

  /** Goes on while the current part is complete; parts of length 0 are passed over at once. */
  #advance(): void {
    while (this.#part !== 'end') {
      if (COLLECTED.has(this.#part)) {
        if (this.#heldBytes < this.#neededBytes) return;
        this.#handle(new DataView(this.#held.buffer, 0, this.#heldBytes));
      } else {
        if (this.#leftBytes > 0) return;
        if (this.#part === 'tail' && this.#sound !== undefined) this.#judgeTail(this.#sound);
        else this.#goOnBehind();
      }
    }
  }

  /** Behind a part that has run through. */
  #goOnBehind(): void {
    if (this.#part === 'data' && this.#sound !== undefined) {
      this.#sound.settle(this.#pieces);
      this.#tail = this.#sound.takeLoose();
    }
    if (this.#restBytes > 0) this.#run('skip', this.#restBytes, 0);
    else this.#expect('chunk', this.#container === 'w64' ? W64_CHUNK_HEAD_BYTES : CHUNK_HEAD_BYTES);
  }

  #expect(part: Part, neededBytes: number): void {
    this.#part = part;
    this.#neededBytes = neededBytes;
    this.#heldBytes = 0;
    this.#search.reset();
  }

  #run(part: 'skip' | 'data' | 'tail' | 'end', leftBytes: number, restBytes: number): void {
    this.#expect(part, 0);
    this.#leftBytes = leftBytes;
    this.#restBytes = restBytes;
  }

  #handle(view: DataView): void {
    switch (this.#part) {
      case 'head':
        this.#readHead(view);
        break;
      case 'chunk':
        this.#readChunkHead(view);
        break;
      case 'format':
        this.#sound = new WavSound(parseWavFormat(view, this.#container));
        this.#run('skip', this.#restBytes, 0);
        break;
      case 'sizes':
        this.#endPosition = endOf(readSize64(view, 0)) + 8;
        this.#dataBytes64 = readSize64(view, 8);
        this.#run('skip', this.#restBytes, 0);
        break;
    }
  }

  #readHead(view: DataView): void {
    const head = readWavHead(view);
    if (head.neededBytes > view.byteLength) {
      this.#neededBytes = head.neededBytes;
      return;
    }
    this.#container = head.container;
    this.#endPosition = head.endPosition;
    this.#run('skip', 0, 0);
  }

  #readChunkHead(view: DataView): void {
    const id = readId(view, 0);
    if (this.#hasData && beginsWav(id)) {
      this.#next = this.#held.slice(0, this.#heldBytes);
      this.#part = 'end';
    } else if (this.#isChunk(id, view)) {
      this.#openChunk(id, this.#bodyBytes(view));
    } else if (this.#mayHavePad) {
      // The pad byte of the odd chunk before. Names are printable and pads are 0, so a forgotten one is seen, too.
      this.#mayHavePad = false;
      if (this.#hasData) this.#tail = concatenated(this.#tail, this.#held.subarray(0, 1));
      this.#held.copyWithin(0, 1, this.#heldBytes);
      this.#heldBytes--;
    } else if (this.#hasData) {
      this.#tail = concatenated(this.#tail, this.#held.subarray(0, this.#heldBytes));
      this.#run('tail', JUDGED_BYTES - this.#tail.length, 0);
    } else {
      throw damaged('The chunks of this WAV file are damaged.');
    }
  }

  /** A name, and behind the sound one that is known there, or whose chunk fits into the file: samples may look like any name. */
  #isChunk(id: string, view: DataView): boolean {
    if (!/^[ -~]{4}$/.test(id)) return false;
    if (!this.#hasData || isKnownChunk(id)) return true;
    const isEndStated = Number.isFinite(this.#endPosition);
    return (
      isEndStated && /^[\w ]{4}$/.test(id) && this.#position + this.#bodyBytes(view) <= this.#endPosition
    );
  }

  /** Bytes of the chunk behind its head; below 0 where it states less than its head. */
  #bodyBytes(view: DataView): number {
    if (this.#container !== 'w64') return view.getUint32(4, this.#container !== 'rifx');
    return readSize64(view, 16) - view.byteLength;
  }

  #openChunk(name: string, bodyBytes: number): void {
    if (bodyBytes < 0) throw damaged('A chunk of this Wave64 file is shorter than its own header.');
    const isWave64 = this.#container === 'w64';
    this.#mayHavePad = !isWave64 && bodyBytes % 2 === 1;
    this.#tail = new Uint8Array(0);
    // Chunks of Wave64 begin at multiples of 8.
    const padBytes = isWave64 ? (8 - (bodyBytes % 8)) % 8 : 0;
    const id = name.toLowerCase();
    // A format behind the sound, or between two pieces of it, would come too late.
    if (id === 'data') this.#openData(bodyBytes, padBytes);
    else if (id === 'fmt ' && !this.#hasData) this.#open('format', bodyBytes, WAV_FORMAT_BYTES_MAX, padBytes);
    else if (id === 'ds64' && bodyBytes >= SIZES_BYTES && !this.#hasData) {
      this.#open('sizes', bodyBytes, SIZES_BYTES, padBytes);
    } else this.#run('skip', bodyBytes, padBytes);
  }

  #open(part: 'format' | 'sizes', bodyBytes: number, bytesMax: number, padBytes: number): void {
    const collected = Math.min(bodyBytes, bytesMax);
    this.#expect(part, collected);
    this.#restBytes = bodyBytes - collected + padBytes;
  }

  #openData(stated: number, padBytes: number): void {
    const sound = this.#sound;
    if (sound === undefined) throw damaged('This WAV file has no format in front of its sound.');
    const isFirst = !this.#hasData;
    this.#hasData = true;
    if (!isFirst && this.#position >= this.#endPosition && stated < TAIL_BYTES_MIN) {
      this.#run('skip', stated, padBytes);
      return;
    }
    let bytes = stated;
    if (this.#container === 'rf64' && stated === SIZE_OPEN) bytes = this.#dataBytes64;
    else if (this.#container !== 'w64' && stated === SIZE_OPEN) bytes = Number.POSITIVE_INFINITY;
    // Size 0, and the file as a whole is not said to go on: its writer never came back to fill it in.
    const isEndStated = this.#endPosition > this.#position && Number.isFinite(this.#endPosition);
    if (bytes === 0 && isFirst && !isEndStated) bytes = Number.POSITIVE_INFINITY;
    this.#run('data', bytes, padBytes);
    const isGuess = bytes >= SIZE_GUESSED && (this.#container === 'wav' || this.#container === 'rifx');
    this.#promise = isGuess || !Number.isFinite(bytes) ? undefined : { frames: sound.lengthFrames, bytes };
  }

  /** What lies behind the stated end and is no chunk: the sound goes on, or it is something else. */
  #judgeTail(sound: WavSound): void {
    const { channels, encoding, frameBytes, gain } = sound.format;
    const tail = this.#tail;
    this.#tail = new Uint8Array(0);
    this.#isTagged = isTag(tail);
    const isLong = tail.length >= TAIL_BYTES_MIN;
    const frames = tail.subarray(0, tail.length - (tail.length % frameBytes));
    const isSound = isLong && soundsLikeSamples(decodeSamples(frames, encoding, gain), channels);
    if (isSound && !this.#isTagged) {
      this.#run('data', Number.POSITIVE_INFINITY, 0);
      this.#promise = undefined;
      sound.push(tail, this.#pieces);
    } else {
      this.#run('end', Number.POSITIVE_INFINITY, 0);
      if (isLong && !this.#isTagged) this.#leftOutBytes += tail.length;
    }
  }
}

/** Tags of MP3, which some programs put behind any file; a pad byte or half a frame may stand before. */
function isTag(bytes: Uint8Array): boolean {
  return /ID3|TAG|APETAGEX/.test(String.fromCharCode(...bytes.subarray(0, 24)));
}

function concatenated(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function joined(pieces: Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const out = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    out.set(piece, offset);
    offset += piece.length;
  }
  return out;
}
