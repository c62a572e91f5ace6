import { isRecord, parseJson } from '@kikitori/core';
import type { HubFile, HubListing } from '@kikitori/core/hub';
import type { DigestState } from './file-digest.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { type FileRecord, parseRecords } from './model-manifest.js';
import type { ObjectStore } from './object-store.js';

/** Lies in the model's prefix while it is copied; removed when the manifest is written. */
export const STATE_NAME = 'kikitori-upload.json';

/** How far the hash of the file is that is being uploaded. */
export interface Checkpoint {
  readonly path: string;
  readonly uploadId: string;
  readonly partSizeBytes: number;
  /** What the hub announced; a state of another file is useless. */
  readonly announced: string;
  /** SHA-256 in base64 of the parts that the state covers, from the first on. */
  readonly parts: readonly string[];
  readonly digest: DigestState;
}

/**
 * What a copy that breaks off leaves for the next one: which files are done, and how far the hash of the current one is.
 *
 * Why it is needed: the hash of a whole file is compared before its upload is completed, and the parts of an unfinished upload
 * cannot be read back from S3. Without the state of the hash, a resumed copy would fetch the whole file from the hub again
 * only to hash what S3 holds already.
 *
 * Why it can be relied on: nothing in it is believed that S3 does not vouch for. The checkpoint names the SHA-256 of every
 * part it covers and counts only when S3 lists exactly these for exactly this upload; a file counts as done only when S3
 * tells the checksum that was written down. Who can forge that can write to the bucket, and could replace the model itself.
 * Where anything differs, the file is read from its begin, and parts that are there are compared with it and not sent again.
 */
export class UploadState {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #model: { readonly repository: string; readonly commit: string };
  #done: readonly FileRecord[] = [];
  #checkpoint: Checkpoint | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: ObjectStore, prefix: string, { repository, commit }: HubListing) {
    this.#store = store;
    this.#key = `${prefix}${STATE_NAME}`;
    this.#model = { repository, commit };
  }

  /** Reads what an earlier copy of the same commit left. */
  async load(signal: AbortSignal): Promise<void> {
    const text = await this.#store.readText(this.#key, ARTEFACT_LIMITS.checkpointBytesMax, signal);
    const value = parseJson(text ?? '');
    if (!isRecord(value) || value['schema'] !== 1) return;
    const { repository, commit } = this.#model;
    if (value['repository'] !== repository || value['commit'] !== commit) return;
    this.#done = parseRecords(value['done']) ?? [];
    this.#checkpoint = parseCheckpoint(value['checkpoint']);
  }

  /** The record of a file that an earlier copy finished. */
  recordOf({ path, sizeBytes }: HubFile): FileRecord | undefined {
    return this.#done.find((record) => record.path === path && record.sizeBytes === sizeBytes);
  }

  /** The checkpoint of this file, where one was left. */
  checkpointOf({ path, checksum }: HubFile, partSizeBytes: number): Checkpoint | undefined {
    const found = this.#checkpoint;
    const isOfThis =
      found?.path === path && found.announced === checksum.hex && found.partSizeBytes === partSizeBytes;
    return isOfThis ? found : undefined;
  }

  /** Writes a checkpoint down. It is a short cut only: when S3 does not take it, the copy goes on without. */
  async saveCheckpoint(checkpoint: Checkpoint | undefined, signal: AbortSignal): Promise<void> {
    this.#checkpoint = checkpoint;
    await this.#write(signal).catch(() => undefined);
  }

  /** Writes down that a file is in S3 and was checked. */
  async saveRecord(record: FileRecord, signal: AbortSignal): Promise<void> {
    this.#done = [...this.#done.filter(({ path }) => path !== record.path), record];
    this.#checkpoint = undefined;
    await this.#write(signal);
  }

  /** Everything is in the manifest now. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#writing;
    await this.#store.remove([this.#key], signal);
  }

  /** One after the other, so that an older state never comes out on top. */
  async #write(signal: AbortSignal): Promise<void> {
    const previous = this.#writing;
    const write = async (): Promise<void> => {
      await previous;
      const state = { schema: 1, ...this.#model, done: this.#done, checkpoint: this.#checkpoint };
      await this.#store.put(this.#key, Buffer.from(JSON.stringify(state)), 'application/json', signal);
    };
    const running = write();
    this.#writing = running.catch(() => undefined);
    await running;
  }
}

function parseCheckpoint(value: unknown): Checkpoint | undefined {
  if (!isRecord(value)) return undefined;
  const { path, uploadId, partSizeBytes, announced, parts, digest } = value;
  if (typeof path !== 'string' || typeof uploadId !== 'string' || typeof announced !== 'string')
    return undefined;
  if (typeof partSizeBytes !== 'number' || !Array.isArray(parts) || !isRecord(digest)) return undefined;
  const { sha256, git } = digest;
  if (typeof sha256 !== 'string' || (git !== undefined && typeof git !== 'string')) return undefined;
  const checksums = parts.filter((part): part is string => typeof part === 'string');
  if (checksums.length !== parts.length) return undefined;
  return {
    path,
    uploadId,
    partSizeBytes,
    announced,
    parts: checksums,
    digest: git === undefined ? { sha256 } : { sha256, git },
  };
}
