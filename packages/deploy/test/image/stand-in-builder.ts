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

/** Between runs, the things that are told of one, and words. */
const [RUN, THING, WORD] = ['\x1e', '\x1d', '\x1f'];

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

// Runs as `docker`, `finch` and so on: writes down what it was told, then does what the real one would have done to the registry. A
// shell's script, since a test asks builders for this and that some six times; Node is started for a push alone.
const script = (dir: string, name: string, { fails = {}, hangs }: BuilderHabits): string => `#!/bin/sh
PATH=/usr/bin:/bin
line="$*"
for last in "$@"; do :; done
case "$line" in login*) input=$(cat; printf x); esac
case " $line " in *' --file '*) isBuild=yes; context=$(cd "$last" && find . -mindepth 1); esac
printf '%s\\035%s\\035%s\\035%s\\036' ${name} "$(printf '%s\\037' "$@")" "\${input%x}" "$context" >> ${quoted(join(dir, 'runs'))}
case "$line" in
${Object.entries(fails)
  .map(([begin, { says, exitCode }]) => `${quoted(begin)}*) echo ${quoted(says)} >&2; exit ${exitCode};;`)
  .join('\n')}
${hangs === undefined ? '' : `${quoted(hangs)}*) echo hanging; exec sleep 600;;`}
esac
push() { exec ${quoted(process.execPath)} ${quoted(join(dir, 'push.cjs'))} "$1"; }
if [ "$isBuild" ]; then
  printf '\\033[32mStep 1/9\\033[0m : FROM node\\n'
  for word in "$@"; do
    target=\${word#*name=}
    case "$word" in *push=true*) push "\${target%%,*}"; esac
  done
fi
if [ "$1" = push ]; then printf 'layer 1/2\\rlayer 2/2\\n'; push "$last"; fi
`;

// Not with `fetch`: to load it takes longer than the rest.
const pushScript = (host: string): string => `
const [, repository, tag] = /^[^/]+\\/(.+):([^:]+)$/.exec(process.argv[2]);
const authorization = 'Basic ' + Buffer.from('AWS:password-of-twelve-hours').toString('base64');
const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
const body = JSON.stringify({ schemaVersion: 2, mediaType, config: { digest: 'sha256:0' }, layers: [] });
require('node:http').request('http://${host}/v2/' + repository + '/manifests/' + tag, {
  method: 'PUT', agent: false, headers: { authorization, 'content-type': mediaType, 'content-length': body.length },
}, (response) => {
  if (response.statusCode !== 201) process.exitCode = 1;
  response.pipe(process.stderr);
}).end(body);
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
    await writeFile(join(this.#dir, 'push.cjs'), pushScript(this.#host));
    await writeFile(file, script(this.#dir, name, habits));
    await chmod(file, 0o755);
  }

  async runs(): Promise<readonly BuilderRun[]> {
    const text = await readFile(join(this.#dir, 'runs'), 'utf8').catch(() => '');
    return text
      .split(RUN)
      .slice(0, -1)
      .map((run) => {
        const [name = '', words = '', input = '', context = ''] = run.split(THING);
        const paths = context.split('\n').filter((path) => path !== '');
        return {
          name,
          words: words.split(WORD).slice(0, -1),
          input,
          context: paths.map((path) => path.replace('./', '')).sort(),
        };
      });
  }
}
