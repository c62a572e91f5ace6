import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDiskFull } from '@kikitori/core';
import { ServerError } from '../errors.js';

const READ_BYTES = 64 * 1024;

/**
 * A file that is being uploaded, in a folder of its own below the system's temporary one. It is written as fast as it
 * arrives, whoever reads it: only so is a client that left noticed at once, since what it has sent before it left stands in
 * front of its farewell.
 */
export class UploadSpool {
  readonly path: string;
  readonly #folder: string;
  readonly #file: FileHandle;
  #lengthBytes = 0;
  #isWhole = false;
  #failure: unknown;
  #tell: () => void = () => {};
  #filling: Promise<void> = Promise.resolve();

  private constructor(folder: string, path: string, file: FileHandle) {
    this.#folder = folder;
    this.path = path;
    this.#file = file;
  }

  /** Makes the folder. @throws ServerError `request_refused`, 503: nothing can be kept. */
  static async open(): Promise<UploadSpool> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'kikitori-'));
      const path = join(folder, 'upload');
      return new UploadSpool(folder, path, await open(path, 'wx', 0o600));
    } catch (error) {
      throw keepError(error);
    }
  }

  /** Writes everything that comes. Once. Rejects with what `pieces` throws, or with 503 where it cannot be kept. */
  fill(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const filling = this.#fill(pieces);
    this.#filling = filling.catch(() => {});
    return filling;
  }

  /** What has come and what comes, to the end. One reader, once. Throws what `fill` rejects with. */
  async *bytes(): AsyncGenerator<Uint8Array, void> {
    const file = await open(this.path, 'r');
    try {
      for (let at = 0; ; ) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, at);
        at += bytesRead;
        if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
        else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#lengthBytes > at) continue;
        else if (this.#isWhole) return;
        else await this.#more();
      }
    } finally {
      await file.close();
    }
  }

  /** Deletes it; whoever still reads gets an error. What fills it must have ended, or end now. Idempotent. */
  async remove(): Promise<void> {
    this.#fail(new ServerError('request_refused', 'The upload is over.'));
    await this.#filling;
    await this.#file.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #fill(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of pieces) {
        await this.#file.appendFile(piece).catch((error: unknown) => {
          throw keepError(error);
        });
        this.#lengthBytes += piece.length;
        this.#tell();
      }
      this.#isWhole = true;
      this.#tell();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (this.#isWhole) return;
    this.#failure ??= error;
    this.#tell();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }
}

/** What a client hears when the temporary folder takes no file; the cause is for the log. */
export function keepError(cause: unknown): ServerError {
  const message = isDiskFull(cause)
    ? 'The server has no room to keep the file. Try again later, or send it to another server.'
    : 'The temporary folder of the server cannot be written to. Send the file to another server, or have TMPDIR set to a folder that can.';
  return new ServerError('request_refused', message, { cause, answer: { status: 503, message } });
}
