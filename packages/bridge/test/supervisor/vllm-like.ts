import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../peers.js';

const SCRIPT = fileURLToPath(new URL('vllm-like-process.js', import.meta.url));

/** A place for model servers that behave like vLLM, and what they wrote down there. */
export class VllmLike {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kikitori-vllm-like-'));

  private constructor(port: number) {
    this.port = port;
  }

  /** Its port is free. */
  static async make(): Promise<VllmLike> {
    return new VllmLike(await freePort());
  }

  /** The command, without its port. */
  get command(): readonly [string, ...string[]] {
    return [process.execPath, SCRIPT, this.#folder];
  }

  get upstream(): string {
    return `ws://127.0.0.1:${this.port}/v1/realtime`;
  }

  /** Lets those that load be there, and those that come. */
  load(): void {
    writeFileSync(join(this.#folder, 'loaded'), '');
  }

  /** Asks the one that runs: `/health`, `/engine-dies`, … Its status; undefined where nobody answered. */
  async ask(path: string): Promise<number | undefined> {
    return await fetch(`http://127.0.0.1:${this.port}${path}`).then(
      ({ status }) => status,
      () => undefined,
    );
  }

  /** What each that was started wrote behind this word. */
  noted(word: string): readonly string[] {
    const path = join(this.#folder, 'book');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    return lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  }

  /** Process ids of all that were started, workers too. */
  get pids(): readonly number[] {
    return this.noted('pid').map(Number);
  }

  /** For the end of a test: whatever a supervisor did not end. */
  kill(): void {
    for (const pid of this.pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
  }

  /** Settles once none of them runs. */
  async gone(): Promise<void> {
    await until(() => !this.pids.some(isRunning));
  }
}

/** Whether it runs; one that has ended and was not collected does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}
