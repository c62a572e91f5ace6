import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, type ModelFile } from './manifest.js';
import { hashFile } from './write-file.js';

/** What is wrong with a file of a model in the store. */
export interface ModelProblem {
  /** File name inside the model's folder. */
  readonly file: string;
  readonly problem: 'missing' | 'size' | 'checksum';
}

/** Compares a folder with the files it should hold: sizes, and checksums when asked (about 1 s per 500 MB). */
export async function findProblems(
  dir: string,
  files: readonly ModelFile[],
  { checksums, signal }: { readonly checksums: boolean; readonly signal?: AbortSignal | undefined },
): Promise<readonly ModelProblem[]> {
  const problems: ModelProblem[] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    const problem = await findProblem(join(dir, file.name), file, checksums, signal);
    if (problem !== undefined) problems.push({ file: file.name, problem });
  }
  return problems;
}

async function findProblem(
  path: string,
  file: ModelFile,
  checksums: boolean,
  signal: AbortSignal | undefined,
): Promise<ModelProblem['problem'] | undefined> {
  try {
    if ((await stat(path)).size !== file.sizeBytes) return 'size';
    if (!checksums) return undefined;
    const given = signal === undefined ? {} : { signal };
    return (await hashFile(path, { algorithm: 'sha256', ...given })) === file.sha256 ? undefined : 'checksum';
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}
