import type { Logger } from '@kikitori/core';
import pino from 'pino';
import type { Environment, LogLevel, Output } from './context.js';
import { oneLine } from './terminal/screened.js';
import { styleFor } from './terminal/style.js';

type Fields = Readonly<Record<string, unknown>>;

/** Where a log goes, and how. */
export interface LogTarget {
  readonly output: Output;
  readonly env: Environment;
}

/**
 * A structured log: one JSON object a line (`level`, `time` in ISO 8601, `msg`, fields) — or, where a person looks at
 * it, the same as a line of plain text.
 */
export function createLogger(level: LogLevel, target: LogTarget): Logger {
  const { output } = target;
  const write = output.isTerminal
    ? (line: string) => output.write(plainLine(line, target))
    : (line: string) => output.write(line);
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}

/** `19:24:07 warn  session refused  reason=busy`. */
function plainLine(line: string, { output, env }: LogTarget): string {
  // Written by pino a moment ago.
  const { level, time, msg, ...fields } = JSON.parse(line) as Fields;
  const style = styleFor(output, env);
  const paint = level === 'error' ? style.red : level === 'warn' ? style.yellow : style.dim;
  const details = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const said = oneLine(`${String(msg)}${details === '' ? '' : `  ${style.dim(details)}`}`);
  const at = new Date(String(time)).toLocaleTimeString('en-GB');
  return `${style.dim(at)} ${paint(String(level).padEnd(5))} ${said}\n`;
}
