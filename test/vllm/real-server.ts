/**
 * The real vLLM on this machine's CPU, in a process group of its own, one at a time: it takes 4.5 GB and a core or two.
 *
 *     const why = whyNoVllm('0.32.0');                    // undefined: it is there
 *     const vllm = await RealVllm.start('0.32.0', { flags: ['--max-model-len', '128'] });
 *     … vllm.url …
 *     await vllm.stop();
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { vllmHome, vllmPython } from './homes.js';

const run = promisify(execFile);

/** What it is served as. */
export const REAL_MODEL = 'voxtral-toy';
/** A guard for the machine, should nobody be left to end it: the whole life of one server, its wait for another one included. */
const LIFE_S_MAX = 1_500;
/** From SIGTERM to SIGKILL. */
const STOP_MS_MAX = 30_000;
const LOOK_MS = 50;
/** Held by the server itself, whoever started it. */
export const VLLM_LOCK = join(tmpdir(), 'kikitori-vllm.lock');
const LINES_MAX = 30;

/** How a server is started. */
export interface RealVllmOptions {
  /** vLLM's own, such as `--api-key`. Default: `--max-model-len 2048`. */
  readonly flags?: readonly string[];
  /** The model's delay, a multiple of 80. Default: 480. */
  readonly delayMs?: number;
  /** Default: a free one. */
  readonly port?: number;
}

/** Why that version cannot be run here; undefined where it can. */
export function whyNoVllm(version: string): string | undefined {
  const isWhole = existsSync(vllmPython(version)) && !existsSync(join(vllmHome(version), 'unfinished.txt'));
  return isWhole ? undefined : `vLLM ${version} is not here (npm run test:vllm brings it)`;
}

/** The words that run it, for whoever starts it himself, and what they need of the environment. */
export function vllmCommand(
  version: string,
  port: number,
  { flags = ['--max-model-len', '2048'], model = join(vllmHome(version), 'model') } = {},
): { readonly words: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  // Not `vllm serve`: it looks for a package `vllm`, which this build is not.
  const words = [vllmPython(version), '-m', 'vllm.entrypoints.openai.api_server'];
  words.push(
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--model',
    model,
    '--served-model-name',
    REAL_MODEL,
  );
  words.push('--load-format', 'dummy', '--config-format', 'mistral', '--tokenizer-mode', 'mistral');
  // Without byte code three processes take half a minute each to load.
  const { PYTHONDONTWRITEBYTECODE: _, ...env } = process.env;
  const quiet = { HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1', VLLM_CPU_KVCACHE_SPACE: '1' };
  return { words: [...words, '--enforce-eager', ...flags], env: { ...env, ...quiet } };
}

export class RealVllm {
  readonly version: string;
  readonly port: number;
  /** `ws://127.0.0.1:PORT/v1/realtime` */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly httpUrl: string;
  /** Its exit code, once every process of it is gone; null: a signal. */
  readonly ended: Promise<number | null>;
  readonly #leader: ChildProcess;
  readonly #group: number;
  readonly #lines: string[];

  private constructor(version: string, port: number, leader: ChildProcess, group: number, lines: string[]) {
    this.version = version;
    this.port = port;
    this.url = `ws://127.0.0.1:${port}/v1/realtime`;
    this.httpUrl = `http://127.0.0.1:${port}`;
    this.#leader = leader;
    this.#group = group;
    this.#lines = lines;
    this.ended = this.#end();
  }

  /** Resolves when `/health` says that it is ready: 40 s on an idle machine, minutes on a busy one. */
  static async start(version: string, options: RealVllmOptions = {}): Promise<RealVllm> {
    const { flags, delayMs, port = await freePort() } = options;
    const home = delayMs === undefined ? undefined : await makeModel(delayMs);
    const { words, env } = vllmCommand(version, port, {
      ...(flags === undefined ? {} : { flags: [...flags] }),
      ...(home === undefined ? {} : { model: home }),
    });
    // It ends with this process, also where nobody gets to end it.
    const guard = [
      '--pdeathsig',
      'TERM',
      'timeout',
      '--kill-after=20',
      String(LIFE_S_MAX),
      'flock',
      VLLM_LOCK,
    ];
    // A group of its own, with the guard as its leader.
    const leader = spawn('setpriv', [...guard, ...words], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(leader, 'spawn');
    const lines: string[] = [];
    const server = new RealVllm(version, port, leader, leader.pid ?? 0, lines);
    if (home !== undefined) void server.ended.then(() => rm(home, { recursive: true, force: true }));
    await server.#ready();
    return server;
  }

  /** What it wrote last, for a test that has failed. */
  get log(): string {
    return this.#lines.join('\n');
  }

  /** SIGTERM to all of it, SIGKILL where that does not help; nothing is left then. Resolves with its exit code; again: the same. */
  async stop(): Promise<number | null> {
    this.#signal('SIGTERM');
    const late = setTimeout(() => this.#signal('SIGKILL'), STOP_MS_MAX);
    try {
      return await this.ended;
    } finally {
      clearTimeout(late);
    }
  }

  /** SIGKILL to the engine alone, as when it runs out of memory. */
  killEngine(): void {
    const engines = processesOf(this.#group).filter(({ title }) => title.includes('EngineCore'));
    if (engines.length === 0) throw new Error('No EngineCore is there.');
    for (const { pid } of engines) process.kill(pid, 'SIGKILL');
  }

  /** SIGKILL to the API server alone: the engine and its worker live on, until `stop`. */
  killApiServer(): void {
    const [first] = processesOf(this.#group).filter(({ title }) =>
      title.startsWith(vllmPython(this.version)),
    );
    if (first === undefined) throw new Error('No API server is there.');
    process.kill(first.pid, 'SIGKILL');
  }

  /** Titles of its processes that live, such as `VLLM::EngineCore`. */
  get processes(): readonly string[] {
    return processesOf(this.#group).map(({ title }) => title);
  }

  async #ready(): Promise<void> {
    const { stdout, stderr } = this.#leader;
    const started = new Promise<void>((resolve) => {
      for (const stream of [stdout, stderr]) {
        // Both are pipes. Read for ever: who is not listened to stops working at some time.
        if (stream === null) continue;
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          if (this.#lines.length > LINES_MAX) this.#lines.shift();
          if (line.includes('Application startup complete')) resolve();
        });
      }
    });
    const failed = this.ended.then((code) => {
      throw new Error(`vLLM ${this.version} ended with ${code} before it was ready:\n${this.log}`);
    });
    await Promise.race([started, failed]);
    failed.catch(() => undefined);
    // It says so a moment before it listens.
    const status = await Promise.race([this.#health(), failed]);
    if (status === 200) return;
    await this.stop();
    throw new Error(`vLLM ${this.version} is not well: ${status}\n${this.log}`);
  }

  /** The first answer of `/health`. */
  async #health(): Promise<number> {
    for (;;) {
      const answer = await fetch(`${this.httpUrl}/health`).catch(() => undefined);
      if (answer !== undefined) return answer.status;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #end(): Promise<number | null> {
    await once(this.#leader, 'exit');
    // Workers outlive it by a moment; what outlives it for longer has lost its parent.
    const lateAtMs = performance.now() + STOP_MS_MAX;
    while (processesOf(this.#group).length > 0) {
      if (performance.now() > lateAtMs) this.#signal('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return this.#leader.exitCode;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#group, signal);
    } catch {
      // There is nobody left.
    }
  }
}

/** Live processes of a group, by `/proc`; those that only wait to be asked for their exit code are none. */
export function processesOf(group: number): { readonly pid: number; readonly title: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // Behind the name, which may hold anything: state, parent, group.
      const [state, , pgid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(pgid) !== group || state === 'Z') return [];
      const title = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), title }];
    } catch {
      return [];
    }
  });
}

async function makeModel(delayMs: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kikitori-model-'));
  await run(process.execPath, [
    join(import.meta.dirname, 'make-model.js'),
    folder,
    '--delay-ms',
    String(delayMs),
  ]);
  return folder;
}

/** vLLM wants to be told one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Of a server that listens on TCP.
  const { port } = server.address() as import('node:net').AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
