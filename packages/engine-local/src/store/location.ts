import { isAbsolute, join, posix, resolve, win32 } from 'node:path';

/** What decides where the store is; the process's own by default. */
export interface StoreSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
}

/**
 * The folder that models are kept in: `KIKITORI_HOME` where it is set, else `kikitori` in the platform's cache
 * folder (`XDG_CACHE_HOME` or `~/.cache`; `~/Library/Caches` on macOS; `LOCALAPPDATA` on Windows). Pure.
 */
export function storeRoot({ env, platform, home }: StoreSurroundings): string {
  const { KIKITORI_HOME: own, LOCALAPPDATA: local, XDG_CACHE_HOME: cache } = env;
  if (own !== undefined && own !== '') return resolve(own);
  if (platform === 'win32') {
    const base = local !== undefined && local !== '' ? local : win32.join(home, 'AppData', 'Local');
    return win32.join(base, 'kikitori');
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Caches', 'kikitori');
  // The XDG Base Directory Specification: a relative path is invalid and to be ignored.
  const base = cache !== undefined && isAbsolute(cache) ? cache : posix.join(home, '.cache');
  return posix.join(base, 'kikitori');
}

/** Folder of the finished models. */
export function modelsDir(root: string): string {
  return join(root, 'models');
}

/** Folder of one model. Its name keeps what a file system can carry: `hf:a/b@v1` becomes `hf--a--b--v1`. */
export function modelDir(root: string, name: string): string {
  return join(modelsDir(root), folderName(name));
}

/** A model's name as a folder name. */
export function folderName(name: string): string {
  return name.replace(/^hf:/, 'hf--').replace(/[/@]/g, '--');
}
