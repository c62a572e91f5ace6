import type { RawFormat } from '@kikitori/audio/file';
import { type AskedModel, type BadQuery, isOn, readAskedModel, readRawAudio } from './listen-query.js';

/** What the query of `POST /v1/listen` asks for. What is not named here is not read: it changes nothing. */
export interface FileQuery extends AskedModel {
  /** Of a file that is no container; undefined: the content says what it is. */
  readonly rawFormat: RawFormat | undefined;
  readonly multichannel: boolean;
  readonly detectLanguage: boolean;
  readonly utterances: boolean;
}

/** What says by itself what it is, or is none of ours: the content is looked at. */
const SELF_DESCRIBED = new Set(['', 'flac', 'opus', 'ogg-opus', 'speex', 'amr-nb', 'amr-wb', 'g729']);

const NO_CALLBACK =
  'Nothing is sent to a callback here: leave it out, and the text comes with the answer to this request.';

/** Reads it. Never throws. */
export function readFileQuery(query: string): FileQuery | BadQuery {
  const asked = new URLSearchParams(query);
  // Who asks for one does not look at the answer.
  if ((asked.get('callback') ?? '') !== '') return { problem: NO_CALLBACK };
  const rawFormat = readRawFormat(asked);
  if (rawFormat !== undefined && 'problem' in rawFormat) return rawFormat;
  return {
    ...readAskedModel(asked),
    rawFormat,
    multichannel: isOn(asked, 'multichannel'),
    detectLanguage: asked.has('detect_language') && asked.get('detect_language')?.toLowerCase() !== 'false',
    utterances: isOn(asked, 'utterances'),
  };
}

function readRawFormat(asked: URLSearchParams): RawFormat | BadQuery | undefined {
  if (SELF_DESCRIBED.has((asked.get('encoding') ?? '').toLowerCase())) return undefined;
  const audio = readRawAudio(asked);
  if ('problem' in audio) return audio;
  const { encoding, sampleRateHz, channels } = audio;
  return { encoding, sampleRateHz, channels };
}
