import { open } from 'node:fs/promises';

/**
 * Reads a file up to a bound, in bytes; undefined when there is more. What is longer is never held: not more than the
 * bound and one byte is read, of devices and pipes too. Rejects with the file system's error.
 */
export async function readBoundedFile(path: string, bytesMax: number): Promise<Buffer | undefined> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // What has a length says it first; what has none (0) may have anything.
    if (size > bytesMax) return undefined;
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, bytesMax + 1 - sizeBytes));
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return Buffer.concat(chunks, sizeBytes);
      chunks.push(chunk.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      if (sizeBytes > bytesMax) return undefined;
    }
  } finally {
    await file.close();
  }
}

const READ_BYTES = 64 * 1024;
