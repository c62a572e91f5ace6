import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDiskFull } from '@kikitori/core';
import { AudioError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { SPOOL_BYTES_MAX } from './limits.js';

/** Does an MP4 file name its samples before it holds them? Then it can be read as it comes. */
export function isIndexFirst(probe: Uint8Array): boolean {
  const view = new DataView(probe.buffer, probe.byteOffset, probe.byteLength);
  for (let at = 0; at + 8 <= probe.length; ) {
    const kind = view.getUint32(at + 4);
    if (kind === 0x6d6f6f76) return true; // "moov"
    const boxBytes = view.getUint32(at);
    if (boxBytes < 8) return false; // 64-bit or to the end: the sound, and the index behind it
    at += boxBytes;
  }
  return false;
}

/**
 * Copies a stream into a temporary file, for formats that are read out of order (an MP4 whose index comes last). The
 * file is gone after `close()`. More than `SPOOL_BYTES_MAX`: `too_large`; a folder that takes nothing: `spool_failed`.
 */
export async function spool(source: ByteSource, signal: AbortSignal): Promise<ByteSource> {
  const folder = await mkdtemp(join(tmpdir(), 'kikitori-')).catch(refuse);
  const path = join(folder, 'audio');
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const sizeBytes = await copy(source, path, signal);
    const close = async (): Promise<void> => {
      await source.close();
      await removeFolder();
    };
    return { ...source, path, sizeBytes, close };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function copy(source: ByteSource, path: string, signal: AbortSignal): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch(refuse);
  let sizeBytes = 0;
  try {
    for await (const piece of source.bytes()) {
      signal.throwIfAborted();
      sizeBytes += piece.length;
      if (sizeBytes > SPOOL_BYTES_MAX) {
        throw new AudioError(
          'too_large',
          'This stream is too large to be kept; give the path of the file instead.',
        );
      }
      await file.write(piece).catch(refuse);
    }
  } finally {
    await file.close();
  }
  return sizeBytes;
}

function refuse(cause: unknown): never {
  throw spoolError(cause);
}

/** What to do about a temporary folder that takes no stream. */
export function spoolError(cause: unknown): AudioError {
  const sentence = isDiskFull(cause)
    ? 'The temporary folder has no room for this stream; make some, set TMPDIR to another folder, or give the path of the file instead.'
    : 'The temporary folder cannot be written to; set TMPDIR to one that can, or give the path of the file instead.';
  return new AudioError('spool_failed', sentence, { cause });
}
