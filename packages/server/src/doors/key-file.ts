import { unwatchFile, watchFile } from 'node:fs';
import { readBoundedFile } from '../bounded-file.js';
import { ServerError } from '../errors.js';
import { KEY_FILE_LIMITS } from '../limits.js';
import { type Logger, silentLogger } from '../logger.js';
import type { KeySource, KnownKey } from './keys.js';

const LINE = /^(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,63})\s+sha256:(?<hex>[0-9a-f]{64})$/;

/**
 * The keys of a file: a line for each, `name sha256:hex`; empty lines and those that begin with `#` are for people.
 *
 * @throws ServerError `invalid_option` that names the line, or the bound
 */
export function parseKeyFile(text: string): readonly KnownKey[] {
  const { fileBytesMax, keysMax } = KEY_FILE_LIMITS;
  // UTF-16 units are never more than bytes.
  if (text.length > fileBytesMax) throw tooLong();
  const keys: KnownKey[] = [];
  const names = new Set<string>();
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const { name, hex } = LINE.exec(line)?.groups ?? {};
    if (name === undefined || hex === undefined) throw badLine(i, 'is not "name sha256:…"');
    if (names.has(name)) throw badLine(i, 'has a name that stands above already');
    if (keys.length === keysMax) {
      throw new ServerError('invalid_option', `A key file holds at most ${keysMax} keys.`);
    }
    names.add(name);
    keys.push({ name, digest: Buffer.from(hex, 'hex') });
  }
  return keys;
}

/** The line of a key in a key file. */
export function formatKey({ name, digest }: KnownKey): string {
  return `${name} sha256:${digest.toString('hex')}\n`;
}

/** Keys that live in a file. */
export interface KeyFile extends KeySource {
  /** Reads it again now. Resolves when its keys count. */
  reload(): Promise<void>;
  /** Stops watching. Idempotent. */
  close(): void;
}

/**
 * Opens a key file and watches it: a change counts within two seconds, for new sessions; running ones go on. A file that
 * became unreadable or wrong keeps the keys there were, and the log says so.
 *
 * @throws ServerError `invalid_option` when it cannot be read, or a line of it is wrong
 */
export async function openKeyFile(path: string, logger: Logger = silentLogger): Promise<KeyFile> {
  let keys = await read(path);
  const reload = async (): Promise<void> => {
    try {
      keys = await read(path);
      logger.info('The key file was read again.', { keys: keys.length });
    } catch (error) {
      const reason = error instanceof ServerError ? error.message : 'unknown';
      logger.error('The key file is not as it should be; the keys from before still count.', { reason });
    }
  };
  // Asks for the file's time instead of waiting for events: those are lost where a file is replaced or mounted.
  const onChange = (): void => void reload();
  watchFile(path, { interval: KEY_FILE_LIMITS.watchIntervalMs, persistent: false }, onChange);
  return {
    get keys() {
      return keys;
    },
    reload,
    close: () => unwatchFile(path, onChange),
  };
}

async function read(path: string): Promise<readonly KnownKey[]> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readBoundedFile(path, KEY_FILE_LIMITS.fileBytesMax);
  } catch (cause) {
    const message = 'The key file cannot be read; check its path and who may read it.';
    throw new ServerError('invalid_option', message, { cause });
  }
  if (bytes === undefined) throw tooLong();
  return parseKeyFile(bytes.toString('utf8'));
}

function tooLong(): ServerError {
  return new ServerError('invalid_option', 'The key file is too long; is it the right file?');
}

function badLine(index: number, what: string): ServerError {
  return new ServerError(
    'invalid_option',
    `Line ${index + 1} of the key file ${what}; make lines with "kikitori keys add".`,
  );
}
