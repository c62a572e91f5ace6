import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuilderName } from '../../src/image/builder.js';

/** One run of a builder. */
export interface BuilderRun {
  readonly name: string;
  readonly words: readonly string[];
  readonly input: string;
  /** Names in the context of a build. */
  readonly context: readonly string[];
}

/** How a stand-in behaves; what is not said works. */
export interface BuilderHabits {
  /** Words that a command begins with, and how it ends: lines on stderr, then the exit code. */
  readonly fails?: Readonly<Record<string, { readonly says: string; readonly exitCode: number }>>;
  /** Words that a command begins with, and that it never ends from by itself. */
  readonly hangs?: string;
}

// Runs as `docker`, `finch` and so on: writes down what it was told, then does what the real one would have done to the registry.
const script = (
  node: string,
  dir: string,
  name: string,
  habits: BuilderHabits,
  host: string,
): string => `#!${node}
const { appendFileSync, readFileSync, readdirSync, existsSync } = require('node:fs');
const words = process.argv.slice(2);
const line = words.join(' ');
const habits = ${JSON.stringify(habits)};
const input = line.startsWith('login') ? readFileSync(0, 'utf8') : '';
const last = words.at(-1) ?? '';
const isBuild = words.includes('--file');
const context = isBuild && existsSync(last) ? readdirSync(last, { recursive: true }).map(String).sort() : [];
appendFileSync(${JSON.stringify(join(dir, 'runs'))}, JSON.stringify({ name: ${JSON.stringify(name)}, words, input, context }) + '\\n');
async function push(target) {
  const [, repository, tag] = /^[^/]+\\/(.+):([^:]+)$/.exec(target);
  const authorization = 'Basic ' + Buffer.from('AWS:password-of-twelve-hours').toString('base64');
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: { digest: 'sha256:0' }, layers: [] });
  const response = await fetch('http://${host}/v2/' + repository + '/manifests/' + tag, {
    method: 'PUT', body, headers: { authorization, 'content-type': mediaType } });
  if (!response.ok) { console.error(await response.text()); process.exit(1); }
}
async function main() {
  for (const [begin, { says, exitCode }] of Object.entries(habits.fails ?? {})) {
    if (line.startsWith(begin)) { console.error(says); process.exit(exitCode); }
  }
  if (habits.hangs !== undefined && line.startsWith(habits.hangs)) {
    console.log('hanging');
    setInterval(() => {}, 1000);
    return;
  }
  if (isBuild) console.log('\\u001b[32mStep 1/9\\u001b[0m : FROM node');
  const output = words[words.indexOf('--output') + 1] ?? '';
  if (isBuild && output.includes('push=true')) await push(/name=([^,]+)/.exec(output)[1]);
  if (words[0] === 'push') { console.log('layer 1/2\\rlayer 2/2'); await push(last); }
}
main();
`;

/** A folder for `PATH` with stand-ins of builders, and what they were told. */
export class StandInBuilders {
  readonly #dir: string;
  readonly #host: string;

  /** `dir` is made. `host` is where a push goes, whatever the name says. */
  constructor(dir: string, host: string) {
    this.#dir = dir;
    this.#host = host;
  }

  get path(): string {
    return join(this.#dir, 'bin');
  }

  async install(name: BuilderName, habits: BuilderHabits = {}): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const file = join(this.path, name);
    await writeFile(file, script(process.execPath, this.#dir, name, habits, this.#host));
    await chmod(file, 0o755);
  }

  async runs(): Promise<readonly BuilderRun[]> {
    const text = await readFile(join(this.#dir, 'runs'), 'utf8').catch(() => '');
    // Written by the stand-ins above.
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as BuilderRun);
  }
}
