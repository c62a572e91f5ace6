import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { CliError } from './errors.js';

/** Whoever may read hashes could try to guess keys that people made up and added by hand. */
const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o7777;

/** Who may do what with a file. */
interface Access {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Gives a file another content; a new one is its owner's alone. A program that reads it at this moment sees the old content
 * or the new one, never half of it. Who owns it and who may read it stays as it was, since it is read by a server that may be
 * another user; a link goes on leading to it.
 *
 * @throws CliError `bad_input` when this user cannot leave it to its owner; else the error of the file system. Then it is as it was.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const access = await accessOf(file);
  const target = access === undefined ? file : await realpath(file);
  const beside = `${target}.${process.pid}.new`;
  // Not one that somebody left there for us to write into.
  const handle = await open(beside, 'wx', OWNER_ONLY);
  try {
    try {
      if (access !== undefined) await give(handle, access, file);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function give(handle: FileHandle, { mode, uid, gid }: Access, file: string): Promise<void> {
  const own = await handle.stat();
  try {
    if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
  } catch (cause) {
    throw new CliError(
      'bad_input',
      `${file} belongs to another user or group, who could not read it any more if you changed it; do this as its owner or as root.`,
      { cause },
    );
  }
  // Behind it: a change of owner takes bits away.
  await handle.chmod(mode);
}

/** undefined: there is no such file yet. */
async function accessOf(file: string): Promise<Access | undefined> {
  try {
    const { mode, uid, gid } = await stat(file);
    return { mode: mode & PERMISSIONS, uid, gid };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
