import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import type { Clock } from '../clock.js';
import { refusal } from '../errors.js';
import type { HttpLimits } from '../limits.js';

/** The file of a form, while it arrives. */
export interface UploadedFile {
  readonly name: string | undefined;
  /** One consumer, once. Reading slowly makes the sender wait. Throws `request_refused` above the limit. */
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
  /** Settles when the whole form was read; whoever waits for it must have read the file or called `skipFile`. */
  readonly fields: Promise<FormFields>;
  /** Reads what is left of the file and drops it. */
  skipFile(): void;
}

const MISSING_FILE =
  'Field required: file. Send the audio as multipart/form-data with a file part named file.';

const MALFORMED =
  'The form is malformed: check the multipart boundary, the end of the body, and the number and length of its fields.';
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
        parser.on('error', () => reject(refusal(400, MALFORMED)));
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
    const { fieldBytesMax, fieldsMax } = this.#options.limits;
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        // Busboy itself checks that the content type is there.
        headers: request.headers as BusboyHeaders,
        limits: {
          fieldSize: fieldBytesMax,
          fields: fieldsMax,
          files: 1,
          parts: fieldsMax + 1,
          headerPairs: 32,
        },
        isPartAFile: (_field, type, fileName) =>
          type === 'application/octet-stream' || fileName !== undefined,
      });
    } catch {
      throw refusal(422, MISSING_FILE, 'file');
    }
    parser.on('file', (field, stream, fileName) => this.#onFile(field, stream, fileName));
    parser.on('field', (field, value, _nameTruncated, isTruncated) => {
      if (isTruncated) parser.destroy(new Error('field too long'));
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
    });
    parser.on('fieldsLimit', () => parser.destroy(new Error('too many fields')));
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
    this.#giveFile({ name, bytes: this.#bounded(stream) });
  }

  async *#bounded(stream: BusboyFileStream): AsyncGenerator<Uint8Array, void> {
    let seenBytes = 0;
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      // Busboy's file streams give buffers; the type of a stream does not say so.
      const bytes = chunk as Uint8Array;
      seenBytes += bytes.length;
      if (seenBytes > this.#options.limits.fileBytesMax) {
        throw refusal(400, 'Maximum file size exceeded', 'audio_filesize_mb');
      }
      yield bytes;
    }
  }
}
