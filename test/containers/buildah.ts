/**
 * Builds and runs images without a container engine: buildah with a storage of its own, containers as changed roots in a
 * process namespace of their own. Ending the namespace's first process ends everything in it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** What an image says about itself, of the Docker format. */
export interface ImageConfig {
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Without the leading `CMD`. */
  readonly healthCheck: readonly string[];
}

/** How an image is built. */
export interface BuildOptions {
  readonly tag: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Host path → path in the build. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Name → file. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** How a container is run. */
export interface RunOptions {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Host path → path in the container; both read-only. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** What runs in that container already, beside which this one runs: what is mounted for it is there for both. */
  readonly beside?: ContainerRun | undefined;
}

/** Why containers cannot be built and run here; undefined where they can. */
export async function whyNoContainers(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux runs Linux containers without an engine';
  try {
    await run('buildah', ['--version']);
  } catch {
    return 'there is no buildah (apt-get install buildah)';
  }
  try {
    const [program, ...namespaces] = NEW_NAMESPACES;
    await run(program, [...namespaces, 'true']);
    return undefined;
  } catch {
    return 'this user may not make namespaces';
  }
}

const NEW_NAMESPACES = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

/** A storage and what is in it. */
export class Buildah {
  readonly #dir: string;
  /** `overlay` lays images on top of each other, `vfs` copies all of one for the next. */
  #driver: 'overlay' | 'vfs' = 'overlay';

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** `dir` holds everything: images, containers, and in `tmp`, which must exist, scratch space. */
  static async open(dir: string): Promise<Buildah> {
    const buildah = new Buildah(dir);
    await buildah.#run(['info']).catch(() => {
      // Not every file system can be laid on another one.
      buildah.#driver = 'vfs';
    });
    return buildah;
  }

  async build({
    tag,
    dockerfile,
    context,
    args = {},
    volumes = {},
    secrets = {},
  }: BuildOptions): Promise<void> {
    await this.#run([
      ...['build', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '--tag', tag],
      ...['--file', dockerfile],
      ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      ...Object.entries(volumes).flatMap(([from, to]) => ['--volume', `${from}:${to}`]),
      ...Object.entries(secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
      context,
    ]);
  }

  async configOf(image: string): Promise<ImageConfig> {
    // Written by buildah itself; the members below are those of the Docker format.
    const { Docker } = JSON.parse(await this.#run(['inspect', '--type', 'image', image])) as {
      Docker: {
        config: {
          Labels: Record<string, string>;
          Entrypoint: string[];
          Cmd: string[];
          Healthcheck: { Test: string[] };
        };
      };
    };
    const { Labels, Entrypoint, Cmd, Healthcheck } = Docker.config;
    return { labels: Labels, entrypoint: Entrypoint, command: Cmd, healthCheck: Healthcheck.Test.slice(1) };
  }

  /** Makes a container of an image. @returns Its name. */
  async create(image: string): Promise<string> {
    return (await this.#run(['from', '--pull-never', image])).trim();
  }

  /** Starts a process in a container. What it needs of the network it shares with this machine. */
  start(container: string, { words, env = {}, volumes = {}, beside }: RunOptions): ContainerRun {
    const [program = '', ...namespaces] = beside?.enter() ?? NEW_NAMESPACES;
    const child = spawn(
      program,
      [
        ...[...namespaces, 'buildah', ...this.#storage()],
        ...['run', '--isolation', 'chroot'],
        ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
        ...Object.entries(volumes).flatMap(([from, to]) => ['--volume', `${from}:${to}:ro`]),
        ...[container, '--', ...words],
      ],
      { env: this.#env(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    return new ContainerRun(child);
  }

  async #run(words: readonly string[]): Promise<string> {
    const options = { env: this.#env(), maxBuffer: OUTPUT_BYTES_MAX };
    // What it mounts over its storage would stay for good; in a namespace of its own it ends with it.
    const { stdout } = await run('unshare', ['--mount', 'buildah', ...this.#storage(), ...words], options);
    return stdout;
  }

  #storage(): string[] {
    const at = (folder: string): string => join(this.#dir, this.#driver, folder);
    return ['--root', at('root'), '--runroot', at('run'), '--storage-driver', this.#driver];
  }

  #env(): NodeJS.ProcessEnv {
    return { ...process.env, TMPDIR: join(this.#dir, 'tmp') };
  }
}

/** A process in a container, and what it wrote so far, stdout and stderr together. */
export class ContainerRun {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #isClosed = false;
  #wake = (): void => undefined;
  output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close').then(() => {
      this.#isClosed = true;
      this.#wake();
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
  }

  /** Resolves with what matched once it was written; rejects when the process ends before. One caller at a time. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      if (this.#isClosed) throw new Error(`it ended before it wrote ${pattern}: ${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What runs a command in the namespaces of this one; `unshare` is in the new one of mounts, and makes processes in that of processes. */
  enter(): readonly string[] {
    const at = `/proc/${this.#child.pid}/ns`;
    return ['nsenter', `--mount=${at}/mnt`, `--pid=${at}/pid_for_children`];
  }

  /** To the container's own process, as an engine does it. buildah itself would kill the process instead. */
  async signal(name: NodeJS.Signals): Promise<void> {
    const pid = await leafBelow(this.#child.pid);
    if (pid === undefined) throw new Error('the container has no process any more');
    process.kill(pid, name);
  }

  /** The exit code once everything is gone. */
  async end(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  /** Ends it, and everything it started, now. */
  async destroy(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** The first process below `pid` that is neither `unshare` nor of buildah. */
async function leafBelow(pid: number | undefined): Promise<number | undefined> {
  let at = pid;
  while (at !== undefined) {
    const program = await readlink(`/proc/${at}/exe`).catch(() => '');
    const isOurs = !/^\/memfd:/.test(program) && !['unshare', 'buildah'].includes(basename(program));
    if (isOurs) return at;
    at = (await childrenOf(at))[0];
  }
  return undefined;
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(async (pid) => [pid, await parentOf(pid)] as const));
  return parents.filter(([, found]) => found === parent).map(([pid]) => pid);
}

/** proc(5): the fourth field of `stat`; the second, in parentheses, may hold anything. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const found = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1];
  return found === undefined ? undefined : Number(found);
}
