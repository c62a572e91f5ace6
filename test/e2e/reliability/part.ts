/** The parts of the path as processes of their own, which can be killed as hard as a machine dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');

/** A `kikitori` command that serves, started again with the same words as often as it is ended. */
export class Part {
  readonly #words: readonly string[];
  readonly #isUp: RegExp;
  readonly #wrapper: readonly string[];
  #child: ChildProcess | undefined;
  #told = '';

  private constructor(words: readonly string[], isUp: RegExp, wrapper: readonly string[]) {
    this.#words = words;
    this.#isUp = isUp;
    this.#wrapper = wrapper;
  }

  /** Starts it and waits until what it tells matches `isUp`. `wrapper`: what runs it, as `ip netns exec …` does. */
  static async start(
    words: readonly string[],
    isUp: RegExp,
    { wrapper = [] }: { readonly wrapper?: readonly string[] } = {},
  ): Promise<Part> {
    const part = new Part(words, isUp, wrapper);
    await part.start();
    return part;
  }

  /** Starts it (again) and waits until it is up. */
  async start(): Promise<void> {
    const [file = process.execPath, ...args] = [...this.#wrapper, process.execPath, command, ...this.#words];
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#told = '';
    const onText = (text: string): void => {
      this.#told += text;
    };
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    while (!this.#isUp.test(this.#told)) {
      if (child.exitCode !== null) throw new Error(`${this.#words[0]} ended: ${this.#told}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it and waits until it is gone. `SIGKILL`: as a machine that loses its power. Idempotent. */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }

  /** Killed without a warning, and started again. */
  async crash(): Promise<void> {
    await this.end('SIGKILL');
    await this.start();
  }
}

/** A port that nobody listens on, as parts must come back under the address they had. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server that listens has an address object.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
