import { type ChannelWish, type Lanes, laneLabel } from '@kikitori/audio/channels';
import { AUDIO_ERRORS, AudioError } from '@kikitori/audio/errors';
import {
  type DecodedFile,
  decodeFile,
  descriptorOf,
  isStreamPath,
  type RawFormat,
  rawFormatOfName,
} from '@kikitori/audio/file';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import type { SourceLanes, SpeechSource } from './source.js';

/** What is to be read. */
export interface FileRequest {
  /** A path, or `-` for stdin, which `/dev/stdin` is as well. */
  readonly file: string;
  /** Given: the bytes have no header. */
  readonly rawFormat: RawFormat | undefined;
  /** Default `mix`. */
  readonly channels?: ChannelWish;
}

/** What to call bytes of a stream that no format can be found in: what Realtime speaks, 16-bit 16 kHz mono. */
const STREAM_NAME = 'stdin.raw';

const BLENDED =
  'The two channels hold different voices, which were mixed: a pipe cannot be looked through first. Give --channels each, or the path of a file.';

/**
 * Opens a file, stdin, or what is read like it (`/dev/fd/3`, a FIFO), of any kind. Rejects with `CliError` that names the file,
 * or `usage` when stdin is a keyboard, and for stdin with `AudioError`.
 * `remark` is told in a sentence what people should know about it.
 */
export async function openFileSource(
  request: FileRequest,
  context: Context,
  remark: (sentence: string) => void,
): Promise<SpeechSource> {
  const file = descriptorOf(request.file) === 0 ? '-' : request.file;
  const isStdin = file === '-';
  if (isStdin && context.stdin.isTerminal) {
    throw new CliError(
      'usage',
      'Nothing is piped to stdin; give a file, or "kikitori listen" for the microphone.',
    );
  }
  const isStream = isStdin || (await isStreamPath(file));
  const isNamed = rawFormatOfName(file) !== undefined;
  const decoded = await decodeFile(isStdin ? context.stdin : file, {
    signal: context.signal,
    channels: request.channels ?? 'mix',
    ...(isStream ? { fileName: isNamed ? file : STREAM_NAME } : {}),
    ...(request.rawFormat === undefined ? {} : { rawFormat: request.rawFormat }),
  }).catch((error: unknown) => {
    throw naming(file, error);
  });
  if (isStream && !isNamed && decoded.format === 'raw' && request.rawFormat === undefined) {
    const where = isStdin ? 'stdin' : file;
    remark(`No header on ${where}: taken as raw s16le:16000:1 (--raw-format says otherwise).`);
  }
  return {
    samples: remarking(file, decoded, remark),
    lanes: lanesOf(decoded.lanes, request.channels === 'auto'),
    durationMs: isStream ? undefined : decoded.durationMs,
    close: () => decoded.close(),
  };
}

function lanesOf(lanes: Lanes, isFound: boolean): SourceLanes | undefined {
  if (lanes.length === 1) return undefined;
  return { labels: lanes.map(laneLabel), isFound };
}

/** The same error, saying of which file: people give several, and patterns. */
function naming(file: string, error: unknown): unknown {
  if (!(error instanceof AudioError) || file === '-') return error;
  const code = AUDIO_ERRORS[error.code].exitCode === 2 ? 'bad_input' : 'service_failed';
  return new CliError(code, `${file}: ${error.message}`, { cause: error });
}

/** The samples; what is to be said about them is said as soon as it is known. */
async function* remarking(
  file: string,
  decoded: DecodedFile,
  remark: (sentence: string) => void,
): AsyncGenerator<Float32Array> {
  const atOnce = decoded.remarks;
  for (const sentence of atOnce) remark(sentence);
  try {
    yield* decoded;
  } catch (error) {
    throw naming(file, error);
  }
  for (const sentence of decoded.remarks) if (!atOnce.includes(sentence)) remark(sentence);
  if (decoded.isBlended) remark(BLENDED);
}
