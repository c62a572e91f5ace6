import { unwatchFile, watchFile } from 'node:fs';
import { type Clock, type Logger, silentLogger, systemClock } from '@kikitori/core';
import { readBoundedFile } from '../bounded-file.js';
import { ServerError } from '../errors.js';
import { KEY_FILE_LIMITS } from '../limits.js';
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
  /** Reads it again now. Resolves when its keys count, or the log says why not. */
  reload(): Promise<void>;
  /** Stops watching. Idempotent. */
  close(): void;
}

/**
 * Opens a key file and watches it: a change counts within two seconds, for new sessions; running ones go on. While it is
 * unreadable or wrong the keys from before count for a minute, so that a slip locks nobody out who mends it; then none does,
 * since a key that was taken out must not live on in a server that cannot see it. The log says both.
 *
 * @throws ServerError `invalid_option` when it cannot be read, or a line of it is wrong
 */
export async function openKeyFile(
  path: string,
  { logger = silentLogger, clock = systemClock }: { readonly logger?: Logger; readonly clock?: Clock } = {},
): Promise<KeyFile> {
  return new WatchedKeyFile(path, await readKeys(path), { logger, clock });
}

/** Why the file is not as it should be, since when, and when the log was told. */
interface Trouble {
  readonly reason: string;
  readonly sinceMs: number;
  readonly toldMs: number;
}

const NO_KEYS: readonly KnownKey[] = [];

class WatchedKeyFile implements KeyFile {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #keys: readonly KnownKey[];
  #trouble: Trouble | undefined;
  #reads = 0;
  #cancelNext: (() => void) | undefined;
  #isClosed = false;
  readonly #onChange = (): void => void this.reload();

  constructor(
    path: string,
    keys: readonly KnownKey[],
    uses: { readonly logger: Logger; readonly clock: Clock },
  ) {
    this.#path = path;
    this.#keys = keys;
    this.#logger = uses.logger;
    this.#clock = uses.clock;
    // Asks for the file's time instead of waiting for events: those are lost where a file is replaced or mounted.
    watchFile(path, { interval: KEY_FILE_LIMITS.watchIntervalMs, persistent: false }, this.#onChange);
  }

  get keys(): readonly KnownKey[] {
    return this.#isOverdue ? NO_KEYS : this.#keys;
  }

  get isCurrent(): boolean {
    return this.#trouble === undefined;
  }

  async reload(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const outcome = await readKeys(this.#path).catch((error: unknown) => reasonOf(error));
    // One that began later has seen what is there now.
    if (read !== this.#reads || this.#isClosed) return;
    if (typeof outcome === 'string') {
      this.#note(outcome);
      return;
    }
    this.#keys = outcome;
    this.#trouble = undefined;
    this.#logger.info('The key file was read again.', { keys: outcome.length });
  }

  close(): void {
    this.#isClosed = true;
    unwatchFile(this.#path, this.#onChange);
    this.#cancelNext?.();
  }

  get #isOverdue(): boolean {
    const sinceMs = this.#trouble?.sinceMs;
    return sinceMs !== undefined && this.#clock.nowMs() - sinceMs >= KEY_FILE_LIMITS.troubleMsMax;
  }

  #note(reason: string): void {
    const nowMs = this.#clock.nowMs();
    const before = this.#trouble;
    const isNews = before?.reason !== reason || nowMs - before.toldMs >= KEY_FILE_LIMITS.troubleMsMax;
    const sinceMs = before?.sinceMs ?? nowMs;
    this.#trouble = { sinceMs, reason, toldMs: before === undefined || isNews ? nowMs : before.toldMs };
    if (isNews) this.#logger.error(this.#isOverdue ? NOBODY : FOR_A_MINUTE, { reason });
    // What hindered may go without the file being touched: a disk that is back.
    this.#cancelNext?.();
    this.#cancelNext = this.#clock.after(KEY_FILE_LIMITS.watchIntervalMs, () => void this.reload());
  }
}

const FOR_A_MINUTE = 'The key file is not as it should be; the keys from before count for a minute.';
const NOBODY = 'The key file is not as it should be; nobody new is let in until it is.';

function reasonOf(error: unknown): string {
  return error instanceof ServerError ? error.message : 'unknown';
}

async function readKeys(path: string): Promise<readonly KnownKey[]> {
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
