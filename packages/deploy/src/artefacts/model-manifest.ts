import { isRecord, parseJson } from '@kikitori/core';
import type { ModelFormat } from './model-files.js';

/** The last object that a copy writes, in the model's prefix: where it is, every file is there and was checked. */
export const MANIFEST_NAME = 'kikitori-model.json';

/** A file that was checked against what the hub announced, and is in S3. */
export interface FileRecord {
  /** In the repository, and below the prefix. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the whole file, lower-case hex. */
  readonly sha256: string;
  /** What S3 says of the object: SHA-256 in base64, of the bytes or, with `-N` behind it, of N parts. */
  readonly checksum: string;
}

/** What is in a prefix. */
export interface ModelManifest {
  readonly repository: string;
  /** The hub's commit. */
  readonly commit: string;
  readonly format: ModelFormat;
  readonly files: readonly FileRecord[];
  readonly totalBytes: number;
}

/** As it is written. */
export function encodeManifest(manifest: ModelManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify({ schema: 1, kind: 'kikitori-model', ...manifest }, null, 2)}\n`);
}

/** Reads a manifest; undefined for anything that is none. */
export function parseManifest(text: string): ModelManifest | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || value['schema'] !== 1 || value['kind'] !== 'kikitori-model') return undefined;
  const { repository, commit, format, totalBytes } = value;
  const files = parseRecords(value['files']);
  if (typeof repository !== 'string' || typeof commit !== 'string' || typeof totalBytes !== 'number') {
    return undefined;
  }
  if (files === undefined || (format !== 'mistral' && format !== 'huggingface')) return undefined;
  return { repository, commit, format, files, totalBytes };
}

/** Reads a list of records; undefined where one of them is none. */
export function parseRecords(value: unknown): readonly FileRecord[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const records = value.flatMap((entry: unknown) => {
    if (!isRecord(entry)) return [];
    const { path, sizeBytes, sha256, checksum } = entry;
    const isRight =
      typeof path === 'string' &&
      typeof sizeBytes === 'number' &&
      typeof sha256 === 'string' &&
      typeof checksum === 'string';
    return isRight ? [{ path, sizeBytes, sha256, checksum }] : [];
  });
  return records.length === value.length ? records : undefined;
}
