/**
 * `checked.json` beside a model's manifest: how each file looked when its checksum was last found right, so that a
 * start reads again only what changed since. Whoever can forge it can forge the models' files as well; it guards against
 * damage, and against whoever may write a model's files but not these times: `ctime` is the kernel's.
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '@kikitori/core';
import { type ModelFile, readJson } from './manifest.js';

/** Name of the file in a model's folder. */
export const CHECKED_NAME = 'checked.json';

/** How a file looks from outside, with the checksum it is held to: any write, copy or replacement changes it. */
export async function lookOf(
  path: string,
  { sha256 }: ModelFile,
): Promise<{ readonly look: string; readonly sizeBytes: number }> {
  const { size, ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return { look: [sha256, size, ino, mtimeNs, ctimeNs].join(' '), sizeBytes: Number(size) };
}

/** The looks by file name; none where there is no such file, or it is none of ours. */
export async function readChecked(dir: string): Promise<ReadonlyMap<string, string>> {
  // Unreadable is as good as absent: everything is read then.
  const value = await readJson(join(dir, CHECKED_NAME)).catch(() => undefined);
  if (!isRecord(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, look]) => (typeof look === 'string' ? [[name, look]] : [])),
  );
}

/** Keeps the looks. Where the store cannot be written (somebody else's, read-only) every start checks anew. */
export async function writeChecked(dir: string, looks: ReadonlyMap<string, string>): Promise<void> {
  const text = `${JSON.stringify(Object.fromEntries(looks), undefined, 2)}\n`;
  await writeFile(join(dir, CHECKED_NAME), text).catch(() => {});
}
