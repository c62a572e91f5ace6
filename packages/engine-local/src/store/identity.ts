import { stat } from 'node:fs/promises';
import type { ModelFiles } from '../families/family.js';
import type { CatalogueEntry } from './catalogue.js';
import { hashFile } from './write-file.js';

/**
 * Which model of the catalogue lies in a folder of the user's own, as in a container that is given one: so that it hears
 * the same languages and is as sure of itself as by its name. Reads the files only where all lengths are right.
 */
export async function identify(
  files: ModelFiles,
  catalogue: readonly CatalogueEntry[],
): Promise<CatalogueEntry | undefined> {
  for (const entry of catalogue) {
    const isIt = async (check: (path: string, file: CatalogueEntry['files'][number]) => Promise<boolean>) => {
      for (const file of entry.files) {
        const path = files[file.role];
        if (path === undefined || !(await check(path, file))) return false;
      }
      return true;
    };
    const isAsLong = await isIt(async (path, { sizeBytes }) => (await stat(path)).size === sizeBytes);
    if (!isAsLong) continue;
    if (await isIt(async (path, { sha256 }) => (await hashFile(path, { algorithm: 'sha256' })) === sha256)) {
      return entry;
    }
  }
  return undefined;
}
