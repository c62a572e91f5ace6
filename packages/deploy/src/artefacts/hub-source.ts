import {
  addressOf,
  BrokenOffError,
  HttpStatusError,
  type HubAccess,
  type HubFile,
  requestHub,
} from '@kikitori/core/hub';
import { DeployError } from '../errors.js';
import { Watchdog } from '../watchdog.js';
import { toHubError } from './hub-error.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { pauseAfter, type RetryOptions } from './retry.js';

export interface SourceOptions {
  readonly access: HubAccess;
  readonly repository: string;
  readonly commit: string;
  readonly retryDelayMs: number;
  readonly rateLimitMsMax: number;
  readonly stallTimeoutMs: number;
}

/** First and last byte, both included. */
interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** What is to be filled, and how far that is. */
interface Filling {
  readonly into: Uint8Array;
  filledBytes: number;
}

/**
 * One file of a hub, read in ranges. The address in the hub's storage is asked for once and kept until the storage refuses
 * it: it is signed for some hours, and the hub counts how often it is asked.
 */
export class HubSource {
  readonly file: HubFile;
  readonly #options: SourceOptions;
  readonly #url: URL;
  #storageUrl: URL | undefined;

  constructor(file: HubFile, options: SourceOptions) {
    this.file = file;
    this.#options = options;
    this.#url = addressOf(file.path, options);
  }

  /**
   * Fills `into` with the file's bytes from `from` on. Where a connection breaks, it goes on at the byte where it broke.
   *
   * @throws DeployError `model_mismatch` where the file has another length than announced; `hub_refused`,
   *   `hub_not_found`, `hub_unreachable`
   */
  async read(from: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    const retrying: RetryOptions = { ...this.#options, signal };
    const filling: Filling = { into, filledBytes: 0 };
    let vainTries = 0;
    try {
      for (let tries = 1; filling.filledBytes < into.length; tries += 1) {
        const before = filling.filledBytes;
        try {
          await this.#readSome(from, filling, signal);
        } catch (error) {
          signal.throwIfAborted();
          vainTries = filling.filledBytes > before ? 1 : vainTries + 1;
          if (tries >= ARTEFACT_LIMITS.resumesMax) throw error;
          await pauseAfter(error, vainTries, retrying);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      throw toHubError(error);
    }
  }

  /** One request for what is missing. Returns when all came; throws when less did. */
  async #readSome(from: number, filling: Filling, signal: AbortSignal): Promise<void> {
    const watchdog = new Watchdog(this.#options.stallTimeoutMs, signal);
    const range = { from: from + filling.filledBytes, to: from + filling.into.length - 1 };
    try {
      const response = await this.#open(range, watchdog.signal);
      try {
        // A short file may come whole although its rest was asked for.
        if (this.#check(response, range, filling.into.length)) filling.filledBytes = 0;
        for await (const block of response.body ?? []) {
          watchdog.feed();
          if (block.length > filling.into.length - filling.filledBytes) throw mismatch();
          filling.into.set(block, filling.filledBytes);
          filling.filledBytes += block.length;
        }
      } finally {
        await response.body?.cancel().catch(() => undefined);
      }
    } catch (error) {
      // `fetch` wraps the reason it was aborted with; the quiet line is what happened.
      if (watchdog.signal.aborted) throw watchdog.signal.reason;
      // A range beyond the end: the file is shorter than announced.
      throw error instanceof HttpStatusError && error.status === 416 ? mismatch() : error;
    } finally {
      watchdog.stop();
    }
    if (filling.filledBytes < filling.into.length) throw new BrokenOffError('The source ended early.');
  }

  async #open(range: ByteRange, signal: AbortSignal): Promise<Response> {
    const { access } = this.#options;
    const known = this.#storageUrl;
    const onStorage = (url: URL): void => {
      this.#storageUrl = url;
    };
    try {
      return await requestHub(known ?? this.#url, { access, range, signal, onStorage });
    } catch (error) {
      const isRefused =
        error instanceof HttpStatusError && error.status < 500 && ![416, 429].includes(error.status);
      if (known === undefined || !isRefused) throw error;
      // The signature ran out, or the storage moved: the hub knows a new address. Another reader may have asked already.
      if (this.#storageUrl === known) this.#storageUrl = undefined;
      throw new BrokenOffError('The storage does not accept its address any more.');
    }
  }

  /**
   * The answer must be the range that was asked for, of a file of the size that was announced.
   *
   * @returns Whether it is the whole file instead, where that is what is wanted
   */
  #check(response: Response, range: ByteRange, wantedBytes: number): boolean {
    const { sizeBytes } = this.file;
    if (response.status === 206) {
      const [, first, total] =
        /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
      if (total !== undefined && total !== '*' && Number(total) !== sizeBytes) throw mismatch();
      if (Number(first) !== range.from) throw new BrokenOffError('The source sent another range.');
      return false;
    }
    if (wantedBytes === sizeBytes) {
      const length = response.headers.get('content-length');
      if (length !== null && Number(length) !== sizeBytes) throw mismatch();
      return true;
    }
    throw new DeployError('hub_unreachable', {
      sentence:
        'The hub’s storage does not serve ranges of a file. Check HF_ENDPOINT: a proxy in between may not.',
    });
  }
}

function mismatch(): DeployError {
  return new DeployError('model_mismatch', {
    sentence:
      'A file of the hub has another length than the hub announced; nothing of it is used. Run the same command again; if it happens again, the hub or a proxy in between is at fault.',
  });
}
