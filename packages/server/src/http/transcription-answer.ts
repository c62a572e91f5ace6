import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@kikitori/core';
import type { HttpError } from '../errors.js';
import { RETRY_AFTER_S } from '../limits.js';
import { send, sendError } from './answers.js';
import type { FileWords } from './hear-file.js';
import { isMistralClient, MistralStream } from './mistral-stream.js';
import { answerOf, type Transcribed } from './transcription-formats.js';
import { type AnswerStream, type SaidText, TranscriptionStream } from './transcription-stream.js';
import type { TranscriptionWishes } from './transcription-wishes.js';

/** One answer: whole at the end, or streamed from its first word on. */
export class TranscriptionAnswer {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #isMistral: boolean;
  #stream: AnswerStream | undefined;
  /** Words said before it was known how to tell them. */
  #said: SaidText[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    this.#isMistral = isMistralClient(request.headers['user-agent']);
  }

  /** From here on words are streamed as they come. */
  begin({ model }: TranscriptionWishes): void {
    if (this.#stream !== undefined) return;
    const createdS = Math.floor(this.#clock.unixMs() / 1000);
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

  end(wishes: TranscriptionWishes, transcribed: Transcribed): void {
    if (wishes.stream) this.begin(wishes);
    if (this.#stream !== undefined) {
      this.#write(this.#stream.end(transcribed, wishes));
      this.#response.end();
      return;
    }
    const { body, headers } = answerOf(wishes, transcribed);
    send(this.#response, 200, body, headers);
  }

  fail(error: HttpError): void {
    if (this.#response.headersSent) {
      this.#response.end(this.#stream?.failure(error));
      return;
    }
    const headers: Record<string, string> =
      error.status === 503 ? { 'retry-after': String(RETRY_AFTER_S) } : {};
    sendError(this.#response, error, headers);
  }

  /** Not waited for: the sender may read nothing until it has sent everything, and text is small beside its audio. */
  #write(frames: string): void {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    this.#response.write(frames);
  }
}
