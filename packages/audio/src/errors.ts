/** Why audio could not be read, converted or decoded. Callers match the code, never the message. */
export type AudioErrorCode =
  /** A rate, channel count or size that the caller chose lies outside of its bounds: a bug of the caller. */
  | 'invalid_argument'
  /** Samples arrived after `finish()`: a bug of the caller. */
  | 'finished'
  /** The text is not base64. */
  | 'invalid_base64'
  /** 16-bit samples with half a sample at the end. */
  | 'odd_length'
  /** The bytes are not of a kind that this decoder reads. */
  | 'not_audio'
  /** The right kind of file, but its headers are missing, cut off or contradict each other. */
  | 'file_damaged'
  /** The file is sound, its codec is one that this decoder does not know. */
  | 'unsupported_codec'
  /** The file has no sound: a video without a sound track, a picture. */
  | 'no_audio_track'
  /** The file is copy-protected. */
  | 'file_encrypted'
  /** There is no file of that name. */
  | 'file_not_found'
  /** The file could not be opened or read: rights, a folder, a damaged disk. */
  | 'file_unreadable'
  /** The temporary folder takes nothing, and the stream is one that has to be kept to be read. */
  | 'spool_failed'
  /** The file is larger or the sound is longer than a bound that the caller set. */
  | 'too_large'
  /** The codec is known; the program or library that decodes it is not on this machine. */
  | 'decoder_missing'
  /** The decoder gave up on the sound inside of the file. */
  | 'decode_failed'
  /** The decoder answered nothing within its time. */
  | 'decoder_stalled'
  /** The ffmpeg that was found or named cannot be run. */
  | 'ffmpeg_unusable';

/** What to do about a code: try again or not; what an HTTP route answers; how the command ends. */
export interface AudioErrorRule {
  readonly retryable: boolean;
  readonly httpStatus: number;
  readonly exitCode: number;
}

const badInput: AudioErrorRule = { retryable: false, httpStatus: 400, exitCode: 2 };
const unknownKind: AudioErrorRule = { retryable: false, httpStatus: 415, exitCode: 2 };
const ourSide: AudioErrorRule = { retryable: false, httpStatus: 500, exitCode: 1 };

/** The rule of each code. */
export const AUDIO_ERRORS: Readonly<Record<AudioErrorCode, AudioErrorRule>> = {
  invalid_argument: badInput,
  finished: ourSide,
  invalid_base64: badInput,
  odd_length: badInput,
  not_audio: unknownKind,
  file_damaged: badInput,
  unsupported_codec: unknownKind,
  no_audio_track: badInput,
  file_encrypted: badInput,
  file_not_found: badInput,
  file_unreadable: badInput,
  spool_failed: { retryable: true, httpStatus: 503, exitCode: 1 },
  too_large: { retryable: false, httpStatus: 413, exitCode: 2 },
  decoder_missing: unknownKind,
  decode_failed: badInput,
  decoder_stalled: { retryable: true, httpStatus: 500, exitCode: 1 },
  ffmpeg_unusable: ourSide,
};

/** The one error of this package. The message is a static sentence: no audio, no name of a file. */
export class AudioError extends Error {
  override readonly name = 'AudioError';
  readonly code: AudioErrorCode;

  constructor(code: AudioErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
