import type { HttpError } from '../errors.js';
import { errorBody } from './answers.js';
import type { Transcribed } from './file-exchange.js';
import { remarked, textOf, timedTexts, usageOf } from './transcription-formats.js';
import { type AnswerStream, ContinuedText, type SaidText } from './transcription-stream.js';
import type { TranscriptionWishes } from './transcription-wishes.js';

/**
 * Mistral's clients take its own events and no others: an `event:` line is obligatory, and an unknown `type` ends their stream. So
 * they are told by the name that their libraries give themselves.
 */
export function isMistralClient(userAgent: string | undefined): boolean {
  return userAgent?.toLowerCase().includes('mistral') === true;
}

/** The frames of an answer that is streamed to one of Mistral's clients. */
export class MistralStream implements AnswerStream {
  readonly #text = new ContinuedText();

  delta(said: SaidText): string {
    return frame({ type: 'transcription.text.delta', text: this.#text.next(said) });
  }

  end(transcribed: Transcribed, wishes: TranscriptionWishes): string {
    const asksTimes = wishes.segments || wishes.words;
    const segments = asksTimes ? timedTexts(wishes, transcribed.utterances) : [];
    const told = segments.map((segment) => frame({ ...segment, type: 'transcription.segment' }));
    const done = frame({
      type: 'transcription.done',
      model: wishes.model,
      text: textOf(transcribed.utterances),
      language: wishes.language ?? null,
      segments,
      usage: usageOf(transcribed),
      ...remarked(transcribed.remarks),
    });
    return told.join('') + done;
  }

  failure(error: HttpError): string {
    return `event: error\ndata: ${errorBody(error)}\n\n`;
  }
}

function frame(event: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
