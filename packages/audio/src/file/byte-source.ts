import { type FileHandle, open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { abortable } from '@kikitori/core';
import { AudioError } from '../errors.js';
import { PROBE_BYTES_MAX, READ_BYTES } from './limits.js';
import { descriptorOf, openPathStream } from './path-stream.js';
import { probeBytesWanted } from './sniff.js';

/** The beginning is looked at again when it has grown by so much: at each of 65,536 single bytes would cost. */
const GROWTH = 1.25;

/** What `decodeFile` reads: a path, a stream such as `process.stdin`, or bytes in memory. */
export type FileSource = string | Uint8Array | AsyncIterable<Uint8Array>;

/** An opened source whose beginning has been looked at. */
export interface ByteSource {
  /** The first bytes; borrowed, do not change them. */
  readonly probe: Uint8Array;
  /** `probe` is everything there is. */
  readonly whole: boolean;
  /** Absolute or relative path of a regular file, which may be read in any order; undefined for a stream. */
  readonly path: string | undefined;
  /** undefined for a stream. */
  readonly sizeBytes: number | undefined;
  /** All bytes from the start, in pieces of at most `READ_BYTES`. One consumer, once. Throws `file_unreadable`. */
  bytes(): AsyncGenerator<Uint8Array, void>;
  /** Lets go of the file or the stream; a stream that was not read to its end is destroyed. Idempotent. */
  close(): Promise<void>;
}

/** Says that a beginning tells all there is to know: a live pipe is not kept waiting for more of it. */
export type IsEnough = (probe: Uint8Array) => boolean;

/** Opens a source and reads its beginning. Throws `file_not_found`, `file_unreadable` or the signal's reason. */
export async function openByteSource(
  source: FileSource,
  signal: AbortSignal,
  isEnough: IsEnough = () => false,
): Promise<ByteSource> {
  if (source instanceof Uint8Array) return fromPieces(oneBuffer(source), source.length, signal);
  if (typeof source !== 'string')
    return fromPieces(fromIterable(source, signal), undefined, signal, isEnough);
  const found = await inspect(source);
  // A FIFO or /dev/stdin can be read once only, so it is a stream and not a file.
  if (!found.isRegular || descriptorOf(source) !== undefined) {
    const stream = await openPathStream(source).catch((error: unknown) => {
      throw asFileError(error);
    });
    return fromPieces(fromIterable(stream, signal), undefined, signal, isEnough);
  }
  return fromFile(source, found.sizeBytes, signal);
}

/** The same without its first bytes, which are junk; nobody is to read the file itself. */
export function behindJunk(source: ByteSource, junkBytes: number): ByteSource {
  return junkBytes === 0 ? source : { ...behindTags(source, junkBytes), path: undefined };
}

/** The same without its first bytes, which are tags. A path still names the whole file. */
export function behindTags(source: ByteSource, tagBytes: number): ByteSource {
  if (tagBytes === 0) return source;
  const { probe, sizeBytes } = source;
  return {
    ...source,
    probe: probe.subarray(tagBytes),
    sizeBytes: sizeBytes === undefined ? undefined : Math.max(0, sizeBytes - tagBytes),
    bytes: async function* () {
      let leftBytes = tagBytes;
      for await (const piece of source.bytes()) {
        if (piece.length > leftBytes) yield piece.subarray(leftBytes);
        leftBytes = Math.max(0, leftBytes - piece.length);
      }
    },
  };
}

/** One piece after the other, and a way to let go. */
interface Pieces {
  next(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

async function inspect(path: string): Promise<{ isRegular: boolean; sizeBytes: number }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new AudioError('file_unreadable', 'This is a folder; name a file in it.');
    return { isRegular: found.isFile(), sizeBytes: found.size };
  } catch (error) {
    throw asFileError(error);
  }
}

/** Turns an error of the file system into ours; one of ours passes through. */
export function asFileError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof AudioError) return error;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return new AudioError('file_not_found', 'There is no such file; check the path.', { cause: error });
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new AudioError('file_unreadable', 'This file may not be read; check its permissions.', {
      cause: error,
    });
  }
  return new AudioError('file_unreadable', 'Reading the file failed.', { cause: error });
}

async function fromPieces(
  pieces: Pieces,
  sizeBytes: number | undefined,
  signal: AbortSignal,
  isEnough: IsEnough = () => false,
): Promise<ByteSource> {
  try {
    const seen: Uint8Array[] = [];
    let seenBytes = 0;
    let wantedBytes = PROBE_BYTES_MAX;
    let askedBytes = 0;
    let whole = false;
    while (seenBytes < wantedBytes) {
      const piece = await pieces.next();
      signal.throwIfAborted();
      if (piece === undefined) {
        whole = true;
        break;
      }
      seen.push(piece);
      seenBytes += piece.length;
      if (seenBytes >= GROWTH * askedBytes) {
        if (isEnough(Buffer.concat(seen))) break;
        askedBytes = seenBytes;
      }
      if (seenBytes >= wantedBytes)
        wantedBytes = Math.max(wantedBytes, probeBytesWanted(Buffer.concat(seen)));
    }
    return {
      probe: Buffer.concat(seen),
      whole,
      path: undefined,
      sizeBytes,
      bytes: () => replay(seen, whole, pieces),
      close: () => pieces.close(),
    };
  } catch (error) {
    await pieces.close();
    throw error;
  }
}

async function fromFile(path: string, sizeBytes: number, signal: AbortSignal): Promise<ByteSource> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw asFileError(error);
  }
  const opened = await fromPieces(fromHandle(handle), sizeBytes, signal);
  return { ...opened, path };
}

async function* replay(seen: Uint8Array[], whole: boolean, pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  for (let piece = seen.shift(); piece !== undefined; piece = seen.shift()) yield* cut(piece);
  while (!whole) {
    const piece = await pieces.next();
    if (piece === undefined) return;
    yield* cut(piece);
  }
}

function* cut(piece: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < piece.length; at += READ_BYTES) yield piece.subarray(at, at + READ_BYTES);
}

function oneBuffer(bytes: Uint8Array): Pieces {
  let at = 0;
  return {
    next: () => {
      if (at >= bytes.length) return Promise.resolve(undefined);
      const piece = bytes.subarray(at, at + READ_BYTES);
      at += piece.length;
      return Promise.resolve(piece);
    },
    close: () => Promise.resolve(),
  };
}

function fromHandle(handle: FileHandle): Pieces {
  return {
    next: async () => {
      try {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, null);
        return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
      } catch (error) {
        throw asFileError(error);
      }
    },
    close: () => handle.close(),
  };
}

function fromIterable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Pieces {
  const iterator = source[Symbol.asyncIterator]();
  let pending = false;
  return {
    next: async () => {
      pending = true;
      try {
        const result: IteratorResult<unknown> = await abortable(iterator.next(), signal);
        if (result.done === true) return undefined;
        if (result.value instanceof Uint8Array) return result.value;
        throw new AudioError('file_unreadable', 'The stream gave something that is not bytes.');
      } catch (error) {
        throw signal.aborted ? signal.reason : asFileError(error);
      } finally {
        pending = signal.aborted;
      }
    },
    close: async () => {
      if (source instanceof Readable) source.destroy();
      const closed = Promise.resolve(iterator.return?.()).catch(() => undefined);
      // An iterator that still owes us a piece answers `return` only after it; that may be never.
      if (!pending) await closed;
    },
  };
}
