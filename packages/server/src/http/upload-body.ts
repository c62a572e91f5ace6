import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { CLIENT_LEFT, refusal, type ServerError } from '../errors.js';
import { watchBody } from './body-watch.js';
import { queryOf } from './router.js';
import {
  type FormFields,
  readUploadForm,
  type UploadedFile,
  type UploadForm,
  type UploadFormOptions,
} from './upload-form.js';
import { UploadSpool } from './upload-spool.js';

/** Where SageMaker hands on what its caller says beside the body. */
const ATTRIBUTES_HEADER = 'x-amzn-sagemaker-custom-attributes';

const TOO_LARGE = 'Maximum file size exceeded';
const EMPTY =
  'The body is empty. Send the audio file as the body, or as multipart/form-data in a part named file.';
const LEFT = 'The client left.';
const UNWRITTEN = 'The file could not be written in time. Send it again.';

/**
 * Reads a file that is the whole body, as SageMaker's InvokeEndpoint sends it, within the bounds of a form; fields stand in the
 * query, and in SageMaker's custom attributes in the same notation. A body that is a form is read as one.
 */
export function readUploadBody(request: IncomingMessage, options: UploadFormOptions): UploadForm {
  const type = request.headers['content-type'] ?? '';
  if (type.toLowerCase().startsWith('multipart/form-data')) return readUploadForm(request, options);
  return new BodyReader(request, { ...options, tooLarge: refusal(400, TOO_LARGE, 'audio_filesize_mb') });
}

export interface PlainBodyOptions extends UploadFormOptions {
  /** What is said of a body above the bound of a file. */
  readonly tooLarge: ServerError;
  /** Hears every piece of it, in order. */
  readonly onPiece?: (bytes: Uint8Array) => void;
}

/** The same, of a body that is never read as a form. */
export function readPlainBody(request: IncomingMessage, options: PlainBodyOptions): UploadForm {
  return new BodyReader(request, options);
}

class BodyReader implements UploadForm {
  readonly file: Promise<UploadedFile>;
  readonly fields: Promise<FormFields>;
  readonly fieldsSoFar: FormFields;
  readonly #spool: Promise<UploadSpool>;
  /** Between the request and its file: destroyed with the reason when the reading ends early. */
  readonly #body = new PassThrough();

  constructor(request: IncomingMessage, options: PlainBodyOptions) {
    this.fieldsSoFar = fieldsOf(request);
    this.#body.on('error', () => {});
    this.#spool = openSpool(request, options);
    this.file = this.#spool.then((spool) => ({
      name: undefined,
      path: spool.path,
      bytes: () => spool.bytes(),
    }));
    this.fields = this.#read(request, options);
    // Whoever waits sees the rejection; it must not end the process while nobody does.
    for (const each of [this.#spool, this.file, this.fields]) each.catch(() => {});
  }

  async close(): Promise<void> {
    this.#body.destroy(refusal(CLIENT_LEFT, LEFT));
    await this.fields.catch(() => {});
    const spool = await this.#spool.catch(() => undefined);
    await spool?.remove();
  }

  async #read(request: IncomingMessage, options: PlainBodyOptions): Promise<FormFields> {
    const { clock, limits, signal, tooLarge, onPiece } = options;
    const body = this.#body;
    const fail = (why: unknown): void => void body.destroy(why instanceof Error ? why : undefined);
    const onAbort = (): void => fail(signal.reason);
    const stopWatch = watchBody(request, {
      clock,
      limits,
      lengthBytesMax: limits.fileBytesMax,
      tooLarge,
      unfinished: refusal(408, UNWRITTEN),
      fail,
    });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      // At once: what is watched flows, and would be lost.
      request.pipe(body);
      const spool = await this.#spool;
      await spool.fill(notEmpty(body, onPiece));
      return this.fieldsSoFar;
    } finally {
      stopWatch();
      request.unpipe(body);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** What is said to be too large is not read first. */
async function openSpool(
  request: IncomingMessage,
  { limits, tooLarge }: PlainBodyOptions,
): Promise<UploadSpool> {
  if (Number(request.headers['content-length'] ?? 0) > limits.fileBytesMax) throw tooLarge;
  return await UploadSpool.open();
}

async function* notEmpty(
  pieces: AsyncIterable<Uint8Array>,
  onPiece?: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  let isEmpty = true;
  for await (const piece of pieces) {
    isEmpty = false;
    onPiece?.(piece);
    yield piece;
  }
  if (isEmpty) throw refusal(400, EMPTY);
}

function fieldsOf({ url = '', headers }: IncomingMessage): FormFields {
  const texts = [queryOf(url), headers[ATTRIBUTES_HEADER]];
  const fields = new Map<string, string[]>();
  for (const text of texts) {
    for (const [name, value] of new URLSearchParams(String(text ?? ''))) {
      fields.set(name, [...(fields.get(name) ?? []), value]);
    }
  }
  return fields;
}
