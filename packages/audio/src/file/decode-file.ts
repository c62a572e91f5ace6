import { AudioError } from '../errors.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '../limits.js';
import { type ByteSource, type FileSource, openByteSource } from './byte-source.js';
import { openLibrary } from './decoder-host.js';
import { openFfmpeg } from './ffmpeg-decoder.js';
import { findFfmpeg } from './find-ffmpeg.js';
import { type AudioFormat, FORMATS } from './format-table.js';
import { DURATION_MS_MAX, STALL_TIMEOUT_MS } from './limits.js';
import { openPcm } from './own-decoder.js';
import { pcmLayoutOf } from './pcm-layout.js';
import type { DecoderName, PcmStream } from './pcm-stream.js';
import { checkRawFormat, codecOfName, type RawFormat, rawFormatOfName } from './raw-format.js';
import { type NotAudio, sniff } from './sniff.js';
import { speechChunks } from './speech-chunks.js';
import { isIndexFirst, spool } from './spool.js';
import { isPlayableWav, openWav } from './wav-source.js';

/** Options of `decodeFile`. */
export interface DecodeFileOptions {
  /** Ends everything: the child process or thread is gone, and the loop throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** For bytes without a header. Given: the content is not looked at. */
  readonly rawFormat?: RawFormat;
  /** A name whose extension may stand for a raw format; default: the path. Never decides against the content. */
  readonly fileName?: string;
  /**
   * Called when all that a decoder needs to begin has come (a stream that is read out of order: all of it), and before it
   * begins. What it throws ends everything.
   */
  readonly beforeDecoding?: () => void;
  /** A program to use for ffmpeg; `false`: use none. Default: `KIKITORI_FFMPEG`, else the one on PATH. */
  readonly ffmpeg?: string | false;
  /** More sound than this, ms, is refused (`too_large`); default one day. */
  readonly maxDurationMs?: number;
  /** A decoder that has work and answers nothing for so long, ms, is ended (`decoder_stalled`); default 30 s. */
  readonly stallTimeoutMs?: number;
}

/**
 * An audio file that is being decoded. Iterate it once: mono samples at 16 kHz, −1…1, in chunks of at most half a
 * second, each a fresh array. Nothing is read ahead beyond one piece, so a slow loop slows the decoder down.
 * Leaving the loop closes everything; who does not loop calls `close()`.
 */
export interface DecodedFile extends AsyncIterable<Float32Array<ArrayBuffer>>, AsyncDisposable {
  /** Found from the content. */
  readonly format: AudioFormat;
  readonly decoder: DecoderName;
  /** Rate of the file, Hz. */
  readonly sampleRateHz: number;
  /** Channels of the file; a decoder that always gives two says two. */
  readonly channels: number;
  /** What the file's header promises, ms; undefined where it says nothing. For progress, not for truth. */
  readonly durationMs: number | undefined;
  /** After the loop: parts were missing or broken, and what could be read was given. */
  readonly isDamaged: boolean;
  /** Ends the decoder, lets go of the source. Idempotent. */
  close(): Promise<void>;
}

/**
 * Decodes an audio file of (nearly) any format: our own parsers for WAV, AIFF, AU, CAF and raw samples, then the
 * system's ffmpeg, then the libraries that come with this package. Resolves when the first sound (or an empty end) is
 * there. Throws `AudioError`: `file_not_found`, `file_unreadable`, `not_audio`, `no_audio_track`, `file_damaged`,
 * `decode_failed`, `decoder_missing` (the message says what to install), `decoder_stalled`, `file_encrypted`,
 * `ffmpeg_unusable`, `too_large`, `invalid_argument`; or the signal's reason.
 */
export async function decodeFile(source: FileSource, options: DecodeFileOptions = {}): Promise<DecodedFile> {
  const ladder = new Ladder(source, options);
  try {
    return await ladder.open();
  } catch (error) {
    await ladder.close();
    throw error;
  }
}

interface Opened {
  readonly format: AudioFormat;
  readonly stream: PcmStream;
}

class Ladder {
  readonly #from: FileSource;
  readonly #options: DecodeFileOptions;
  readonly #signal: AbortSignal;
  readonly #stallTimeoutMs: number;
  readonly #maxDurationMs: number;
  #hasBegun = false;
  #source: ByteSource | undefined;
  #stream: PcmStream | undefined;

  constructor(source: FileSource, options: DecodeFileOptions) {
    this.#from = source;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? STALL_TIMEOUT_MS;
    this.#maxDurationMs = options.maxDurationMs ?? DURATION_MS_MAX;
  }

  async open(): Promise<DecodedFile> {
    this.#signal.throwIfAborted();
    if (this.#options.rawFormat !== undefined) checkRawFormat(this.#options.rawFormat);
    if (!(this.#stallTimeoutMs > 0 && this.#maxDurationMs > 0)) {
      throw new AudioError('invalid_argument', 'Limits of time are positive numbers of milliseconds.');
    }
    const isRaw = this.#options.rawFormat !== undefined;
    const source = await openByteSource(this.#from, this.#signal, (probe) => isRaw || isPlayableWav(probe));
    this.#source = source;
    const { format, stream } = await this.#climb(source);
    this.#stream = stream;
    checkFacts(stream);
    const chunks = speechChunks(stream, this.#maxDurationMs);
    // The first chunk is waited for: a file that can not be decoded fails here and not in the caller's loop.
    const first = await chunks.next();
    return this.#decoded(format, stream, this.#chunks(first, chunks));
  }

  async close(): Promise<void> {
    await this.#stream?.close();
    await this.#source?.close();
  }

  async #climb(source: ByteSource): Promise<Opened> {
    const { rawFormat, fileName = source.path ?? '' } = this.#options;
    if (rawFormat !== undefined) return this.#raw(source, rawFormat);
    const found = sniff(source.probe, source.whole);
    if (found.kind === 'audio') return this.#decode(source, found.format);
    const named = rawFormatOfName(fileName);
    if (found.looksLike === 'unknown' && named !== undefined) return this.#raw(source, named);
    const codec = codecOfName(fileName);
    if (found.looksLike === 'unknown' && codec !== undefined) return this.#decode(source, codec);
    throw new AudioError('not_audio', NOT_AUDIO_SENTENCES[found.looksLike]);
  }

  async #decode(source: ByteSource, format: AudioFormat): Promise<Opened> {
    if (!FORMATS[format].seeks) this.#begin();
    const own = format === 'wav' || format === 'w64' ? await openWav(source) : undefined;
    if (own !== undefined) return { format, stream: own };
    const layout = pcmLayoutOf(format, source.probe);
    if (layout !== undefined) {
      this.#begin();
      return { format, stream: openPcm(source, layout) };
    }
    const { ffmpeg } = this.#options;
    const program = ffmpeg === undefined ? await findFfmpeg() : ffmpeg === false ? undefined : ffmpeg;
    const { demuxer } = FORMATS[format];
    const readable = await this.#inOrder(source, format, program !== undefined);
    this.#begin();
    const stream =
      program === undefined || demuxer === undefined
        ? await this.#withLibrary(readable, format)
        : await this.#withFfmpeg(readable, format, program, demuxer);
    return { format, stream };
  }

  #raw(source: ByteSource, format: RawFormat): Opened {
    this.#begin();
    return { format: 'raw', stream: openPcm(source, { ...format, dataOffset: 0, dataBytes: undefined }) };
  }

  /** Says once that decoding begins. */
  #begin(): void {
    if (!this.#hasBegun) this.#options.beforeDecoding?.();
    this.#hasBegun = true;
  }

  /** A stream of a format that is read out of order goes through a temporary file. */
  async #inOrder(source: ByteSource, format: AudioFormat, hasFfmpeg: boolean): Promise<ByteSource> {
    if (source.path !== undefined || !FORMATS[format].seeks) return source;
    if (hasFfmpeg ? format === 'mp4' && isIndexFirst(source.probe) : format !== 'mp4') return source;
    this.#source = await spool(source, this.#signal);
    return this.#source;
  }

  async #withFfmpeg(
    source: ByteSource,
    format: AudioFormat,
    program: string,
    demuxer: string,
  ): Promise<PcmStream> {
    const limits = { stallTimeoutMs: this.#stallTimeoutMs, maxDurationMs: this.#maxDurationMs };
    try {
      return await openFfmpeg(source, { program, demuxer, ...limits, signal: this.#signal });
    } catch (error) {
      // A file of headers alone is an error to ffmpeg, and an empty recording to our decoders; and a small build
      // of ffmpeg may lack a decoder that we carry.
      const isOpen = error instanceof AudioError && /^(decode_failed|decoder_missing)$/.test(error.code);
      if (!isOpen || !source.whole || !HAS_LIBRARY.has(format)) throw error;
      const again = await openByteSource(source.probe, this.#signal);
      return await this.#withLibrary(again, format).catch(() => Promise.reject(error));
    }
  }

  #withLibrary(source: ByteSource, format: AudioFormat): Promise<PcmStream> {
    if (!HAS_LIBRARY.has(format)) {
      const message = `${FORMATS[format].label} needs ffmpeg: install it (ffmpeg.org, or your system's packages), or convert the file to WAV.`;
      throw new AudioError('decoder_missing', message);
    }
    return openLibrary(source, { format, stallTimeoutMs: this.#stallTimeoutMs, signal: this.#signal });
  }

  #decoded(
    format: AudioFormat,
    stream: PcmStream,
    chunks: AsyncGenerator<Float32Array<ArrayBuffer>, void>,
  ): DecodedFile {
    const close = (): Promise<void> => this.close();
    return {
      format,
      decoder: stream.decoder,
      sampleRateHz: stream.sampleRateHz,
      channels: stream.channels,
      durationMs: stream.durationMs,
      get isDamaged() {
        return stream.isDamaged();
      },
      close,
      [Symbol.asyncDispose]: close,
      [Symbol.asyncIterator]: () => chunks,
    };
  }

  async *#chunks(
    first: IteratorResult<Float32Array<ArrayBuffer>, void>,
    rest: AsyncGenerator<Float32Array<ArrayBuffer>, void>,
  ): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    try {
      if (first.done === true) return;
      yield first.value;
      for await (const chunk of rest) {
        this.#signal.throwIfAborted();
        yield chunk;
      }
    } finally {
      await this.close();
    }
  }
}

/** A header may say anything; what no converter can be built for is damage and not a mistake of the caller. */
function checkFacts({ sampleRateHz, channels }: PcmStream): void {
  const rateFits =
    Number.isInteger(sampleRateHz) &&
    sampleRateHz >= SAMPLE_RATE_HZ_MIN &&
    sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  if (rateFits && Number.isInteger(channels) && channels >= 1 && channels <= CHANNELS_MAX) return;
  throw new AudioError('file_damaged', 'This file states an impossible sample rate or number of channels.');
}

/** Formats that the libraries read, wholly or in part (WebM with Opus, MOV with PCM). */
const HAS_LIBRARY: ReadonlySet<AudioFormat> = new Set<AudioFormat>([
  'mp3',
  'flac',
  'ogg-opus',
  'ogg-vorbis',
  'ogg-flac',
  'matroska',
  'mp4',
]);

const NOT_AUDIO_SENTENCES: Readonly<Record<NotAudio, string>> = {
  empty: 'This file is empty; record or download it again.',
  text: 'This is text and not audio (an error page, perhaps); download the file again.',
  playlist: 'This is a playlist and not audio; give the audio file that it names.',
  picture: 'This is a picture and not audio; give an audio file.',
  document: 'This is an archive or a document and not audio; unpack it, or give an audio file.',
  unknown: 'This is no audio format that we know; convert it to WAV, or say which raw format it has.',
};
