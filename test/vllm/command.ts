/** Programs of ours as somebody starts them, in front of the real vLLM. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { VLLM_LOCK, vllmCommand } from './real-server.js';

const ROOT = join(import.meta.dirname, '..', '..');
export const KIKITORI = join(ROOT, 'packages', 'cli', 'bin', 'kikitori.js');
export const BRIDGE = join(ROOT, 'packages', 'bridge', 'dist', 'kikitori-bridge.mjs');
export const SAMPLE = join(ROOT, 'samples', 'ferry.flac');
const LOOK_MS = 20;

/** One that runs, and what it has written. */
export class Command {
  stdout = '';
  stderr = '';
  /** Its exit code; null: a signal. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = once(this.#child, 'close').then(() => this.#child.exitCode);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until it has written that; with the first group. Rejects when it ends before. */
  async written(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
    const over = this.ended.then((code) => {
      throw new Error(`It ended with ${code} before it wrote ${pattern}:\n${this.stderr.slice(-3_000)}`);
    });
    over.catch(() => undefined);
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found !== null) return found[1] ?? found[0];
      await Promise.race([new Promise((resolve) => setTimeout(resolve, LOOK_MS)), over]);
    }
  }
}

/** The sample through `kikitori transcribe`, to wherever these words lead. */
export async function transcribe(where: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const command = new Command(KIKITORI, ['transcribe', SAMPLE, '--pace', 'max', ...where], env);
  const exitCode = await command.ended;
  return { exitCode, text: command.stdout.trim(), err: command.stderr };
}

/** What a container says to vLLM: words without a model and flags, and the variables that hold them. */
export function asInContainer(version: string): {
  readonly words: string[];
  readonly env: NodeJS.ProcessEnv;
} {
  const { words, env } = vllmCommand(version, 0);
  const [python = '', ...others] = words;
  const module = others.slice(0, 2);
  const model = others[others.indexOf('--model') + 1] ?? '';
  return {
    // One at a time on this machine: the lock is held as long as any process of it lives.
    words: ['flock', '--no-fork', VLLM_LOCK, python, ...module],
    env: {
      ...env,
      SM_VLLM_MODEL: model,
      SM_VLLM_SERVED_MODEL_NAME: 'voxtral-toy',
      SM_VLLM_LOAD_FORMAT: 'dummy',
      SM_VLLM_CONFIG_FORMAT: 'mistral',
      SM_VLLM_TOKENIZER_MODE: 'mistral',
      SM_VLLM_ENFORCE_EAGER: 'true',
      SM_VLLM_ENABLE_LOG_REQUESTS: 'false',
      SM_VLLM_MAX_MODEL_LEN: '2048',
      SM_VLLM_COMPILATION_CONFIG: '{"cudagraph_mode": "NONE"}',
    },
  };
}
