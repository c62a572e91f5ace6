import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing; `mode` as `mkdir` takes it. Not `mkdir` with `recursive`: in a folder
 * that is there and says of every new one that there is none such (`/proc`), Node asks for ever.
 *
 * @throws the error of the file system
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const above = dirname(path);
  const isMade = await makeOne(path, mode);
  if (isMade || above === path) return;
  await makeFolder(above, mode);
  if (!(await makeOne(path, mode)))
    throw Object.assign(new Error(`There cannot be a ${path}.`), { code: 'ENOENT' });
}

/** False where the one above is missing, or is said to be. */
async function makeOne(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, mode);
    return true;
  } catch (error) {
    if (await isFolderNow(path)) return true;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function isFolderNow(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
