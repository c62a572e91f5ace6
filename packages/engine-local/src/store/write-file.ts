import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { ChecksumError } from './failures.js';

/** The part of a file handle that the store writes through. */
export interface WritableFile {
  write(buffer: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for writing: `w` from its start, `a` behind what is there. */
export type OpenFile = (path: string, flags: 'w' | 'a') => Promise<WritableFile>;

/** The real disk. */
export const openOnDisk: OpenFile = (path, flags) => open(path, flags);

export interface WriteOptions {
  /** `a` keeps what the file holds. */
  readonly flags: 'w' | 'a';
  /** Bytes that may come from the source; one more is a {@link ChecksumError}, so a disk cannot be filled. */
  readonly bytesMax: number;
  readonly openFile: OpenFile;
  /** Told the length of each block, after it was written. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * Writes a source to a file and makes it durable, so that a rename afterwards never shows a hole.
 *
 * @returns bytes written
 */
export async function writeStream(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { flags, bytesMax, openFile, onWritten }: WriteOptions,
): Promise<number> {
  const file = await openFile(path, flags);
  let totalBytes = 0;
  try {
    for await (const block of source) {
      totalBytes += block.length;
      if (totalBytes > bytesMax) throw new ChecksumError('A file is longer than it should be.');
      // A file may take less than was offered, for example at the end of the disk.
      for (let at = 0; at < block.length; ) {
        const { bytesWritten } = await file.write(block, at, block.length - at);
        at += bytesWritten;
      }
      onWritten?.(block.length);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return totalBytes;
}

/**
 * Hash of a file's bytes, in lower-case hex, optionally behind a prefix. Reads in blocks: memory stays flat.
 */
export async function hashFile(
  path: string,
  options: { readonly algorithm: 'sha256' | 'sha1'; readonly prefix?: string; readonly signal?: AbortSignal },
): Promise<string> {
  const hash = createHash(options.algorithm);
  if (options.prefix !== undefined) hash.update(options.prefix);
  // 1 MiB: four times fewer turns of the event loop than the default per byte hashed.
  for await (const block of createReadStream(path, { highWaterMark: 1 << 20 })) {
    options.signal?.throwIfAborted();
    hash.update(block);
  }
  return hash.digest('hex');
}
