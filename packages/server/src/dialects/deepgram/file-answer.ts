import { randomUUID } from 'node:crypto';
import type { Transcribed } from '../../http/file-exchange.js';
import type { FileUtterance } from '../../http/recognise.js';
import type { Members } from '../json-object.js';
import { MODEL_UUID, modelInfo } from './model-info.js';
import { type ListenWord, listenWords, seconds, textOf } from './words.js';

export interface FileAnswerOptions {
  readonly requestId: string;
  readonly createdMs: number;
  /** Of the body, hexadecimal. */
  readonly sha256: string;
  /** As the answer names it. */
  readonly model: string;
  /** What is spoken; undefined: nobody asked, or nobody knows. */
  readonly detectedLanguage: string | undefined;
  readonly utterances: boolean;
}

/** What a client that sent a file to `/v1/listen` is told: each channel that was heard apart, or all as one. */
export function fileAnswer(transcribed: Transcribed, options: FileAnswerOptions): Members {
  const { audioMs, lanes, utterances, remarks } = transcribed;
  const said = Array.from({ length: lanes }, (_, lane) => utterances.filter((each) => laneOf(each) === lane));
  return {
    metadata: {
      transaction_key: 'deprecated',
      request_id: options.requestId,
      sha256: options.sha256,
      created: new Date(options.createdMs).toISOString(),
      duration: seconds(audioMs),
      channels: lanes,
      models: [MODEL_UUID],
      model_info: { [MODEL_UUID]: modelInfo(options.model) },
      // Ours, as in every answer about a file.
      ...(remarks.length === 0 ? {} : { remarks }),
    },
    results: {
      channels: said.map((each) => channelOf(each, options.detectedLanguage)),
      ...(options.utterances ? { utterances: utterances.map(utteranceOf) } : {}),
    },
  };
}

function channelOf(utterances: readonly FileUtterance[], language: string | undefined): Members {
  const words = utterances.flatMap(wordsOf);
  const transcript = words.map((word) => word.punctuated_word).join(' ');
  return {
    ...(language === undefined ? {} : { detected_language: language }),
    alternatives: [{ transcript, confidence: meanConfidence(words), words }],
  };
}

function utteranceOf(utterance: FileUtterance): Members {
  const words = wordsOf(utterance);
  return {
    start: seconds(utterance.startMs),
    end: seconds(utterance.endMs),
    confidence: meanConfidence(words),
    channel: laneOf(utterance),
    transcript: textOf({ ...utterance, tail: '', isUnsure: false }),
    words,
    id: randomUUID(),
  };
}

function wordsOf({ words, startMs, endMs, unsure }: FileUtterance): readonly ListenWord[] {
  return listenWords({ words, tail: '', startMs, isUnsure: unsure === true }, endMs);
}

function laneOf({ lane = 0 }: FileUtterance): number {
  return lane;
}

/** Of nothing said it is none. */
function meanConfidence(words: readonly ListenWord[]): number {
  const sum = words.reduce((total, { confidence }) => total + confidence, 0);
  return words.length === 0 ? 0 : sum / words.length;
}
