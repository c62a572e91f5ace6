import { join } from 'node:path';
import { lookOf, readChecked, writeChecked } from './checked.js';
import { unreadableStore } from './failures.js';
import { isMissing, type ModelFile } from './manifest.js';
import { hashFile } from './write-file.js';

/** What is wrong with a file of a model in the store. */
export interface ModelProblem {
  /** File name inside the model's folder. */
  readonly file: string;
  readonly problem: 'missing' | 'size' | 'checksum';
}

export interface VerifyOptions {
  /** Read every byte, also of files that are as they were when last checked. Default: only what changed since. */
  readonly everything?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares a folder with the files it should hold, by presence, size and checksum. A file that looks as it did when
 * its checksum was last found right is not read again (`checked.ts`); reading takes about 1 s per 500 MB.
 *
 * @throws EngineError `model_unavailable` where a file may not be read
 */
export async function findProblems(
  dir: string,
  files: readonly ModelFile[],
  { everything = false, signal }: VerifyOptions = {},
): Promise<readonly ModelProblem[]> {
  const checked = everything ? new Map<string, string>() : await readChecked(dir);
  const problems: ModelProblem[] = [];
  const looks = new Map<string, string>();
  for (const file of files) {
    signal?.throwIfAborted();
    const path = join(dir, file.name);
    try {
      // Before it is read: what is changed meanwhile looks otherwise afterwards.
      const { look, sizeBytes } = await lookOf(path, file);
      looks.set(file.name, look);
      if (sizeBytes !== file.sizeBytes) problems.push({ file: file.name, problem: 'size' });
      else if (checked.get(file.name) !== look && !(await isRight(path, file, signal))) {
        problems.push({ file: file.name, problem: 'checksum' });
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isMissing(error)) throw unreadableStore(path, error);
      problems.push({ file: file.name, problem: 'missing' });
    }
  }
  const isNews = files.some(({ name }) => checked.get(name) !== looks.get(name));
  if (problems.length === 0 && isNews) await writeChecked(dir, looks);
  return problems;
}

async function isRight(path: string, file: ModelFile, signal: AbortSignal | undefined): Promise<boolean> {
  const given = signal === undefined ? {} : { signal };
  return (await hashFile(path, { algorithm: 'sha256', ...given })) === file.sha256;
}
