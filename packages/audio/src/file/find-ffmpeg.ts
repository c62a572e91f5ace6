import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { AudioError } from '../errors.js';

/**
 * Finds the system's ffmpeg: `KIKITORI_FFMPEG` where it is set (a path, or `off` for none), else the first
 * one on PATH. Relative entries of PATH are passed over, so that a file in the working directory is never run.
 * Resolves to undefined where there is none; throws `ffmpeg_unusable` where the variable names no program.
 */
export async function findFfmpeg(
  env: { readonly KIKITORI_FFMPEG?: string | undefined; readonly PATH?: string | undefined } = process.env,
): Promise<string | undefined> {
  const named = env.KIKITORI_FFMPEG;
  if (named === 'off') return undefined;
  if (named !== undefined && named !== '') {
    if (await isProgram(named)) return named;
    throw new AudioError(
      'ffmpeg_unusable',
      'KIKITORI_FFMPEG names no program; correct the path or unset it.',
    );
  }
  const file = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await isProgram(join(folder, file)))) return join(folder, file);
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
