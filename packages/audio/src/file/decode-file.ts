import type { ChannelWish, Lanes } from '../channels/index.js';
import { AudioError } from '../errors.js';
import { type ByteSource, behindJunk, behindTags, type FileSource, openByteSource } from './byte-source.js';
import { openInThread } from './decoder-host.js';
import { mayStart } from './early-start.js';
import { openFfmpeg } from './ffmpeg-decoder.js';
import { findFfmpeg } from './find-ffmpeg.js';
import { type AudioFormat, FORMATS } from './format-table.js';
import { DECODED_SAMPLES_MAX, DURATION_MS_MAX, STALL_TIMEOUT_MS, THREADLESS_BYTES_MAX } from './limits.js';
import { pcmLayoutOf } from './pcm-layout.js';
import { checkRawFormat, codecOfName, type RawFormat, rawFormatOfName } from './raw-format.js';
import { remarksOn } from './remarks.js';
import { type NotAudio, sniff } from './sniff.js';
import {
  type DecoderName,
  type DecodingTask,
  type Hearing,
  openSpeech,
  type SpeechLimits,
  type SpeechStream,
} from './speech-stream.js';
import { isIndexFirst, spool } from './spool.js';
import { chooseTrack } from './track-choice.js';
import { isOwnWav } from './wav-source.js';

/** Options of `decodeFile`. */
export interface DecodeFileOptions {
  /** Ends everything: the child process or thread is gone, and the loop throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** For bytes without a header. Given: the content is not looked at. */
  readonly rawFormat?: RawFormat;
  /**
   * Default `mix`. `auto` looks through a file of two channels first (`CHANNELS_JUDGED_MS_MAX`), and hears them apart where they
   * hold different voices; a stream, which cannot be read twice, is mixed: `isBlended`. Other numbers of channels are mixed.
   */
  readonly channels?: ChannelWish;
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
  /**
   * More samples than this, of all channels at the file's own rate, are refused (`too_large`): at once where the header promises
   * them, else when they have come. Default: a day of eight channels at 48 kHz.
   */
  readonly maxSamples?: number;
  /** A decoder that has work and answers nothing for so long, ms, is ended (`decoder_stalled`); default 30 s. */
  readonly stallTimeoutMs?: number;
}

/**
 * An audio file that is being decoded. Iterate it once: samples at 16 kHz, −1…1, in chunks of at most half a second, each a
 * fresh array; mono, or where there are several `lanes` those interleaved. Nothing is read ahead beyond one piece, so a slow loop slows the decoder down.
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
  /** What is heard apart, each with the channels that are mixed for it, from 0 on; one lane unless `channels` asked for more. */
  readonly lanes: Lanes;
  /** What the file's header promises, ms; undefined where it says nothing. For progress, not for truth. */
  readonly durationMs: number | undefined;
  /** After the loop: parts were missing or broken, and what could be read was given. */
  readonly isDamaged: boolean;
  /** What people should know of it, in sentences: several tracks, at once; bytes that were left out and damage, after the loop. */
  readonly remarks: readonly string[];
  /** After the loop: the two channels of a stream hold different voices, which `auto` has mixed. */
  readonly isBlended: boolean;
  /** Ends the decoder, lets go of the source. Idempotent. */
  close(): Promise<void>;
}

/**
 * Decodes an audio file of (nearly) any format: our own parsers for WAV, AIFF, AU, CAF and raw samples, then the
 * system's ffmpeg, then the libraries that come with this package. Resolves when the first sound (or an empty end) is
 * there. Throws `AudioError`: `file_not_found`, `file_unreadable`, `spool_failed`, `not_audio`, `no_audio_track`, `file_damaged`,
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
  readonly decoder: DecoderName;
  readonly stream: SpeechStream & { close(): Promise<void> };
}

class Ladder {
  readonly #from: FileSource;
  readonly #options: DecodeFileOptions;
  readonly #signal: AbortSignal;
  readonly #stallTimeoutMs: number;
  readonly #limits: SpeechLimits;
  /** What the two channels of a file were found to hold. */
  #lanes: Lanes | undefined;
  /** Bytes in front that are no beginning of sound. */
  #junkBytes = 0;
  #hasBegun = false;
  #hasEnded = false;
  #source: ByteSource | undefined;
  #stream: Opened['stream'] | undefined;

  constructor(source: FileSource, options: DecodeFileOptions) {
    this.#from = source;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? STALL_TIMEOUT_MS;
    const { maxDurationMs = DURATION_MS_MAX, maxSamples = DECODED_SAMPLES_MAX } = options;
    this.#limits = { maxDurationMs, maxSamples };
  }

  async open(): Promise<DecodedFile> {
    this.#signal.throwIfAborted();
    if (this.#options.rawFormat !== undefined) checkRawFormat(this.#options.rawFormat);
    const { maxDurationMs, maxSamples } = this.#limits;
    if (!(this.#stallTimeoutMs > 0 && maxDurationMs > 0 && maxSamples > 0)) {
      throw new AudioError('invalid_argument', 'Limits are positive numbers.');
    }
    const isRaw = this.#options.rawFormat !== undefined;
    const source = await openByteSource(this.#from, this.#signal, (probe) => isRaw || mayStart(probe));
    this.#source = source;
    const opened = await this.#climbJudged(source);
    this.#stream = opened.stream;
    const { chunks } = opened.stream;
    // The first chunk is waited for: a file that can not be decoded fails here and not in the caller's loop.
    const first = await chunks.next();
    return this.#decoded(opened, this.#chunks(first, chunks));
  }

  async close(): Promise<void> {
    await this.#stream?.close();
    await this.#source?.close();
  }

  /** Once more where the channels had to be looked at first. */
  async #climbJudged(source: ByteSource): Promise<Opened> {
    const opened = await this.#climb(source);
    if (!opened.stream.isJudged) return opened;
    this.#lanes = opened.stream.lanes;
    // Its thread comes to its end, and is kept for the second time.
    await opened.stream.chunks.next();
    await opened.stream.close();
    const read = this.#source ?? source;
    const bytes = this.#from instanceof Uint8Array ? this.#from : read.probe;
    const again = await openByteSource(read.path ?? bytes, this.#signal);
    const close = async (): Promise<void> => {
      await again.close();
      await read.close();
    };
    this.#source = { ...again, close };
    return await this.#climb(this.#source);
  }

  /** What of a source is heard: one that can be read twice is looked at first. */
  #hearing({ path, whole }: ByteSource): Hearing {
    const { channels = 'mix' } = this.#options;
    if (this.#lanes !== undefined) return this.#lanes;
    const isThere = path !== undefined || whole || this.#from instanceof Uint8Array;
    return channels === 'auto' && isThere ? 'judge' : channels;
  }

  async #climb(source: ByteSource): Promise<Opened> {
    const { rawFormat, fileName = source.path ?? '' } = this.#options;
    if (rawFormat !== undefined) return this.#raw(source, rawFormat);
    const found = sniff(source.probe, source.whole);
    if (found.kind === 'audio') {
      this.#junkBytes = found.junkBytes;
      const behind = behindJunk(behindTags(source, found.tagBytes), found.junkBytes);
      return this.#decode(behind, found.format);
    }
    const named = rawFormatOfName(fileName);
    if (found.looksLike === 'unknown' && named !== undefined) return this.#raw(source, named);
    const codec = codecOfName(fileName);
    if (found.looksLike === 'unknown' && codec !== undefined) return this.#decode(source, codec);
    throw new AudioError('not_audio', NOT_AUDIO_SENTENCES[found.looksLike]);
  }

  async #decode(source: ByteSource, format: AudioFormat): Promise<Opened> {
    if (!FORMATS[format].seeks) this.#begin();
    const { sizeBytes } = source;
    if ((format === 'wav' || format === 'w64') && isOwnWav(source.probe)) {
      return this.#own(source, format, { kind: 'wav', sizeBytes, ...this.#limits });
    }
    const layout = pcmLayoutOf(format, source.probe);
    if (layout !== undefined) {
      this.#begin();
      return this.#own(source, format, { kind: 'pcm', sizeBytes, layout, ...this.#limits });
    }
    const { ffmpeg } = this.#options;
    const program = ffmpeg === undefined ? await findFfmpeg() : ffmpeg === false ? undefined : ffmpeg;
    const { demuxer } = FORMATS[format];
    const readable = await this.#inOrder(source, format, program !== undefined);
    this.#begin();
    return program === undefined || demuxer === undefined
      ? await this.#withLibrary(readable, format)
      : await this.#withFfmpeg(readable, format, program, demuxer);
  }

  #raw(source: ByteSource, format: RawFormat): Promise<Opened> {
    this.#begin();
    const layout = { ...format, dataOffset: 0, dataBytes: undefined };
    const { sizeBytes } = source;
    return this.#own(source, 'raw', { kind: 'pcm', sizeBytes, layout, ...this.#limits });
  }

  async #own(
    source: ByteSource,
    format: AudioFormat,
    plain: Omit<Extract<DecodingTask, { kind: 'wav' | 'pcm' }>, 'hearing'>,
  ): Promise<Opened> {
    const decoder = 'own';
    const task = { ...plain, hearing: this.#hearing(source) };
    if (source.whole || (source.sizeBytes ?? Number.POSITIVE_INFINITY) <= THREADLESS_BYTES_MAX) {
      const stream = await openSpeech(task, source.bytes());
      return { format, decoder, stream: { ...stream, close: () => Promise.resolve() } };
    }
    return { format, decoder, stream: await this.#inThread(source, task) };
  }

  #inThread(source: ByteSource, task: DecodingTask): Promise<Opened['stream']> {
    return openInThread(source, { task, stallTimeoutMs: this.#stallTimeoutMs, signal: this.#signal });
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
  ): Promise<Opened> {
    const hearing = this.#hearing(source);
    const limits = { stallTimeoutMs: this.#stallTimeoutMs, hearing, ...this.#limits };
    try {
      const tracks = await chooseTrack(source, format);
      const options = { program, demuxer, tracks, row: FORMATS[format], ...limits };
      const stream = await openFfmpeg(source, { ...options, signal: this.#signal });
      return { format, decoder: 'ffmpeg', stream };
    } catch (error) {
      // A file of headers alone is an error to ffmpeg, and an empty recording to our decoders; and a small build
      // of ffmpeg may lack a decoder that we carry.
      const isOpen = error instanceof AudioError && /^(decode_failed|decoder_missing)$/.test(error.code);
      if (!isOpen || !source.whole || !HAS_LIBRARY.has(format)) throw error;
      const again = await openByteSource(source.probe, this.#signal);
      return await this.#withLibrary(again, format).catch(() => Promise.reject(error));
    }
  }

  async #withLibrary(source: ByteSource, format: AudioFormat): Promise<Opened> {
    if (!HAS_LIBRARY.has(format)) {
      const message = `${FORMATS[format].label} needs ffmpeg: install it (ffmpeg.org, or your system's packages), or convert the file to WAV.`;
      throw new AudioError('decoder_missing', message);
    }
    const hearing = this.#hearing(source);
    const task = { kind: 'library', format, path: source.path, hearing, ...this.#limits } as const;
    return { format, decoder: 'library', stream: await this.#inThread(source, task) };
  }

  #decoded(
    { format, decoder, stream }: Opened,
    chunks: AsyncGenerator<Float32Array<ArrayBuffer>, void>,
  ): DecodedFile {
    const close = (): Promise<void> => this.close();
    const hasEnded = (): boolean => this.#hasEnded;
    const junkBytes = this.#junkBytes;
    return {
      format,
      decoder,
      sampleRateHz: stream.sampleRateHz,
      channels: stream.channels,
      lanes: stream.lanes,
      durationMs: stream.durationMs,
      get isDamaged() {
        return stream.isDamaged();
      },
      get remarks() {
        return remarksOn(stream, junkBytes, hasEnded());
      },
      get isBlended() {
        return stream.isBlended();
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
      this.#hasEnded = true;
      await this.close();
    }
  }
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
