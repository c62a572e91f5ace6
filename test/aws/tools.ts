/** The software of others that knows AWS: what `install.js` has brought. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HOME = join(import.meta.dirname, '..', '..', '.cache', 'aws-tools');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

const wanted = await readFile(join(import.meta.dirname, 'tools', 'requirements.txt'), 'utf8');
const installed = await readFile(join(HOME, 'installed.txt'), 'utf8').catch(() => undefined);

/** Why nothing of it can be asked; undefined where it can. */
export const whyNoTools =
  installed === wanted
    ? undefined
    : 'cfn-lint, moto and parliament are not here (npm run test:aws brings them)';

/** A program of the tools, such as `cfn-lint`. */
export function tool(name: string): string {
  return join(HOME, 'bin', name);
}

/** What a Python program among these tests prints, asked with `input` as JSON. Rejects with its words where it fails. */
export async function askPython<Answer>(program: string, input: unknown): Promise<Answer> {
  const asked = run(tool('python'), [join(import.meta.dirname, program)], { maxBuffer: OUTPUT_BYTES_MAX });
  asked.child.stdin?.end(JSON.stringify(input));
  const { stdout } = await asked;
  // Both ends are ours.
  return JSON.parse(stdout) as Answer;
}
