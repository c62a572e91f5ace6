/** Clients that are programs of their own: those in Python, and LiveKit's agents. `node test/clients/install.js` brings them. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { spoken } from './stage.js';

const run = promisify(execFile);
/** A program that hangs is a failure. */
const CLIENT_MS_MAX = 90_000;

/** One thing that a client was told. */
export interface Told {
  readonly kind: 'interim' | 'final' | 'start' | 'end' | 'error' | 'served';
  readonly text: string;
}

/** Whether these are there; says so where they are not. */
export function areThere(what: string, path: string): boolean {
  const isThere = existsSync(path);
  if (!isThere) {
    process.stderr.write(`clients of ${what} are not tried: node test/clients/install.js brings them\n`);
  }
  return isThere;
}

/** A script of `test/clients/python`. */
export function pythonScript(name: string): string {
  return join(import.meta.dirname, 'python', name);
}

/** Runs a program, and gives what it was told; what it says besides is not looked at, nor how it ends. */
export async function toldBy(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Told[]> {
  const { stdout } = await run(program, words, {
    timeout: CLIENT_MS_MAX,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"kind"'));
  return lines.map((line): Told => JSON.parse(line));
}

/** All that is final, as one text. */
export function finalOf(heard: readonly Told[]): string {
  return heard.flatMap(({ kind, text }) => (kind === 'final' && text !== '' ? [text] : [])).join(' ');
}

/** What kinds of things were told, in alphabetical order. */
export function kindsOf(heard: readonly Told[]): string[] {
  return [...new Set(heard.map(({ kind }) => kind))].toSorted();
}

/** The ferry as 16-bit PCM in files, by their rate. */
export interface SpokenFiles {
  readonly folder: string;
  readonly 16000: string;
  readonly 24000: string;
}

/** Those of the suite that calls this: there when its tests run. */
export function useSpokenFiles(): SpokenFiles {
  const folder = join(tmpdir(), `kikitori-others-${randomUUID()}`);
  const files = { folder, 16000: join(folder, '16000.raw'), 24000: join(folder, '24000.raw') };
  beforeAll(async () => {
    await mkdir(folder);
    for (const rateHz of [16_000, 24_000] as const) {
      await writeFile(files[rateHz], await spoken(rateHz, 'ferry.flac'));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return files;
}
