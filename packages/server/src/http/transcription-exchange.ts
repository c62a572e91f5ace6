import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@kikitori/core';
import type { HttpError } from '../errors.js';
import { retryHeaders, send, sendError } from './answers.js';
import type { FileExchange, Served, Transcribed } from './file-exchange.js';
import type { FileWords } from './hear-file.js';
import { isMistralClient, MistralStream } from './mistral-stream.js';
import { answerOf } from './transcription-formats.js';
import { type AnswerStream, type SaidText, TranscriptionStream } from './transcription-stream.js';
import { type TranscriptionWishes, wishesOf } from './transcription-wishes.js';
import type { FormFields, UploadForm, UploadFormOptions } from './upload-form.js';

/** Finds the file in a request. */
export type UploadReader = (request: IncomingMessage, options: UploadFormOptions) => UploadForm;

export interface TranscriptionExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly read: UploadReader;
}

/** A file as clients of OpenAI, vLLM and Mistral send it, answered whole at the end or streamed from its first word on. */
export class TranscriptionExchange implements FileExchange {
  readonly #options: TranscriptionExchangeOptions;
  readonly #isMistral: boolean;
  #wishes: TranscriptionWishes | undefined;
  #stream: AnswerStream | undefined;
  /** Words said before it was known how to tell them. */
  #said: SaidText[] = [];

  constructor(options: TranscriptionExchangeOptions) {
    this.#options = options;
    this.#isMistral = isMistralClient(options.request.headers['user-agent']);
  }

  read(options: UploadFormOptions): UploadForm {
    return this.#options.read(this.#options.request, options);
  }

  understand(fields: FormFields, served: Served): TranscriptionWishes {
    this.#wishes = wishesOf(fields, served);
    return this.#wishes;
  }

  begin(): void {
    if (this.#stream !== undefined || this.#wishes === undefined) return;
    const { model } = this.#wishes;
    const createdS = Math.floor(this.#options.clock.unixMs() / 1000);
    this.#stream = this.#isMistral ? new MistralStream() : new TranscriptionStream({ createdS, model });
    const said = this.#said;
    this.#said = [];
    for (const each of said) this.#write(this.#stream.delta(each));
  }

  say({ words, isUnsure, label }: FileWords): void {
    if (words.length === 0) return;
    const said = { text: words.map((word) => ` ${word.text}`).join(''), isUnsure, label };
    if (this.#stream === undefined) this.#said.push(said);
    else this.#write(this.#stream.delta(said));
  }

  end(transcribed: Transcribed): void {
    const wishes = this.#wishes;
    if (wishes === undefined) return;
    if (wishes.stream) this.begin();
    const { response } = this.#options;
    if (this.#stream !== undefined) {
      this.#write(this.#stream.end(transcribed, wishes));
      response.end();
      return;
    }
    const { body, headers } = answerOf(wishes, transcribed);
    send(response, 200, body, headers);
  }

  fail(error: HttpError): void {
    const { response } = this.#options;
    if (response.headersSent) response.end(this.#stream?.failure(error));
    else sendError(response, error, retryHeaders(error));
  }

  /** Not waited for: the sender may read nothing until it has sent everything, and text is small beside its audio. */
  #write(frames: string): void {
    const { response } = this.#options;
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    response.write(frames);
  }
}
