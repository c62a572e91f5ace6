import type { LogFields, Logger } from '@kikitori/core';

/** How much is said, from all to nothing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One JSON object a line (`level`, `time` in ISO 8601, `msg`, fields), as the other commands write it. */
export function createLineLogger(level: LogLevel, write: (line: string) => void): Logger {
  const from = LOG_LEVELS.indexOf(level);
  const say =
    (own: LogLevel) =>
    (msg: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(own) < from) return;
      write(`${JSON.stringify({ level: own, time: new Date().toISOString(), msg, ...fields })}\n`);
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
