import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@kikitori/core';
import { languageProblem } from '@kikitori/protocol/languages';
import { type HttpError, refusal } from '../../errors.js';
import { retryHeaders, send } from '../../http/answers.js';
import type { FileExchange, FileWishes, Served, Transcribed } from '../../http/file-exchange.js';
import { NO_MODEL } from '../../http/models.js';
import { queryOf } from '../../http/router.js';
import { remarkHeaders } from '../../http/transcription-formats.js';
import { readPlainBody } from '../../http/upload-body.js';
import type { FormFields, UploadForm, UploadFormOptions } from '../../http/upload-form.js';
import { containerOf } from './container-watch.js';
import { failureAnswer } from './failures.js';
import { fileAnswer } from './file-answer.js';
import { type FileQuery, readFileQuery } from './file-query.js';

const NO_ADDRESS =
  'Nothing is fetched from an address here: send the audio file itself as the body of this request (transcribeFile, --data-binary).';
const NO_FORM = 'Send the audio file itself as the body of this request (--data-binary), and not a form.';
const TOO_LARGE = 'The file is too large. Send a shorter one, or one in a format that is smaller.';
/** Enough to know a container by. */
const HEAD_BYTES = 8;

/** Deepgram's names for what is wrong in a query. */
const CODES: Readonly<Record<string, string>> = { model: 'INVALID_MODEL', language: 'UNSUPPORTED_LANGUAGE' };

export interface DeepgramFileOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
}

/** A file as Deepgram's clients send it, `POST /v1/listen`: the whole body, with the query saying what is wished; docs/clients.md. */
export class DeepgramFileExchange implements FileExchange {
  readonly #options: DeepgramFileOptions;
  readonly #requestId = randomUUID();
  readonly #hash = createHash('sha256');
  #head = new Uint8Array(0);
  #query: FileQuery | undefined;
  /** What the answer names. */
  #model = '';
  #language: string | undefined;

  constructor(options: DeepgramFileOptions) {
    this.#options = options;
  }

  read(options: UploadFormOptions): UploadForm {
    const { request } = this.#options;
    const type = (request.headers['content-type'] ?? '').toLowerCase();
    if (type.startsWith('application/json')) throw refusal(400, NO_ADDRESS, 'url');
    if (type.startsWith('multipart/')) throw refusal(400, NO_FORM);
    return readPlainBody(request, {
      ...options,
      tooLarge: refusal(413, TOO_LARGE),
      onPiece: (bytes) => this.#look(bytes),
    });
  }

  understand(_fields: FormFields, { models, languages }: Served): FileWishes {
    const { url = '' } = this.#options.request;
    const query = readFileQuery(queryOf(url));
    if ('problem' in query) throw refusal(400, query.problem);
    const model = models.find(query.model);
    // As Deepgram has it: its clients know 400.
    if (model === undefined) throw refusal(400, NO_MODEL.message, 'model');
    const problem = query.language === undefined ? undefined : languageProblem(query.language, languages);
    if (problem !== undefined) throw refusal(400, problem, 'language');
    this.#query = query;
    this.#model = query.askedModel === '' ? model : query.askedModel;
    // With several nobody finds out which of them it was.
    this.#language = query.detectLanguage && languages.length === 1 ? languages[0] : undefined;
    // A container says more exactly what it holds than a query does.
    const isContainer = containerOf(this.#head) !== undefined;
    return {
      stream: false,
      channels: query.multichannel ? 'each' : 'mix',
      ...(query.rawFormat === undefined || isContainer ? {} : { rawFormat: query.rawFormat }),
    };
  }

  /** Never asked for. */
  begin(): void {}

  /** All of it is told at the end. */
  say(): void {}

  end(transcribed: Transcribed): void {
    const { response, clock } = this.#options;
    const answer = fileAnswer(transcribed, {
      requestId: this.#requestId,
      createdMs: clock.unixMs(),
      sha256: this.#hash.digest('hex'),
      model: this.#model,
      detectedLanguage: this.#language,
      utterances: this.#query?.utterances === true,
    });
    const headers = { 'content-type': 'application/json', ...remarkHeaders(transcribed.remarks) };
    send(response, 200, JSON.stringify(answer), headers);
  }

  fail(error: HttpError): void {
    const { headers, body } = failureAnswer(error, this.#requestId, CODES[error.param ?? '']);
    send(this.#options.response, error.status, body, { ...headers, ...retryHeaders(error) });
  }

  #look(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    const missing = HEAD_BYTES - this.#head.length;
    if (missing > 0) this.#head = new Uint8Array([...this.#head, ...bytes.subarray(0, missing)]);
  }
}
