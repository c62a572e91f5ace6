import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { IMAGE_LIMITS } from './limits.js';

export interface ProgramOptions {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Given on standard input, which no other process can see. */
  readonly input?: string;
  readonly timeoutMs: number;
  /** Told every line of both outputs, without colours. Must not throw. */
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Undefined when it could not be started, or was killed. */
  readonly exitCode: number | undefined;
  readonly isMissing: boolean;
  /** The last lines of both outputs. */
  readonly tail: readonly string[];
}

/**
 * Runs a program to its end. Its lines are bounded in number and length; when the time is over, or the signal is aborted, it
 * gets SIGTERM, and SIGKILL after five seconds.
 *
 * @throws the signal's reason, after the program has ended
 */
export async function runProgram(command: string, options: ProgramOptions): Promise<ProgramEnd> {
  const { words, env, input, timeoutMs, onLine, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let isMissing = false;
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    killing ??= setTimeout(() => child.kill('SIGKILL'), IMAGE_LIMITS.killAfterMs);
  };
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener('abort', stop);
  child.on('error', () => {
    isMissing = child.pid === undefined;
  });
  // A program that ends before it has read everything is told by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const tail: string[] = [];
  const closed = once(child, 'close').catch(() => undefined);
  const take = (line: string): void => {
    const clean = stripVTControlCharacters(line).trimEnd().slice(0, IMAGE_LIMITS.lineCharactersMax);
    if (clean === '') return;
    tail.push(clean);
    if (tail.length > IMAGE_LIMITS.tailLinesMax) tail.shift();
    onLine?.(clean);
  };
  try {
    await Promise.all([eachLine(child.stdout, take), eachLine(child.stderr, take), closed]);
  } finally {
    clearTimeout(timer);
    clearTimeout(killing);
    signal?.removeEventListener('abort', stop);
  }
  signal?.throwIfAborted();
  return { exitCode: child.exitCode ?? undefined, isMissing, tail };
}

async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  // Progress that is drawn over in place ends its lines with a carriage return.
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    for (const piece of line.split('\r')) take(piece);
  }
}
