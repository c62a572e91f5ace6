import { setMaxListeners } from 'node:events';
import { ENDED_ELSEWHERE } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import {
  compositeChecksum,
  digestsOf,
  FileDigest,
  type FileDigests,
  isAsAnnounced,
  partChecksum,
} from './file-digest.js';
import type { HubSource } from './hub-source.js';
import { ARTEFACT_LIMITS, type TransferLimits } from './limits.js';
import type { FileRecord } from './model-manifest.js';
import type { ObjectStore, StoredPart, UnfinishedUpload } from './object-store.js';
import { Turnstile } from './turnstile.js';
import type { Checkpoint, UploadState } from './upload-state.js';

/** One file on its way from the hub to S3. */
export interface FileTask {
  readonly source: HubSource;
  readonly key: string;
  readonly store: ObjectStore;
  readonly state: UploadState;
  /** Uploads of this key that nobody finished and that may be taken up. */
  readonly uploads: readonly UnfinishedUpload[];
  readonly limits: TransferLimits;
  /** Told the bytes of each part once S3 has it, and whether it had it before. */
  readonly onSettled: (bytes: number, wasThere: boolean) => void;
}

/** Larger parts where S3's 10,000 would not do; whole mebibytes. */
export function partSizeFor(sizeBytes: number, partSizeBytes: number): number {
  if (sizeBytes <= partSizeBytes * ARTEFACT_LIMITS.partsMax) return partSizeBytes;
  return Math.ceil(sizeBytes / ARTEFACT_LIMITS.partsMax / 1_048_576) * 1_048_576;
}

/**
 * Copies one file, without a disk in between: what was fetched is hashed, sent and forgotten. It becomes an object only when
 * the hash of the whole is the announced one.
 *
 * @throws DeployError `model_mismatch` when it is not: then S3 keeps nothing of it
 */
export async function copyFile(task: FileTask, signal: AbortSignal): Promise<FileRecord> {
  const { file } = task.source;
  const partSizeBytes = partSizeFor(file.sizeBytes, task.limits.partSizeBytes);
  if (file.sizeBytes <= partSizeBytes) return await copyWhole(task, signal);
  return await new PartwiseCopy(task, partSizeBytes).run(signal);
}

/** A file of one part: checked before it is sent. */
async function copyWhole(task: FileTask, signal: AbortSignal): Promise<FileRecord> {
  const { source, key, store } = task;
  const { path, sizeBytes } = source.file;
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  await source.read(0, bytes, signal);
  const digests = digestsOf(bytes);
  if (!isAsAnnounced(source.file, digests)) throw new DeployError('model_mismatch');
  const type = path.endsWith('.json') ? 'application/json' : 'application/octet-stream';
  const checksum = await store.put(key, bytes, type, signal);
  task.onSettled(sizeBytes, false);
  return { path, sizeBytes, sha256: digests.sha256, checksum };
}

/** A part that S3 has: its tag and its SHA-256 in base64. */
interface SentPart {
  readonly etag: string;
  readonly checksum: string;
}

/**
 * A file of several parts. As many workers as there may be parts in flight, each with one buffer that it fills, hashes and
 * sends; the hash of the whole takes the parts in their order. So memory is workers × part size, whatever the file's size.
 */
class PartwiseCopy {
  readonly #task: FileTask;
  readonly #partSizeBytes: number;
  readonly #partCount: number;
  readonly #sent: (SentPart | undefined)[];
  /** What S3 held when we came, by part number. */
  #stored = new Map<number, StoredPart>();
  #uploadId = '';
  #digest: FileDigest | undefined;
  /** Counted from zero. */
  #nextPart = 0;
  /** Parts from the first on that S3 has without a gap. */
  #settledParts = 0;
  /** States of the hash after so many parts, until they can be written down. */
  readonly #states = new Map<number, Checkpoint['digest']>();
  #isSaving = false;

  constructor(task: FileTask, partSizeBytes: number) {
    this.#task = task;
    this.#partSizeBytes = partSizeBytes;
    this.#partCount = Math.ceil(task.source.file.sizeBytes / partSizeBytes);
    this.#sent = new Array<SentPart | undefined>(this.#partCount).fill(undefined);
  }

  async run(signal: AbortSignal): Promise<FileRecord> {
    await this.#open(signal);
    const digest = await this.#resumeDigest();
    this.#digest = digest;
    await this.#transfer(digest, signal);
    const digests = digest.finish();
    const { source, key, store, state } = this.#task;
    if (!isAsAnnounced(source.file, digests)) {
      await store.abort(key, this.#uploadId, signal);
      await state.saveCheckpoint(undefined, signal);
      throw new DeployError('model_mismatch');
    }
    return await this.#complete(digests, signal);
  }

  /** Takes up the upload that the checkpoint is of, else the newest one, else begins one. */
  async #open(signal: AbortSignal): Promise<void> {
    const { source, key, store, state, uploads } = this.#task;
    const wanted = state.checkpointOf(source.file, this.#partSizeBytes)?.uploadId;
    const usable = uploads.filter(({ hasSha256 }) => hasSha256);
    const newestFirst = usable.toSorted((one, other) => Number(other.beganAt) - Number(one.beganAt));
    const found = newestFirst.find(({ uploadId }) => uploadId === wanted) ?? newestFirst[0];
    const parts = found === undefined ? undefined : await store.listParts(key, found.uploadId, signal);
    if (found !== undefined && parts !== undefined) {
      this.#uploadId = found.uploadId;
      this.#stored = new Map(parts.map((part) => [part.partNumber, part]));
      return;
    }
    this.#uploadId = await store.begin(key, signal);
  }

  /** The hash after the parts that the checkpoint covers, where S3 has exactly these; else the hash of nothing. */
  async #resumeDigest(): Promise<FileDigest> {
    const { source, state, onSettled } = this.#task;
    const checkpoint = state.checkpointOf(source.file, this.#partSizeBytes);
    const covered =
      checkpoint === undefined || checkpoint.uploadId !== this.#uploadId
        ? undefined
        : this.#storedAs(checkpoint.parts);
    const resumed =
      checkpoint === undefined || covered === undefined
        ? undefined
        : await FileDigest.resume(source.file, checkpoint.digest);
    if (resumed === undefined || covered === undefined) return await FileDigest.begin(source.file);
    for (const [index, part] of covered.entries()) this.#sent[index] = part;
    this.#nextPart = covered.length;
    this.#settledParts = covered.length;
    onSettled(covered.length * this.#partSizeBytes, true);
    return resumed;
  }

  /** The first parts as S3 has them; undefined where one has another checksum or length. The last part is never covered. */
  #storedAs(checksums: readonly string[]): readonly SentPart[] | undefined {
    if (checksums.length >= this.#partCount) return undefined;
    const parts: SentPart[] = [];
    for (const [index, checksum] of checksums.entries()) {
      const part = this.#stored.get(index + 1);
      if (part?.checksum !== checksum || part.sizeBytes !== this.#partSizeBytes) return undefined;
      parts.push({ etag: part.etag, checksum });
    }
    return parts;
  }

  async #transfer(digest: FileDigest, outer: AbortSignal): Promise<void> {
    const group = new AbortController();
    const signal = AbortSignal.any([outer, group.signal]);
    // Each part in flight listens a few times; Node takes more than ten for a leak and says so on stderr.
    setMaxListeners(8 * this.#task.limits.partsInFlight, signal);
    const turnstile = new Turnstile(this.#nextPart);
    const workers = Math.min(this.#task.limits.partsInFlight, this.#partCount - this.#nextPart);
    // The first failure ends the others; all are waited for, so that nothing runs on behind our back.
    await Promise.all(
      Array.from({ length: workers }, async () => {
        try {
          await this.#work(digest, turnstile, signal);
        } catch (error) {
          group.abort(error);
        }
      }),
    );
    outer.throwIfAborted();
    group.signal.throwIfAborted();
  }

  async #work(digest: FileDigest, turnstile: Turnstile, signal: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(this.#partSizeBytes);
    while (this.#nextPart < this.#partCount) {
      const index = this.#nextPart;
      this.#nextPart += 1;
      const from = index * this.#partSizeBytes;
      const body = buffer.subarray(0, Math.min(this.#partSizeBytes, this.#task.source.file.sizeBytes - from));
      await this.#task.source.read(from, body, signal);
      const hashing = this.#hash(index, body, { digest, turnstile }, signal);
      // When the hash fails first, sending is waited for all the same: it reads from the buffer.
      const [hashed, sent] = await Promise.allSettled([hashing, this.#send(index, body, signal)]);
      if (sent.status === 'rejected') throw sent.reason;
      if (hashed.status === 'rejected') throw hashed.reason;
      await this.#settle(signal);
    }
  }

  async #hash(
    index: number,
    body: Uint8Array,
    { digest, turnstile }: { readonly digest: FileDigest; readonly turnstile: Turnstile },
    signal: AbortSignal,
  ): Promise<void> {
    await turnstile.wait(index, signal);
    await digest.update(body);
    const hashedParts = index + 1;
    if (hashedParts % this.#task.limits.checkpointParts === 0) this.#states.set(hashedParts, digest.save());
    turnstile.advance();
  }

  async #send(index: number, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const { key, store, onSettled } = this.#task;
    const partNumber = index + 1;
    const checksum = partChecksum(body);
    const stored = this.#stored.get(partNumber);
    const isThere = stored?.checksum === checksum && stored.sizeBytes === body.length;
    const etag = isThere
      ? stored.etag
      : await store.sendPart({ key, uploadId: this.#uploadId, partNumber, body, checksum }, signal);
    this.#sent[index] = { etag, checksum };
    onSettled(body.length, isThere);
  }

  /** Writes the newest state down whose parts S3 has all. One at a time; a worker that comes meanwhile goes on. */
  async #settle(signal: AbortSignal): Promise<void> {
    while (this.#sent[this.#settledParts] !== undefined) this.#settledParts += 1;
    const covered = [...this.#states.keys()].filter((parts) => parts <= this.#settledParts).at(-1);
    if (covered === undefined || this.#isSaving) return;
    const digest = this.#states.get(covered);
    for (const parts of [...this.#states.keys()]) if (parts <= covered) this.#states.delete(parts);
    if (digest === undefined || covered >= this.#partCount) return;
    const { source, state } = this.#task;
    this.#isSaving = true;
    try {
      await state.saveCheckpoint(
        {
          path: source.file.path,
          uploadId: this.#uploadId,
          partSizeBytes: this.#partSizeBytes,
          announced: source.file.checksum.hex,
          parts: this.#sent.slice(0, covered).flatMap((part) => (part === undefined ? [] : [part.checksum])),
          digest,
        },
        signal,
      );
    } finally {
      this.#isSaving = false;
    }
  }

  async #complete(digests: FileDigests, signal: AbortSignal): Promise<FileRecord> {
    const { source, key, store } = this.#task;
    const { path, sizeBytes } = source.file;
    const parts = this.#sent.flatMap((part) => (part === undefined ? [] : [part]));
    const checksum = compositeChecksum(parts.map((part) => part.checksum));
    const isDone = await store.complete({ key, uploadId: this.#uploadId, sizeBytes, parts }, signal);
    if (!isDone) {
      // Completed by a try whose answer was lost, or by a copy that runs elsewhere: what is there decides.
      const there = await store.head(key, signal);
      if (there?.sizeBytes !== sizeBytes || there.checksum !== checksum) {
        throw new DeployError('aws_failed', { sentence: ENDED_ELSEWHERE });
      }
    }
    return { path, sizeBytes, sha256: digests.sha256, checksum };
  }
}
