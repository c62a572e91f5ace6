import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import type { Clock } from '@kikitori/core';
import { CLIENT_LEFT, refusal, ServerError } from '../errors.js';
import type { HttpLimits } from '../limits.js';
import { watchBody } from './body-watch.js';
import { UploadSpool } from './upload-spool.js';

/** The file of a form, while it arrives. */
export interface UploadedFile {
  readonly name: string | undefined;
  /** Where it is kept until `close` of the form; whole once `fields` has settled. */
  readonly path: string;
  /** From its start, as it comes; reading slowly makes nobody wait. One reader, once. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Values by field name, in order; a field may come several times. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

export interface UploadFormOptions {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  /** Ends the reading; both promises reject with its reason. */
  readonly signal: AbortSignal;
}

/** A form read from an HTTP request, with at most one file. */
export interface UploadForm {
  /** Settles when the field `file` begins; rejects with `request_refused` when there is none. */
  readonly file: Promise<UploadedFile>;
  /** What has come so far. */
  readonly fieldsSoFar: FormFields;
  /**
   * Settles when the whole form was read and its file is kept. Rejects with `request_refused`: 400 (malformed, too large),
   * 408 (stopped arriving), 422 (no file), 499 (the client left), 503 (it cannot be kept).
   */
  readonly fields: Promise<FormFields>;
  /** Stops reading and deletes the file. Idempotent. */
  close(): Promise<void>;
}

const MISSING_FILE =
  'Field required: file. Send the audio as multipart/form-data with a file part named file.';

const MALFORMED = 'The form is malformed. Check the multipart boundary and the end of the body.';
const TOO_LARGE = 'Maximum file size exceeded';
const FIELD_TOO_LONG = 'A field of the form is too long. Send the audio as a file part with a file name.';
const TOO_MANY_PARTS = 'The form has too many parts. Send one file and the fields that are documented.';
const FORM_TOO_LARGE = 'The form is too large. Send one file and few short fields.';
const LEFT = 'The client left.';

/**
 * Reads `multipart/form-data` as fast as it arrives, its file into a temporary file. Bounded are the bytes of the whole body,
 * of the file and of each field, and the number of fields, files and parts.
 */
export function readUploadForm(request: IncomingMessage, options: UploadFormOptions): UploadForm {
  return new FormReader(request, options);
}

class FormReader implements UploadForm {
  readonly file: Promise<UploadedFile>;
  readonly fields: Promise<FormFields>;
  readonly #options: UploadFormOptions;
  readonly #fields = new Map<string, string[]>();
  #stream: BusboyFileStream | undefined;
  /** The file's way onto the disk; its own rejections arrive through `fields`. */
  #keeping: Promise<UploadedFile> | undefined;
  #filled: Promise<void> = Promise.resolve();
  #spool: UploadSpool | undefined;
  #giveFile: (file: Promise<UploadedFile>) => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(request: IncomingMessage, options: UploadFormOptions) {
    this.#options = options;
    const found = new Promise<UploadedFile>((resolve) => {
      this.#giveFile = resolve;
    });
    this.fields = this.#read(request);
    const missing = this.fields.then((): Promise<UploadedFile> => {
      // Both settle in the same turn when a whole form comes in one packet; the file was first then.
      return this.#stream === undefined ? Promise.reject(refusal(422, MISSING_FILE, 'file')) : found;
    });
    this.file = Promise.race([found, missing]);
    // Whoever waits sees the rejection; it must not end the process while nobody does.
    this.fields.catch(() => {});
    missing.catch(() => {});
    this.file.catch(() => {});
  }

  get fieldsSoFar(): FormFields {
    return this.#fields;
  }

  async close(): Promise<void> {
    this.#fail(refusal(CLIENT_LEFT, LEFT));
    await this.fields.catch(() => {});
    await this.#keeping?.catch(() => {});
    await this.#spool?.remove();
  }

  async #read(request: IncomingMessage): Promise<FormFields> {
    const { limits, signal } = this.#options;
    // What is said to be too large is not read first.
    if (Number(request.headers['content-length'] ?? 0) > limits.formBytesMax) {
      throw refusal(400, TOO_LARGE, 'audio_filesize_mb');
    }
    const parser = this.#parser(request);
    let release = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        const stopWatch = watchBody(request, {
          ...this.#options,
          lengthBytesMax: limits.formBytesMax,
          tooLarge: refusal(400, FORM_TOO_LARGE),
          // A damaged form can make the parser lose its way: then it never says that it is at the end.
          unfinished: refusal(400, MALFORMED),
          fail: reject,
        });
        // A request that has come to its end closes, too.
        const onClose = (): void => {
          if (!request.complete) reject(refusal(CLIENT_LEFT, LEFT));
        };
        const onAbort = (): void => reject(signal.reason);
        parser.once('finish', resolve);
        parser.on('error', (error: unknown) => {
          reject(error instanceof ServerError ? error : refusal(400, MALFORMED));
        });
        request.once('close', onClose);
        signal.addEventListener('abort', onAbort, { once: true });
        release = () => {
          stopWatch();
          request.unpipe(parser).off('close', onClose);
          signal.removeEventListener('abort', onAbort);
        };
        request.pipe(parser);
      });
      await this.#kept();
    } catch (error) {
      this.#stream?.destroy(error instanceof Error ? error : undefined);
      throw error;
    } finally {
      release();
    }
    return this.#fields;
  }

  /** Waits until the file is written, where there is one. */
  async #kept(): Promise<void> {
    await this.#keeping;
    await this.#filled;
  }

  #parser(request: IncomingMessage): BusboyInstance {
    const { fieldBytesMax, fieldsMax, fileBytesMax, filesMax } = this.#options.limits;
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        // Busboy itself checks that the content type is there.
        headers: request.headers as BusboyHeaders,
        limits: {
          fieldSize: fieldBytesMax,
          fileSize: fileBytesMax,
          fields: fieldsMax,
          files: filesMax,
          parts: fieldsMax + filesMax,
          headerPairs: 32,
        },
        isPartAFile: (_field, type, fileName) =>
          type === 'application/octet-stream' || fileName !== undefined,
      });
    } catch {
      throw refusal(422, MISSING_FILE, 'file');
    }
    parser.on('file', (field, stream, fileName) => {
      stream.once('limit', () => this.#fail(refusal(400, TOO_LARGE, 'audio_filesize_mb')));
      this.#onFile(field, stream, fileName);
    });
    parser.on('field', (field, value, _nameTruncated, isTruncated) => {
      if (isTruncated) this.#fail(refusal(400, FIELD_TOO_LONG, field));
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
    });
    for (const event of ['fieldsLimit', 'filesLimit', 'partsLimit'] as const) {
      parser.on(event, () => this.#fail(refusal(400, TOO_MANY_PARTS)));
    }
    return parser;
  }

  #onFile(field: string, stream: BusboyFileStream, name: string | undefined): void {
    // An error also reaches whoever reads; without a listener it would end the process.
    stream.on('error', () => {});
    if (field !== 'file' || this.#stream !== undefined) {
      stream.resume();
      return;
    }
    this.#stream = stream;
    this.#keeping = this.#keep(stream, name);
    this.#keeping.catch((error: unknown) => this.#fail(error));
    this.#giveFile(this.#keeping);
  }

  async #keep(stream: BusboyFileStream, name: string | undefined): Promise<UploadedFile> {
    const spool = await UploadSpool.open();
    this.#spool = spool;
    this.#filled = spool.fill(stream);
    this.#filled.catch((error: unknown) => this.#fail(error));
    return { name, path: spool.path, bytes: () => spool.bytes() };
  }
}
