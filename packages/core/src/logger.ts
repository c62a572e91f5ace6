/** What may be logged beside a message: never audio, text, keys, signatures or full URLs. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where a part tells what happens. Messages are static; what varies is in the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};

/** Says nothing: the default, because a library never prints. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
