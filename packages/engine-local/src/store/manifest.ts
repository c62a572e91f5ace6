import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '@kikitori/core';
import type { ModelFamily } from '../families/family.js';
import { familyOf } from '../families/index.js';
import { unreadableStore } from './failures.js';
import { STORE_LIMITS } from './limits.js';

/** Silero, which tells speech from silence: `kind` of its manifest, and its files. */
export const VOICE = { name: 'silero', roles: { needed: ['v5', 'v6'], optional: [] } } as const;

/** Which files such a model has: those of its family, or the voice detector's. */
export type ModelRoles = ModelFamily['roles'];

/** The files of a model of that kind; undefined where nobody knows the kind. */
export function rolesOf(kind: string): ModelRoles | undefined {
  return kind === VOICE.name ? VOICE.roles : familyOf(kind)?.roles;
}

/** One file of a model in the store. */
export interface ModelFile {
  /** What it is in its model: `encoder`, `v5`. */
  readonly role: string;
  /** File name inside the model's folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Where a model came from. */
export type ModelSource =
  | {
      readonly type: 'npm';
      readonly package: string;
      readonly version: string;
      /** Of the tarball, as npm writes it: `sha512-…`. */
      readonly integrity: string;
    }
  | {
      readonly type: 'hub';
      /** `owner/name`. */
      readonly repo: string;
      /** The commit, in full. */
      readonly revision: string;
    };

/** `manifest.json` of a model in the store: what is there and where it came from. */
export interface ModelManifest {
  /** Form of this file. */
  readonly schema: 1;
  /** The name it is pulled by. */
  readonly name: string;
  /** Its family, or `silero`. */
  readonly kind: string;
  /** As the source states it, SPDX where it has one; `unknown` where the source is silent. */
  readonly licence: string;
  /** BCP 47; empty where the source is silent or speech is not understood. */
  readonly languages: readonly string[];
  readonly source: ModelSource;
  readonly files: readonly ModelFile[];
}

/** Name of the manifest in a model's folder. It is written last: a folder without it is not whole. */
export const MANIFEST_NAME = 'manifest.json';

/** The manifest of a model's folder; undefined when there is none or it is none of ours. */
export async function readManifest(dir: string): Promise<ModelManifest | undefined> {
  return parseManifest(await readJson(join(dir, MANIFEST_NAME)));
}

/** A small JSON file of the store; undefined when it is not there, too long, or no JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > STORE_LIMITS.manifestBytesMax) return undefined;
      return JSON.parse(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw unreadableStore(path, error);
  }
}

/** True for "there is no such file or folder". */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function parseManifest(value: unknown): ModelManifest | undefined {
  if (!isRecord(value)) return undefined;
  const { schema, name, kind, licence, languages, files, source: origin } = value;
  const source = parseSource(origin);
  if (schema !== 1) return undefined;
  if (typeof name !== 'string' || typeof licence !== 'string' || source === undefined) return undefined;
  const roles = typeof kind === 'string' ? rolesOf(kind) : undefined;
  if (typeof kind !== 'string' || roles === undefined) return undefined;
  if (!Array.isArray(languages) || !languages.every((tag) => typeof tag === 'string')) return undefined;
  if (!Array.isArray(files) || files.length > STORE_LIMITS.filesMax) return undefined;
  const parsed = files.map((file) => parseFile(file, roles));
  const whole = parsed.filter((file) => file !== undefined);
  if (whole.length !== parsed.length) return undefined;
  return { schema: 1, name, kind, licence, languages, source, files: whole };
}

function parseSource(value: unknown): ModelSource | undefined {
  if (!isRecord(value)) return undefined;
  const { type, repo, revision, package: packageName, version, integrity } = value;
  if (type === 'npm') {
    if (typeof packageName !== 'string' || typeof version !== 'string') return undefined;
    if (typeof integrity !== 'string') return undefined;
    return { type: 'npm', package: packageName, version, integrity };
  }
  if (type !== 'hub' || typeof repo !== 'string' || typeof revision !== 'string') return undefined;
  return { type: 'hub', repo, revision };
}

function parseFile(value: unknown, { needed, optional }: ModelRoles): ModelFile | undefined {
  if (!isRecord(value)) return undefined;
  const { role: claimed, name, sizeBytes, sha256 } = value;
  const role = [...needed, ...optional].find((known) => known === claimed);
  // A name with a separator would reach outside the model's folder.
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || role === undefined) return undefined;
  if (!Number.isSafeInteger(sizeBytes) || typeof sizeBytes !== 'number' || sizeBytes < 0) return undefined;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  return { role, name, sizeBytes, sha256 };
}
