import { randomBytes } from 'node:crypto';
import { toPlainText, toSrt, toVtt } from '@kikitori/protocol/subtitles';
import type { HttpError } from '../errors.js';
import { errorBody } from './answers.js';
import type { FileUtterance, Recognised } from './recognise.js';
import type { TranscriptionWishes } from './transcription-wishes.js';

/** The body of an answer and its headers. */
export interface TranscriptionAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What was heard, and what people should know about the file, in sentences. */
export interface Transcribed extends Recognised {
  readonly remarks: readonly string[];
}

/** Text on its way to whoever has the answer streamed. */
export interface SaidText {
  readonly text: string;
  readonly isUnsure: boolean;
  readonly label: string | undefined;
}

const FRAME_MS = 80;

/** A whole answer in the format asked for. Remarks stand in a header, and where it is an object in that, too. */
export function answerOf(wishes: TranscriptionWishes, transcribed: Transcribed): TranscriptionAnswer {
  const { contentType, body } = bodyOf(wishes, transcribed);
  const { remarks } = transcribed;
  const told = remarks.length === 0 ? {} : { 'x-kikitori-remarks': remarks.join(' ') };
  return { headers: { 'content-type': contentType, ...told }, body };
}

function bodyOf(
  { format, segments, words, language }: TranscriptionWishes,
  { audioMs, utterances, remarks }: Transcribed,
): { readonly contentType: string; readonly body: string } {
  const text = textOf(utterances);
  const json = 'application/json';
  switch (format) {
    case 'json': {
      const body = { text, usage: usageOf(audioMs), ...doubtOf(utterances), ...remarked(remarks) };
      return { contentType: json, body: JSON.stringify(body) };
    }
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
    case 'srt':
      return { contentType: 'application/x-subrip; charset=utf-8', body: toSrt(utterances) };
    case 'vtt':
      return { contentType: 'text/vtt; charset=utf-8', body: toVtt(utterances) };
    case 'verbose_json': {
      const body = {
        task: 'transcribe',
        // OpenAI's schema wants one: `und` is the tag of a language that nobody knows.
        language: language ?? 'und',
        duration: audioMs / 1000,
        text,
        ...(segments ? { segments: utterances.map(segmentOf) } : {}),
        ...(words ? { words: wordsOf(utterances) } : {}),
        usage: usageOf(audioMs),
        ...remarked(remarks),
      };
      return { contentType: json, body: JSON.stringify(body) };
    }
    default:
      return format satisfies never;
  }
}

/** A member of ours, there only when there is something to say. */
function remarked(remarks: readonly string[]): { readonly remarks?: readonly string[] } {
  return remarks.length === 0 ? {} : { remarks };
}

/** The frames of an answer that is streamed, as vLLM writes them: server-sent events, unset members left out. */
export class TranscriptionStream {
  readonly #id = `transcribe-${randomBytes(16).toString('hex')}`;
  readonly #created: number;
  readonly #model: string;
  #label: string | undefined;

  constructor(options: { readonly createdS: number; readonly model: string }) {
    this.#created = options.createdS;
    this.#model = options.model;
  }

  /**
   * New text; a leading space for every word, as in the Realtime deltas. `unsure` and `label` are ours: a line begins where another
   * channel does.
   */
  delta({ text, isUnsure, label }: SaidText): string {
    const isNew = this.#label !== undefined && label !== this.#label;
    this.#label = label;
    return this.#chunk({
      choices: [{ delta: { content: isNew ? `\n${text.trimStart()}` : text } }],
      ...(isUnsure ? { unsure: true } : {}),
      ...(label === undefined ? {} : { label }),
    });
  }

  /** Everything behind the last text. */
  end({ audioMs, tokens, remarks }: Transcribed, includeUsage: boolean): string {
    const stop = this.#chunk({
      choices: [{ delta: { content: '' }, finish_reason: 'stop', stop_reason: null }],
      ...remarked(remarks),
    });
    if (!includeUsage) return stop + DONE;
    const promptTokens = Math.ceil(audioMs / FRAME_MS);
    const usage = {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens + tokens,
      completion_tokens: tokens,
    };
    return stop + this.#chunk({ choices: [], usage }) + DONE;
  }

  /** An error after the answer has begun. */
  static failure(error: HttpError): string {
    return `data: ${errorBody(error)}\n\n${DONE}`;
  }

  #chunk(members: Readonly<Record<string, unknown>>): string {
    const { choices, ...others } = members;
    const head = { id: this.#id, object: 'transcription.chunk', created: this.#created, model: this.#model };
    return `data: ${JSON.stringify({ ...head, choices, ...others })}\n\n`;
  }
}

const DONE = 'data: [DONE]\n\n';

/** Words alone, as OpenAI and vLLM give them; of several channels a line for each utterance, behind its label. */
function textOf(utterances: readonly FileUtterance[]): string {
  if (utterances.some(({ label }) => label !== undefined)) return toPlainText(utterances).trimEnd();
  return utterances.flatMap(({ words }) => words.map((word) => word.text)).join(' ');
}

/** Ours, and there only when true: a part of the text does not sound like a language that the model hears. */
function doubtOf(utterances: readonly FileUtterance[]): { readonly unsure?: true } {
  return utterances.some(({ unsure }) => unsure === true) ? { unsure: true } : {};
}

function usageOf(audioMs: number): unknown {
  return { type: 'duration', seconds: Math.ceil(audioMs / 1000) };
}

function wordsOf(utterances: readonly FileUtterance[]): unknown {
  return utterances.flatMap(({ words, label }) =>
    words.map((word) => ({
      word: word.text,
      start: word.startMs / 1000,
      end: word.endMs / 1000,
      ...(label === undefined ? {} : { label }),
    })),
  );
}

/** OpenAI's members; what only Whisper can say is null and not invented. `unsure` and `label` are ours, and there only when
 * they say something. */
function segmentOf({ startMs, endMs, words, unsure, label }: FileUtterance, id: number): unknown {
  return {
    id,
    seek: 0,
    start: startMs / 1000,
    end: endMs / 1000,
    text: words.map((word) => ` ${word.text}`).join(''),
    tokens: [],
    temperature: 0,
    avg_logprob: null,
    compression_ratio: null,
    no_speech_prob: null,
    ...(unsure === undefined ? {} : { unsure }),
    ...(label === undefined ? {} : { label }),
  };
}
