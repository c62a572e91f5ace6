/** The context of a real process: its streams, its signals, and the factories that load what they make on first use. */
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import { type Clock, isDiskFull, systemClock, timerMs } from '@kikitori/core';
import type { Context, Environment, Input, Output } from './context.js';
import { CliError } from './errors.js';
import { processFactories } from './process-factories.js';
import { type Reader, readerOf, readerOfStdout } from './terminal/reader.js';
import { screened } from './terminal/screened.js';

/** npm, supervisors and the terminal may each pass on one and the same signal: that is nobody's impatience. */
const SAME_SIGNAL_MS = 500;

/** A context, and what takes its signal handlers away again. */
export interface ProcessContext {
  readonly context: Context;
  readonly dispose: () => void;
}

/**
 * Ties a context to `process`. The first SIGINT or SIGTERM aborts `signal`, so that the command ends in order; another
 * one, half a second or more later, ends the process at once with 130. A stdout that nobody reads or that cannot be written
 * aborts it as well.
 */
export function createProcessContext(): ProcessContext {
  const aborter = new AbortController();
  const stdout = new StreamOutput(process.stdout, readerOfStdout(), (error) => {
    if (!aborter.signal.aborted) aborter.abort(outputError(error));
  });
  const stderr = new StreamOutput(process.stderr, readerOf(2), () => {
    // Nobody reads the remarks; the work goes on.
  });
  const input = new StandardInput();
  let firstAtMs = Number.NEGATIVE_INFINITY;
  const onSignal = (): void => {
    if (performance.now() - firstAtMs < SAME_SIGNAL_MS) return;
    if (aborter.signal.aborted) {
      // A live display may have hidden the cursor and cannot tidy up any more.
      if (stderr.isTerminal) process.stderr.write('\x1b[?25h\n');
      process.exit(130);
    }
    firstAtMs = performance.now();
    aborter.abort(new CliError('interrupted', 'Interrupted.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    context: {
      stdin: input,
      stdout,
      stderr,
      env: process.env,
      clock: lenientClock,
      signal: aborter.signal,
      factories: processFactories(process.env, stderr),
    },
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      input.close();
    },
  };
}

/** What is to come later keeps no command alive that has nothing else to do. */
const lenientClock: Clock = {
  ...systemClock,
  after(delayMs, run) {
    const timer = setTimeout(run, timerMs(delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

function outputError(cause: NodeJS.ErrnoException): CliError {
  const { code = '' } = cause;
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') {
    return new CliError('output_closed', 'Nobody reads the output.', { cause });
  }
  const why = isDiskFull(cause)
    ? 'there is no room left where it goes; make some, or choose another place'
    : `${code}; check where it goes`;
  return new CliError('output_failed', `The output could not be written: ${why}.`, { cause });
}

class StreamOutput implements Output {
  readonly isTerminal: boolean;
  readonly reader: Reader;
  readonly #stream: WriteStream;
  readonly #onFailure: (error: NodeJS.ErrnoException) => void;
  #writing = 0;
  #isBroken = false;
  readonly #waiting = new Set<() => void>();

  constructor(stream: WriteStream, reader: Reader, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    this.reader = reader;
    this.#onFailure = onFailure;
    this.isTerminal = stream.isTTY === true && process.env['TERM'] !== 'dumb' && !isCi(process.env);
    // Told as well where nothing is being written.
    stream.on('error', (error) => this.#fail(error));
    stream.on('drain', () => this.#wake());
  }

  write(text: string): void {
    if (this.#isBroken) return;
    this.#writing += 1;
    this.#stream.write(screened(text), (error) => {
      this.#writing -= 1;
      if (error) this.#fail(error);
      this.#wake();
    });
  }

  async drained(): Promise<void> {
    while (!this.#isBroken && this.#stream.writableNeedDrain) await this.#next();
  }

  async written(): Promise<void> {
    while (!this.#isBroken && this.#writing > 0) await this.#next();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (!this.#isBroken) this.#onFailure(error);
    this.#isBroken = true;
    this.#wake();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  columns(): number {
    return this.#stream.columns ?? 80;
  }
}

/** Continuous integration records what is written: rows drawn over would be noise there. */
function isCi(env: Environment): boolean {
  return !['', '0', 'false'].includes((env.CI ?? '').toLowerCase());
}

/** `process.stdin` is opened by looking at it, and then keeps the process alive: hence not before it is read. */
class StandardInput implements Input {
  #stream: ReadStream | undefined;

  get isTerminal(): boolean {
    return isatty(0);
  }

  close(): void {
    this.#stream?.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#stream = process.stdin;
    for await (const chunk of this.#stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}
