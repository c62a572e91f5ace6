import { constants, createReadStream, fstat, open, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { AudioError } from '../errors.js';

const DESCRIPTOR = /^\/(?:dev\/(?:fd\/(\d{1,9})|stdin)|proc\/self\/fd\/(\d{1,9}))$/;

/**
 * The number of the descriptor that a path such as `/dev/stdin` or `/dev/fd/3` names; undefined for every other. What is behind
 * it may be a file, and is yet no file to anybody else: to a child process the same path is something else.
 */
export function descriptorOf(path: string): number | undefined {
  const [whole, ofDev, ofProc] = DESCRIPTOR.exec(path) ?? [];
  return whole === undefined ? undefined : Number(ofDev ?? ofProc ?? 0);
}

/** Is what the path names read once, from where it stands, as a pipe is? A path that names nothing is none such. */
export async function isStreamPath(path: string): Promise<boolean> {
  if (descriptorOf(path) !== undefined) return true;
  return await stat(path).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
}

/**
 * Opens such a path. Waiting for its bytes, or for somebody to open the other end of a FIFO, holds none of Node's threads: one
 * that waits in the kernel keeps the process from ending, whoever asks. Throws `AudioError`, or the error of the file system.
 */
export async function openPathStream(path: string): Promise<Readable> {
  const descriptor = descriptorOf(path);
  if (descriptor === 0) return process.stdin;
  if (descriptor !== undefined) return await streamOf(descriptor, path);
  const found = await stat(path);
  // Elsewhere a FIFO that nobody writes to yet counts as one that has ended.
  if (found.isFIFO() && process.platform !== 'linux') return createReadStream(path);
  return await streamOf(await openWithoutWaiting(path), path);
}

async function openWithoutWaiting(path: string): Promise<number> {
  const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
  return await promisify(open)(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

async function streamOf(descriptor: number, path: string): Promise<Readable> {
  if (isatty(descriptor)) {
    throw new AudioError(
      'file_unreadable',
      'This is a terminal and not audio; name a file, or pipe audio in.',
    );
  }
  const found: Stats = await promisify(fstat)(descriptor);
  if (found.isFIFO() || found.isSocket()) return new Socket({ fd: descriptor, writable: false });
  return createReadStream(path, { fd: descriptor });
}
