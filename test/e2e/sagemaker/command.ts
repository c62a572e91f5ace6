/** The `kikitori` command as people run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');

/** A process and what it wrote so far. */
export class Run {
  readonly child: ChildProcess;
  out = '';
  err = '';

  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [command, ...words], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.out);
      if (found !== null) return found[1] ?? found[0];
      if (this.child.exitCode !== null) throw new Error(`it ended before it wrote ${pattern}: ${this.err}`);
      // Turns of the event loop would take the core that the command is to start on.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const runs: Run[] = [];

/** Starts the command with these words. */
export function run(words: readonly string[], env?: Readonly<Record<string, string>>): Run {
  const started = new Run(words, env);
  runs.push(started);
  return started;
}

/** Ends whatever still runs, as a test must at its end. */
export function killRuns(): void {
  for (const { child } of runs.splice(0)) child.kill('SIGKILL');
}
