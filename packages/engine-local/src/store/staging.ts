import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { codesOf } from '@kikitori/core/hub';
import { STORE_LIMITS } from './limits.js';
import { modelsDir } from './location.js';
import { makeFolder } from './make-folder.js';
import { isMissing } from './manifest.js';

/**
 * Where models are put together before they are shown: `<root>/staging`, on the same disk as `<root>/models`, so
 * that a rename shows a model whole or not at all.
 *
 * A folder's name says whose it is: `key~host~pid.thread~random`. So two processes never write to one folder, and
 * what a killed process left is told from what a living one is working on.
 */

/** Folders that this thread is working on. */
const active = new Set<string>();

/** Keys of downloads that can be resumed start so; all others are worthless once their process is gone. */
export const RESUMABLE_PREFIX = 'hf--';

/** Where models are put together. */
export function stagingDir(root: string): string {
  return join(root, 'staging');
}

/** A folder of our own in the staging area. */
export interface Staging {
  readonly dir: string;
  /** Gives the folder up and keeps it, so that a later pull can resume it. */
  keep(): void;
  /** Gives the folder up and removes it. */
  discard(): Promise<void>;
}

/**
 * Takes a folder for this key: one that a pull left behind, or a new one. Removes what else was left behind and
 * cannot be resumed.
 */
export async function openStaging(root: string, key: string): Promise<Staging> {
  const parent = stagingDir(root);
  await makeFolder(parent);
  await makeFolder(modelsDir(root));
  const dir = join(parent, `${key}~${ownMark()}~${randomBytes(4).toString('hex')}`);
  active.add(dir);
  try {
    if (!(await takeOver(parent, key, dir))) await mkdir(dir);
  } catch (error) {
    active.delete(dir);
    throw error;
  }
  return {
    dir,
    keep: () => {
      active.delete(dir);
    },
    discard: async () => {
      await rm(dir, { recursive: true, force: true });
      active.delete(dir);
    },
  };
}

/**
 * Shows a finished folder as a model. Where another process was faster and its model is whole, theirs stays.
 *
 * @param isWhole - checks what is in the place already
 */
export async function place(
  staging: Staging,
  target: string,
  root: string,
  isWhole: (dir: string) => Promise<boolean>,
): Promise<void> {
  for (let placing = 1; ; placing += 1) {
    try {
      await rename(staging.dir, target);
      staging.keep();
      return;
    } catch (error) {
      const isTaken = codesOf(error).some((code) =>
        ['EEXIST', 'ENOTEMPTY', 'EPERM', 'EACCES'].includes(code),
      );
      if (!isTaken || placing === STORE_LIMITS.placingsMax) throw error;
    }
    if (await isWhole(target)) {
      await staging.discard();
      return;
    }
    await setAside(target, root);
  }
}

/** Takes a model out of sight in one step, then removes it. Returns false when there was none. */
export async function setAside(target: string, root: string): Promise<boolean> {
  await makeFolder(stagingDir(root));
  const aside = join(stagingDir(root), `trash~${ownMark()}~${randomBytes(4).toString('hex')}`);
  try {
    await rename(target, aside);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
  return true;
}

/** Renames a folder left behind under this key to ours. The rename decides between several that want it. */
async function takeOver(parent: string, key: string, dir: string): Promise<boolean> {
  let isTaken = false;
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (!(await isLeftBehind(path, name))) continue;
    const isResumable = name.startsWith(RESUMABLE_PREFIX);
    if (!isTaken && isResumable && name.startsWith(`${key}~`)) {
      isTaken = await rename(path, dir).then(
        () => true,
        () => false,
      );
      if (isTaken) {
        const now = new Date();
        await utimes(dir, now, now);
      }
    } else if (!isResumable || (await ageMs(path)) > STORE_LIMITS.partialAgeMsMax) {
      await rm(path, { recursive: true, force: true });
    }
  }
  return isTaken;
}

async function isLeftBehind(path: string, name: string): Promise<boolean> {
  if (active.has(path)) return false;
  const [, host, process_ = ''] = name.split('~');
  if (host !== hostMark()) return (await ageMs(path)) > STORE_LIMITS.foreignAgeMsMax;
  const [pid, thread] = process_.split('.');
  if (Number(pid) === process.pid) return Number(thread) === threadId;
  return !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return codesOf(error).includes('EPERM');
  }
}

async function ageMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}

function ownMark(): string {
  return `${hostMark()}~${process.pid}.${threadId}`;
}

function hostMark(): string {
  return hostname().replace(/[^\w.-]/g, '_');
}
