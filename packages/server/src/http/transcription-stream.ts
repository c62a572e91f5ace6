import { randomBytes } from 'node:crypto';
import type { HttpError } from '../errors.js';
import { errorBody } from './answers.js';
import type { Transcribed } from './file-exchange.js';
import { remarked, textOf, tokensOf } from './transcription-formats.js';
import type { TranscriptionWishes } from './transcription-wishes.js';

/** Text on its way to whoever has the answer streamed. */
export interface SaidText {
  readonly text: string;
  readonly isUnsure: boolean;
  readonly label: string | undefined;
}

/** Writes an answer that is streamed, frame by frame. */
export interface AnswerStream {
  /** New text. */
  delta(said: SaidText): string;
  /** Everything behind the last text. */
  end(transcribed: Transcribed, wishes: TranscriptionWishes): string;
  /** An error after the answer has begun. */
  failure(error: HttpError): string;
}

/** Joins texts that begin with a space for every word to one without the first; a line begins where another channel does. */
export class ContinuedText {
  #label: string | undefined;
  #isFirst = true;

  next({ text, label }: SaidText): string {
    const isNewLine = this.#label !== undefined && label !== this.#label;
    const isFirst = this.#isFirst;
    this.#label = label;
    this.#isFirst = false;
    if (isNewLine) return `\n${text.trimStart()}`;
    return isFirst ? text.trimStart() : text;
  }
}

/**
 * The frames of an answer that is streamed: server-sent events, each of which is an event of OpenAI's and a chunk of vLLM's at
 * once. Whose client it is cannot be told from a request (many take OpenAI's library to ask vLLM); either reads the members that it
 * knows. Unset members are left out, as vLLM does.
 */
export class TranscriptionStream implements AnswerStream {
  readonly #id = `transcribe-${randomBytes(16).toString('hex')}`;
  readonly #created: number;
  readonly #model: string;
  readonly #text = new ContinuedText();
  #isFirst = true;

  constructor(options: { readonly createdS: number; readonly model: string }) {
    this.#created = options.createdS;
    this.#model = options.model;
  }

  /** For vLLM's clients the first word has a leading space, too, as in the Realtime deltas. `unsure` and `label` are ours. */
  delta(said: SaidText): string {
    const { text, isUnsure, label } = said;
    const delta = this.#text.next(said);
    const content = this.#isFirst ? text : delta;
    this.#isFirst = false;
    return this.#chunk(
      { type: 'transcript.text.delta', delta },
      {
        choices: [{ delta: { content } }],
        ...(isUnsure ? { unsure: true } : {}),
        ...(label === undefined ? {} : { label }),
      },
    );
  }

  end(transcribed: Transcribed, { includeUsage }: TranscriptionWishes): string {
    const usage = tokensOf(transcribed);
    const { prompt_tokens: input_tokens, completion_tokens: output_tokens } = usage;
    const done = {
      type: 'transcript.text.done',
      text: textOf(transcribed.utterances),
      usage: { type: 'tokens', input_tokens, output_tokens, ...usage },
    };
    const stop = this.#chunk(done, {
      choices: [{ delta: { content: '' }, finish_reason: 'stop', stop_reason: null }],
      ...remarked(transcribed.remarks),
    });
    return stop + (includeUsage ? this.#chunk({}, { choices: [], usage }) : '') + DONE;
  }

  failure(error: HttpError): string {
    return `data: ${errorBody(error)}\n\n${DONE}`;
  }

  #chunk(event: object, members: object): string {
    const head = { id: this.#id, object: 'transcription.chunk', created: this.#created, model: this.#model };
    return `data: ${JSON.stringify({ ...event, ...head, ...members })}\n\n`;
  }
}

const DONE = 'data: [DONE]\n\n';
