import { AudioError } from './errors.js';
import { CHANNELS_MAX, WAV_FORMAT_BYTES_MAX } from './limits.js';
import { decodeSamples } from './pcm-samples.js';
import {
  endOf,
  notWav,
  readId,
  readSize64,
  readWavHead,
  SIZE_OPEN,
  WAV_HEAD_BYTES,
  type WavContainer,
} from './wav-container.js';
import { parseWavFormat, type WavFormat } from './wav-format.js';

/** What a WAV stream turned out to be, at its end. */
export interface WavSummary {
  readonly format: WavFormat;
  /** Samples of one channel. */
  readonly lengthFrames: number;
  /** The stream ended before the size that its header states: a broken download, a recorder that died. */
  readonly isTruncated: boolean;
}

/**
 * What the next bytes are. `head`, `chunk`, `format` and `sizes` are collected whole (40 bytes at most), `skip` and `data`
 * run through, `end` is everything behind the sound.
 */
type Part = 'head' | 'chunk' | 'format' | 'sizes' | 'skip' | 'data' | 'end';

const CHUNK_HEAD_BYTES = 8;
const W64_CHUNK_HEAD_BYTES = 24;
/** sox states this when it writes to a pipe; from here on a size is a bound, and nobody misses the rest. */
const SIZE_GUESSED = 0x7fff_f000;
/** `ds64` (EBU Tech 3306): RIFF size, data size, both 64-bit. */
const SIZES_BYTES = 16;

const damaged = (message: string) => new AudioError('file_damaged', message);

/**
 * Reads a WAV stream (RIFF, RIFX, RF64/BW64, Wave64) that arrives cut anywhere.
 *
 * Chunks before, between and after the sound are skipped, with or without the pad byte of odd ones; several `data` chunks
 * follow each other; what lies behind the stated end of the file is not heard. Sizes 0 and 0xFFFFFFFF of writers into a
 * pipe mean "to the end". No memory is taken by a stated size: beside its output it holds one frame or 40 bytes.
 *
 * Errors, thrown by `push` and `finish`, after which every call throws the same: `not_audio` (no WAV), `file_damaged`,
 * `unsupported_codec` (ADPCM, GSM, MP3 and so on inside of a WAV).
 */
export class WavDecoder {
  #part: Part = 'head';
  #container: WavContainer = 'wav';
  #format: WavFormat | undefined;
  #promisedFrames: number | undefined;
  #failure: unknown;
  /** Bytes collected of the current part, or of a frame. */
  readonly #held = new Uint8Array(CHANNELS_MAX * 8);
  #heldBytes = 0;
  #neededBytes = WAV_HEAD_BYTES;
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
  #lengthFrames = 0;

  /** The format, as soon as the header has been read. */
  get format(): WavFormat | undefined {
    return this.#format;
  }

  /**
   * Samples of one channel that the header states, once it has been read; `undefined` when it does not say. For progress
   * bars: nothing holds a file to its word.
   */
  get promisedFrames(): number | undefined {
    return this.#promisedFrames;
  }

  /** The samples that `bytes` completes, interleaved, −1…1; may be none. A fresh array; `bytes` is not kept. */
  push(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#read(bytes);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Says that no bytes follow. Without a format and a `data` chunk: `file_damaged`; without even the first bytes: `not_audio`. */
  finish(): WavSummary {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#format === undefined || !this.#hasData) {
      this.#failure =
        this.#part === 'head' ? notWav() : damaged('This WAV file ends before its sound begins.');
      throw this.#failure;
    }
    const promised = this.#promisedFrames;
    const isTruncated = this.#part === 'data' && promised !== undefined && this.#lengthFrames < promised;
    return { format: this.#format, lengthFrames: this.#lengthFrames, isTruncated };
  }

  #read(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const pieces: Float32Array<ArrayBuffer>[] = [];
    for (let offset = 0; offset < bytes.length && this.#part !== 'end'; ) {
      const from = offset;
      if (this.#part === 'skip' || this.#part === 'data') {
        offset += Math.min(this.#leftBytes, bytes.length - offset);
        this.#leftBytes -= offset - from;
        if (this.#part === 'data') this.#readData(bytes.subarray(from, offset), pieces);
      } else {
        offset += this.#collect(bytes.subarray(offset));
      }
      this.#position += offset - from;
      this.#advance();
    }
    return joined(pieces);
  }

  /** Takes what is still needed; returns how much that was. */
  #collect(bytes: Uint8Array): number {
    const taken = Math.min(this.#neededBytes - this.#heldBytes, bytes.length);
    this.#held.set(bytes.subarray(0, taken), this.#heldBytes);
    this.#heldBytes += taken;
    return taken;
  }

  /** Goes on while the current part is complete; parts of length 0 are passed over at once. */
  #advance(): void {
    while (this.#part !== 'end') {
      if (this.#part === 'skip' || this.#part === 'data') {
        if (this.#leftBytes > 0) return;
        if (this.#restBytes > 0) this.#run('skip', this.#restBytes, 0);
        else this.#expect('chunk', this.#container === 'w64' ? W64_CHUNK_HEAD_BYTES : CHUNK_HEAD_BYTES);
      } else {
        if (this.#heldBytes < this.#neededBytes) return;
        this.#handle(this.#part, new DataView(this.#held.buffer, 0, this.#heldBytes));
      }
    }
  }

  #expect(part: Part, neededBytes: number): void {
    this.#part = part;
    this.#neededBytes = neededBytes;
    this.#heldBytes = 0;
  }

  #run(part: 'skip' | 'data', leftBytes: number, restBytes: number): void {
    this.#expect(part, 0);
    this.#leftBytes = leftBytes;
    this.#restBytes = restBytes;
  }

  #handle(part: 'head' | 'chunk' | 'format' | 'sizes', view: DataView): void {
    switch (part) {
      case 'head':
        this.#readHead(view);
        break;
      case 'chunk':
        this.#readChunkHead(view);
        break;
      case 'format':
        this.#format = parseWavFormat(view, this.#container);
        this.#run('skip', this.#restBytes, 0);
        break;
      case 'sizes':
        this.#endPosition = endOf(readSize64(view, 0)) + 8;
        this.#dataBytes64 = readSize64(view, 8);
        this.#run('skip', this.#restBytes, 0);
        break;
      default:
        part satisfies never;
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
    const isName = /^[ -~]{4}$/.test(id);
    if (
      this.#hasData &&
      (this.#position - view.byteLength >= this.#endPosition || !(isName || this.#mayHavePad))
    ) {
      this.#part = 'end';
    } else if (isName) {
      this.#openChunk(id, this.#bodyBytes(view));
    } else if (this.#mayHavePad) {
      // The pad byte of the odd chunk before. Names are printable and pads are 0, so a forgotten one is seen, too.
      this.#mayHavePad = false;
      this.#held.copyWithin(0, 1, this.#heldBytes);
      this.#heldBytes--;
    } else {
      throw damaged('The chunks of this WAV file are damaged.');
    }
  }

  /** Bytes of the chunk behind its head. */
  #bodyBytes(view: DataView): number {
    if (this.#container !== 'w64') {
      const size = view.getUint32(4, this.#container !== 'rifx');
      this.#mayHavePad = size % 2 === 1;
      return size;
    }
    const size = readSize64(view, 16);
    if (size < view.byteLength) throw damaged('A chunk of this Wave64 file is shorter than its own header.');
    return size - view.byteLength;
  }

  #openChunk(id: string, bodyBytes: number): void {
    // Chunks of Wave64 begin at multiples of 8.
    const padBytes = this.#container === 'w64' ? (8 - (bodyBytes % 8)) % 8 : 0;
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
    if (this.#format === undefined) throw damaged('This WAV file has no format in front of its sound.');
    const isFirst = !this.#hasData;
    this.#hasData = true;
    let bytes = stated;
    if (this.#container === 'rf64' && stated === SIZE_OPEN) bytes = this.#dataBytes64;
    else if (this.#container !== 'w64' && stated === SIZE_OPEN) bytes = Number.POSITIVE_INFINITY;
    // Size 0, and the file as a whole is not said to go on: its writer never came back to fill it in.
    if (
      bytes === 0 &&
      isFirst &&
      !(this.#endPosition > this.#position && Number.isFinite(this.#endPosition))
    ) {
      bytes = Number.POSITIVE_INFINITY;
    }
    this.#run('data', bytes, padBytes);
    const isGuess = bytes >= SIZE_GUESSED && (this.#container === 'wav' || this.#container === 'rifx');
    if (isGuess || !Number.isFinite(bytes)) this.#promisedFrames = undefined;
    else this.#promisedFrames = this.#lengthFrames + Math.floor(bytes / this.#format.frameBytes);
  }

  #readData(bytes: Uint8Array, pieces: Float32Array<ArrayBuffer>[]): void {
    const format = this.#format;
    if (format === undefined) throw damaged('This WAV file has no format in front of its sound.');
    let rest = bytes;
    if (this.#heldBytes > 0) {
      this.#neededBytes = format.frameBytes;
      rest = bytes.subarray(this.#collect(bytes));
      if (this.#heldBytes < format.frameBytes) return;
      pieces.push(decodeSamples(this.#held.subarray(0, format.frameBytes), format.encoding));
      this.#lengthFrames++;
    }
    this.#heldBytes = rest.length % format.frameBytes;
    const whole = rest.subarray(0, rest.length - this.#heldBytes);
    if (whole.length > 0) pieces.push(decodeSamples(whole, format.encoding));
    this.#lengthFrames += whole.length / format.frameBytes;
    this.#held.set(rest.subarray(whole.length));
  }
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
