import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import type { Clock } from '../clock.js';
import { refusal, ServerError } from '../errors.js';
import type { HttpLimits } from '../limits.js';

/** The file of a form, while it arrives. */
export interface UploadedFile {
  readonly name: string | undefined;
  /** One consumer, once. Reading slowly makes the sender wait. Throws what `fields` of the form rejects with. */
  readonly bytes: AsyncIterable<Uint8Array>;
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
   * Settles when the whole form was read; whoever waits for it must have read the file or called `skipFile`.
   * Rejects with `request_refused`: 400 (malformed, too large), 408 (stopped arriving), 422 (no file).
   */
  readonly fields: Promise<FormFields>;
  /** Reads what is left of the file and drops it. */
  skipFile(): void;
}

const MISSING_FILE =
  'Field required: file. Send the audio as multipart/form-data with a file part named file.';

const MALFORMED = 'The form is malformed. Check the multipart boundary and the end of the body.';
const TOO_LARGE = 'Maximum file size exceeded';
const FIELD_TOO_LONG = 'A field of the form is too long. Send the audio as a file part with a file name.';
const TOO_MANY_FIELDS = 'The form has too many fields.';
const STALLED = 'The body stopped arriving. Send the file again.';

/** Reads `multipart/form-data` as it arrives; no part of the file is kept. */
export function readUploadForm(request: IncomingMessage, options: UploadFormOptions): UploadForm {
  return new FormReader(request, options);
}

class FormReader implements UploadForm {
  readonly file: Promise<UploadedFile>;
  readonly fields: Promise<FormFields>;
  readonly #options: UploadFormOptions;
  readonly #fields = new Map<string, string[]>();
  #stream: BusboyFileStream | undefined;
  #giveFile: (file: UploadedFile) => void = () => {};

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

  skipFile(): void {
    this.#stream?.resume();
  }

  async #read(request: IncomingMessage): Promise<FormFields> {
    const { clock, limits, signal } = this.#options;
    const parser = this.#parser(request);
    let cancelStall = (): void => {};
    let release = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const watch = (): void => {
          cancelStall();
          cancelStall = clock.after(limits.bodyStallMs, () => reject(refusal(408, STALLED)));
        };
        // The sender is watched only while it is its turn: a slow engine makes it wait.
        const onData = (chunk: Uint8Array): void => {
          watch();
          if (parser.write(chunk)) return;
          cancelStall();
          request.pause();
        };
        const onEnd = (): void => {
          cancelStall();
          parser.end();
        };
        const onAbort = (): void => reject(signal.reason);
        parser.on('drain', () => {
          watch();
          request.resume();
        });
        parser.once('finish', resolve);
        parser.on('error', (error: unknown) => {
          reject(error instanceof ServerError ? error : refusal(400, MALFORMED));
        });
        request.on('data', onData).once('end', onEnd);
        signal.addEventListener('abort', onAbort, { once: true });
        release = () => {
          request.off('data', onData).off('end', onEnd);
          signal.removeEventListener('abort', onAbort);
        };
        watch();
      });
    } catch (error) {
      this.#stream?.destroy(error instanceof Error ? error : undefined);
      throw error;
    } finally {
      cancelStall();
      release();
      parser.removeAllListeners('drain');
    }
    return this.#fields;
  }

  #parser(request: IncomingMessage): BusboyInstance {
    const { fieldBytesMax, fieldsMax, fileBytesMax } = this.#options.limits;
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        // Busboy itself checks that the content type is there.
        headers: request.headers as BusboyHeaders,
        limits: {
          fieldSize: fieldBytesMax,
          fileSize: fileBytesMax,
          fields: fieldsMax,
          files: 4,
          parts: fieldsMax + 5,
          headerPairs: 32,
        },
        isPartAFile: (_field, type, fileName) =>
          type === 'application/octet-stream' || fileName !== undefined,
      });
    } catch {
      throw refusal(422, MISSING_FILE, 'file');
    }
    parser.on('file', (field, stream, fileName) => {
      stream.once('limit', () => parser.emit('error', refusal(400, TOO_LARGE, 'audio_filesize_mb')));
      this.#onFile(field, stream, fileName);
    });
    parser.on('field', (field, value, _nameTruncated, isTruncated) => {
      if (isTruncated) parser.emit('error', refusal(400, FIELD_TOO_LONG, field));
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
    });
    parser.on('fieldsLimit', () => parser.emit('error', refusal(400, TOO_MANY_FIELDS)));
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
    this.#giveFile({ name, bytes: this.#bytesOf(stream) });
  }

  async *#bytesOf(stream: BusboyFileStream): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        // Busboy's file streams give buffers; the type of a stream does not say so.
        yield chunk as Uint8Array;
      }
    } catch {
      // The form knows why; it is told first, because a decoder wraps what it meets while it reads.
      await this.fields;
    }
  }
}
