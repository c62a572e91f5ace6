import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, posix, resolve, win32 } from 'node:path';
import { EngineError } from '@kikitori/engine';

/** What decides where the store is; the process's own by default. */
export interface StoreSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder; undefined: nobody knows one. */
  readonly home: string | undefined;
}

/**
 * The home folder as HOME says it, else as the system knows its user; undefined where neither does, as in a container that
 * runs as any number. An empty HOME, or one that is no whole path, would be a folder of wherever the command was started.
 */
export function homeFolder(env: StoreSurroundings['env']): string | undefined {
  const { HOME: own = '' } = env;
  for (const ask of [() => (process.platform === 'win32' ? '' : own), homedir, () => userInfo().homedir]) {
    try {
      const home = ask();
      if (isAbsolute(home)) return home;
    } catch {
      // The system does not know this user.
    }
  }
  return undefined;
}

/**
 * The folder that models are kept in: `KIKITORI_HOME` where it is set, else `kikitori` in the platform's cache
 * folder (`XDG_CACHE_HOME` or `~/.cache`; `~/Library/Caches` on macOS; `LOCALAPPDATA` on Windows). Pure.
 *
 * @throws EngineError `model_unavailable` where that would be in a home folder, and there is none
 */
export function storeRoot({ env, platform, home }: StoreSurroundings): string {
  const { KIKITORI_HOME: own, LOCALAPPDATA: local, XDG_CACHE_HOME: cache } = env;
  if (own !== undefined && own !== '') return resolve(own);
  if (platform === 'win32') {
    const base = local !== undefined && local !== '' ? local : win32.join(known(home), 'AppData', 'Local');
    return win32.join(base, 'kikitori');
  }
  if (platform === 'darwin') return posix.join(known(home), 'Library', 'Caches', 'kikitori');
  // The XDG Base Directory Specification: a relative path is invalid and to be ignored.
  const base = cache !== undefined && isAbsolute(cache) ? cache : posix.join(known(home), '.cache');
  return posix.join(base, 'kikitori');
}

function known(home: string | undefined): string {
  if (home !== undefined) return home;
  throw new EngineError(
    'model_unavailable',
    'There is no home folder to keep models in. Set KIKITORI_HOME to a folder for them.',
  );
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
