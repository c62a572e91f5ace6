import { toPlainText, toSrt, toVtt } from '@kikitori/protocol/subtitles';
import type { Transcribed } from './file-exchange.js';
import type { FileUtterance, Recognised } from './recognise.js';
import type { TranscriptionWishes } from './transcription-wishes.js';

/** The body of an answer and its headers. */
export interface WholeAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const FRAME_MS = 80;

/**
 * What only Whisper can say of a segment. Clients want numbers, and drop segments by them: these are in the middle of what they
 * keep (a probability of 1, text that repeats nothing, surely speech), and say nothing. What we do know is `unsure`.
 */
const NOT_WHISPER = { avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 };

/** A whole answer in the format asked for. Remarks stand in a header, and where it is an object in that, too. */
export function answerOf(wishes: TranscriptionWishes, transcribed: Transcribed): WholeAnswer {
  const { contentType, body } = bodyOf(wishes, transcribed);
  return { headers: { 'content-type': contentType, ...remarkHeaders(transcribed.remarks) }, body };
}

/** Remarks for whoever reads headers. */
export function remarkHeaders(remarks: readonly string[]): Readonly<Record<string, string>> {
  return remarks.length === 0 ? {} : { 'x-kikitori-remarks': remarks.join(' ') };
}

function bodyOf(
  wishes: TranscriptionWishes,
  transcribed: Transcribed,
): { readonly contentType: string; readonly body: string } {
  const { utterances } = transcribed;
  const json = 'application/json';
  switch (wishes.format) {
    case 'json':
      return { contentType: json, body: JSON.stringify(plainOf(wishes, transcribed)) };
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', body: `${textOf(utterances)}\n` };
    case 'srt':
      return { contentType: 'application/x-subrip; charset=utf-8', body: toSrt(utterances) };
    case 'vtt':
      return { contentType: 'text/vtt; charset=utf-8', body: toVtt(utterances) };
    case 'verbose_json':
      return { contentType: json, body: JSON.stringify(verboseOf(wishes, transcribed)) };
    default:
      return wishes.format satisfies never;
  }
}

/** OpenAI's `json`, with what Mistral's clients want beside it; their segments only where somebody asked for times. */
function plainOf(wishes: TranscriptionWishes, transcribed: Transcribed): object {
  const { model, language, segments, words } = wishes;
  const { utterances, remarks } = transcribed;
  return {
    text: textOf(utterances),
    model,
    // Mistral's clients want the member, and take null for a language that nobody knows.
    language: language ?? null,
    ...(segments || words ? { segments: timedTexts(wishes, utterances) } : {}),
    usage: usageOf(transcribed),
    ...doubtOf(utterances),
    ...remarked(remarks),
  };
}

function verboseOf(wishes: TranscriptionWishes, transcribed: Transcribed): object {
  const { model, language, segments, words } = wishes;
  const { audioMs, utterances, remarks } = transcribed;
  return {
    task: 'transcribe',
    // OpenAI's schema wants one: `und` is the tag of a language that nobody knows.
    language: language ?? 'und',
    model,
    duration: audioMs / 1000,
    text: textOf(utterances),
    ...(segments ? { segments: utterances.map(segmentOf) } : {}),
    ...(words ? { words: wordsOf(utterances) } : {}),
    usage: usageOf(transcribed),
    ...remarked(remarks),
  };
}

/** Mistral's segments: utterances, or single words where those were asked for. Times in seconds. */
export function timedTexts(
  { words }: Pick<TranscriptionWishes, 'words'>,
  utterances: readonly FileUtterance[],
): readonly object[] {
  const pieces = words
    ? utterances.flatMap((each) => each.words.map((word) => ({ ...word, label: each.label })))
    : utterances.map((each) => ({ ...each, text: each.words.map(({ text }) => text).join(' ') }));
  return pieces.map(({ text, startMs, endMs, label }) => ({
    type: 'transcription_segment',
    text,
    start: startMs / 1000,
    end: endMs / 1000,
    ...(label === undefined ? {} : { label }),
  }));
}

/** A member of ours, there only when there is something to say. */
export function remarked(remarks: readonly string[]): { readonly remarks?: readonly string[] } {
  return remarks.length === 0 ? {} : { remarks };
}

/** Words alone, as OpenAI and vLLM give them; of several channels a line for each utterance, behind its label. */
export function textOf(utterances: readonly FileUtterance[]): string {
  if (utterances.some(({ label }) => label !== undefined)) return toPlainText(utterances).trimEnd();
  return utterances.flatMap(({ words }) => words.map((word) => word.text)).join(' ');
}

/** Ours, and there only when true: a part of the text does not sound like a language that the model hears. */
function doubtOf(utterances: readonly FileUtterance[]): { readonly unsure?: true } {
  return utterances.some(({ unsure }) => unsure === true) ? { unsure: true } : {};
}

/** OpenAI bills by seconds, Mistral by seconds and tokens; either reads its own members. */
export function usageOf(transcribed: Transcribed): object {
  const seconds = Math.ceil(transcribed.audioMs / 1000);
  return { type: 'duration', seconds, prompt_audio_seconds: seconds, ...tokensOf(transcribed) };
}

/** What vLLM counts: 80 ms frames of audio, and tokens of the words. */
export function tokensOf({ audioMs, tokens }: Recognised): {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens: number;
} {
  const frames = Math.ceil(audioMs / FRAME_MS);
  return { prompt_tokens: frames, total_tokens: frames + tokens, completion_tokens: tokens };
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

/** OpenAI's members. `unsure` and `label` are ours, and there only when they say something. */
function segmentOf({ startMs, endMs, words, unsure, label }: FileUtterance, id: number): unknown {
  return {
    id,
    seek: 0,
    start: startMs / 1000,
    end: endMs / 1000,
    text: words.map((word) => ` ${word.text}`).join(''),
    tokens: [],
    temperature: 0,
    ...NOT_WHISPER,
    ...(unsure === undefined ? {} : { unsure }),
    ...(label === undefined ? {} : { label }),
  };
}
