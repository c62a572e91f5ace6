import { type ChannelWish, parseChannelWish } from '@kikitori/audio/channels';
import { AUTO_LANGUAGE, languageProblem, parseLanguage } from '@kikitori/protocol/languages';
import { refusal } from '../errors.js';
import type { FileWishes, Served } from './file-exchange.js';
import { NO_MODEL } from './models.js';
import type { FormFields } from './upload-form.js';

const FORMATS = ['json', 'text', 'verbose_json', 'srt', 'vtt'] as const;
const GRANULARITIES = ['segment', 'word'] as const;

export type ResponseFormat = (typeof FORMATS)[number];

/** What the fields of `POST /v1/audio/transcriptions` ask for. Fields that an engine here has no use for are ignored. */
export interface TranscriptionWishes extends FileWishes {
  readonly format: ResponseFormat;
  readonly includeUsage: boolean;
  readonly segments: boolean;
  readonly words: boolean;
  /** The served name of the model that answers. */
  readonly model: string;
  /** What the answer names; undefined: nobody knows. */
  readonly language: string | undefined;
}

/**
 * Reads the fields.
 *
 * @throws ServerError `request_refused`: 400, or 404 for an unknown model
 */
export function wishesOf(fields: FormFields, served: Served): TranscriptionWishes {
  const model = modelOf(fields, served);
  const language = languageOf(fields, served);
  const format = oneOf(FORMATS, last(fields, 'response_format') ?? 'json');
  if (format === undefined) {
    throw refusal(
      400,
      'Currently only support response_format: `json`, `text`, `verbose_json`, `srt` or `vtt`',
      'response_format',
    );
  }
  const stream = flagOf(fields, 'stream');
  if (stream && format !== 'json' && format !== 'text') {
    throw refusal(400, `${format} format doesn't support streaming case`, 'response_format');
  }
  const granularities = granularitiesOf(fields, format);
  return {
    format,
    stream,
    includeUsage: flagOf(fields, 'stream_include_usage'),
    segments: granularities.includes('segment'),
    words: granularities.includes('word'),
    model,
    language,
    channels: channelsOf(fields),
  };
}

function modelOf(fields: FormFields, { models }: Served): string {
  const model = models.find(last(fields, 'model') ?? '');
  if (model !== undefined) return model;
  throw refusal(NO_MODEL.status, NO_MODEL.message, NO_MODEL.param);
}

/** The language that the answer names: the one asked for, else the first that the model hears, else undefined. */
function languageOf(fields: FormFields, { languages }: Served): string | undefined {
  const wanted = last(fields, 'language') ?? AUTO_LANGUAGE;
  const problem = languageProblem(wanted, languages);
  if (problem !== undefined) throw refusal(400, problem, 'language');
  const asked = parseLanguage(wanted);
  return asked === AUTO_LANGUAGE ? languages[0] : asked;
}

function channelsOf(fields: FormFields): ChannelWish {
  const wish = parseChannelWish(last(fields, 'channels') ?? 'auto');
  if (wish !== undefined) return wish;
  throw refusal(400, 'channels is auto, mix, each, or the number of a channel, such as 1 or 2.', 'channels');
}

/** With `[]` as OpenAI names the field, or without as Mistral does. */
function granularitiesOf(fields: FormFields, format: ResponseFormat): readonly string[] {
  const name = 'timestamp_granularities';
  const asked = [...(fields.get(`${name}[]`) ?? []), ...(fields.get(name) ?? [])];
  if (asked.length === 0) return format === 'verbose_json' ? ['segment'] : [];
  for (const granularity of asked) {
    if (oneOf(GRANULARITIES, granularity) === undefined) {
      throw refusal(400, 'timestamp_granularities[] is `segment` or `word`.', `${name}[]`);
    }
  }
  return asked;
}

/** pydantic's lax booleans, as vLLM takes them. */
const TRUE_WORDS: ReadonlySet<string> = new Set(['true', '1', 'yes', 'y', 'on', 't']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', '0', 'no', 'n', 'off', 'f', '']);

function flagOf(fields: FormFields, name: string): boolean {
  const value = (last(fields, name) ?? '').toLowerCase();
  if (TRUE_WORDS.has(value)) return true;
  if (FALSE_WORDS.has(value)) return false;
  throw refusal(400, `Input should be a valid boolean: ${name}`, name);
}

function oneOf<const T extends string>(known: readonly T[], value: string): T | undefined {
  return known.find((each) => each === value);
}

function last(fields: FormFields, name: string): string | undefined {
  return fields.get(name)?.at(-1);
}
