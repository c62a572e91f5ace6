/** A context whose streams are strings, whose clock is turned by hand, and whose factories are the test's. */

import { type Clock, systemClock } from '@kikitori/core';
import type { Context, Factories, Input, Output } from '../src/context.js';
import { CliError } from '../src/errors.js';
import { screened } from '../src/terminal/screened.js';

export class MemoryOutput implements Output {
  readonly isTerminal: boolean;
  reader: Output['reader'];
  text = '';
  width = 80;

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
    this.reader = isTerminal ? 'terminal' : 'file';
  }

  write(text: string): void {
    this.text += screened(text);
  }

  async drained(): Promise<void> {
    // Memory is never full.
  }

  async written(): Promise<void> {
    this.whenWritten();
  }

  /** Called by whoever wants to know whether it was written: a test lets it fail there. */
  whenWritten: () => void = () => undefined;

  columns(): number {
    return this.width;
  }
}

export class MemoryInput implements Input {
  readonly isTerminal: boolean;
  readonly #chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [], isTerminal = false) {
    this.#chunks = chunks;
    this.isTerminal = isTerminal;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    yield* this.#chunks;
  }
}

export interface MemoryContext extends Context {
  readonly stdout: MemoryOutput;
  readonly stderr: MemoryOutput;
  readonly interrupt: () => void;
  /** What is written to stdout gets nowhere. */
  readonly breakStdout: (code: 'output_closed' | 'output_failed') => void;
}

export interface MemoryContextOptions {
  readonly stdin?: Input;
  readonly stdoutIsTerminal?: boolean;
  /** Default: a terminal or a file. */
  readonly stdoutReader?: Output['reader'];
  readonly stderrIsTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly factories?: Partial<Factories>;
}

/** Factories that were not given fail the test that needs them. */
export function memoryContext(options: MemoryContextOptions = {}): MemoryContext {
  const aborter = new AbortController();
  const missing = (name: string) => async (): Promise<never> => {
    throw new Error(`the test gave no ${name}`);
  };
  const stdout = new MemoryOutput(options.stdoutIsTerminal ?? false);
  stdout.reader = options.stdoutReader ?? stdout.reader;
  return {
    stdin: options.stdin ?? new MemoryInput(),
    stdout,
    stderr: new MemoryOutput(options.stderrIsTerminal ?? false),
    env: options.env ?? {},
    clock: options.clock ?? systemClock,
    signal: aborter.signal,
    interrupt: () => aborter.abort(new CliError('interrupted', 'Interrupted.')),
    breakStdout: (code) => {
      stdout.whenWritten = () => aborter.abort(new CliError(code, 'Nothing can be written.'));
    },
    factories: {
      createEngine: missing('createEngine'),
      createVoiceDetector: missing('createVoiceDetector'),
      openModelStore: missing('openModelStore'),
      connect: missing('connect'),
      connectToEndpoint: missing('connectToEndpoint'),
      openMicrophone: missing('openMicrophone'),
      listMicrophones: missing('listMicrophones'),
      createLogger: missing('createLogger'),
      openAws: missing('openAws'),
      ...options.factories,
    },
  };
}
