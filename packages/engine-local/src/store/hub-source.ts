import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { addressOf, HttpStatusError, type HubAccess, isTransient, requestHub } from '@kikitori/core/hub';
import { ChecksumError } from './failures.js';
import type { ModelHubFile } from './hub-listing.js';
import { STORE_LIMITS } from './limits.js';
import { isMissing, type ModelFile } from './manifest.js';
import { hashFile, type OpenFile, writeStream } from './write-file.js';

export interface HubFetchOptions {
  readonly access: HubAccess;
  readonly repository: string;
  /** So that a file resumed later is of the same version. */
  readonly commit: string;
  readonly openFile: OpenFile;
  readonly signal: AbortSignal | undefined;
  /** Told the bytes of this file that are on the disk, resumed ones included. */
  readonly onReceived: (bytes: number) => void;
  readonly retryDelayMs: number;
}

/**
 * Downloads one file of a hub repository into `dir`, goes on where an earlier try stopped, and checks it.
 *
 * @throws ChecksumError when it is not what the hub announced; nothing of it is kept then
 */
export async function fetchFromHub(
  file: ModelHubFile,
  dir: string,
  options: HubFetchOptions,
): Promise<ModelFile> {
  const { signal } = options;
  const name = basename(file.path);
  const whole = join(dir, name);
  const part = `${whole}.part`;
  if ((await sizeOf(whole)) !== file.sizeBytes) {
    await fetchAll(file, part, options);
    await check(file, part, signal);
    await rename(part, whole);
  }
  const sha256 = await check(file, whole, signal);
  options.onReceived(file.sizeBytes);
  return { role: file.role, name, sizeBytes: file.sizeBytes, sha256 };
}

/** Asks for what is missing until nothing is. A try that brought bytes starts the count of vain tries anew. */
async function fetchAll(file: ModelHubFile, part: string, options: HubFetchOptions): Promise<void> {
  const { signal, retryDelayMs } = options;
  let vainTries = 0;
  for (let tries = 1; ; tries += 1) {
    const before = (await sizeOf(part)) ?? 0;
    // A body that ends early without an error is as good as one that broke off.
    let failure: unknown = new HttpStatusError(500);
    try {
      await fetchRest(file, part, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ChecksumError) await rm(part, { force: true });
      if (!isTransient(error)) throw error;
      failure = error;
    }
    const after = await sizeOf(part);
    if (after === file.sizeBytes) return;
    vainTries = (after ?? 0) > before ? 0 : vainTries + 1;
    if (vainTries >= STORE_LIMITS.attemptsMax || tries >= STORE_LIMITS.resumesMax) throw failure;
    await wait(retryDelayMs * 2 ** vainTries * (0.5 + Math.random()), undefined, { signal });
  }
}

/** One request for what is missing. */
async function fetchRest(file: ModelHubFile, part: string, options: HubFetchOptions): Promise<void> {
  const { access, signal, openFile, onReceived } = options;
  let haveBytes = (await sizeOf(part)) ?? 0;
  if (haveBytes > file.sizeBytes) {
    await rm(part);
    haveBytes = 0;
  }
  const range = haveBytes > 0 ? { range: { from: haveBytes } } : {};
  const response = await requestHub(addressOf(file.path, options), { access, signal, ...range }).catch(
    (error: unknown) => {
      if (error instanceof HttpStatusError && error.status === 416) return undefined;
      throw error;
    },
  );
  const isRest = response?.status === 206 && startsAt(response, haveBytes);
  if (response === undefined || (response.status === 206 && !isRest)) {
    // The server does not know this range: from the start then.
    await response?.body?.cancel();
    await rm(part, { force: true });
    return;
  }
  if (response.body === null) throw new HttpStatusError(response.status);
  let onDiskBytes = isRest ? haveBytes : 0;
  await writeStream(response.body, part, {
    flags: isRest ? 'a' : 'w',
    bytesMax: file.sizeBytes - onDiskBytes,
    openFile,
    onWritten: (bytes) => {
      onDiskBytes += bytes;
      onReceived(onDiskBytes);
    },
  });
}

function startsAt(response: Response, bytes: number): boolean {
  return response.headers.get('content-range')?.startsWith(`bytes ${bytes}-`) === true;
}

/** Checks a file as the hub announced it, removes it when it is wrong, and returns its SHA-256. */
async function check(file: ModelHubFile, path: string, signal: AbortSignal | undefined): Promise<string> {
  const given = signal === undefined ? {} : { signal };
  const sha256 = await hashFile(path, { algorithm: 'sha256', ...given });
  const { algorithm, hex } = file.checksum;
  const actual =
    algorithm === 'sha256'
      ? sha256
      : await hashFile(path, { algorithm: 'sha1', prefix: `blob ${file.sizeBytes}\0`, ...given });
  if (actual === hex) return sha256;
  await rm(path, { force: true });
  throw new ChecksumError('A file of the hub has another checksum than announced.');
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
