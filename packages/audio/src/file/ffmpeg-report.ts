import { AudioError } from '../errors.js';
import { STDERR_HEAD_CHARS_MAX, STDERR_TAIL_CHARS_MAX } from './limits.js';

/**
 * Listens to ffmpeg's stderr (`-loglevel level+info`): keeps its beginning and its end, each bounded, and
 * makes sentences of ours from it. Its own words are never passed on: they quote the file's tags and path.
 */
export class FfmpegReport {
  #head = '';
  #tail = '';
  #hasErrors = false;

  /** Takes the next piece of stderr. */
  add(text: string): void {
    if (this.#head.length < STDERR_HEAD_CHARS_MAX) {
      this.#head += text.slice(0, STDERR_HEAD_CHARS_MAX - this.#head.length);
    }
    const carry = this.#tail.slice(-16); // a mark may be cut by the pieces
    this.#hasErrors ||= /\[(?:error|fatal|panic)\]/.test(carry + text);
    this.#tail = (this.#tail + text).slice(-STDERR_TAIL_CHARS_MAX);
  }

  /** ffmpeg complained about the content, though it may have gone on. */
  get hasErrors(): boolean {
    return this.#hasErrors;
  }

  /** The audio is scrambled (`enca`, `drms`): what comes out would be noise. */
  get isEncrypted(): boolean {
    return this.#head.split('\n').some((line) => {
      const at = line.indexOf('Audio: ');
      return at >= 0 && /\((?:enca|drms) \//.test(line.slice(at));
    });
  }

  /** Length that the container states, ms; undefined where it does not. */
  get durationMs(): number | undefined {
    // The values of tags are indented by more, and a line break in the name of one is followed by no `[info]`.
    const found = /^\[info\] {3}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?),/m.exec(this.#head);
    if (found === null) return undefined;
    return Math.round((Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])) * 1000);
  }

  /** That length was reckoned from the size of the file, and may be far off. */
  get isEstimated(): boolean {
    return this.#head.includes('Estimating duration from bitrate');
  }

  /** Why ffmpeg gave no sound, as one of our errors. */
  toError(exitCode: number | null): AudioError {
    const cause = new Error(`ffmpeg ended with code ${exitCode ?? 'none'}`);
    const said = this.#head + this.#tail;
    if (this.isEncrypted) return encryptedError();
    if (/matches no streams|does not contain any stream/.test(said)) {
      return new AudioError('no_audio_track', 'This file has no audio track; choose one that has sound.', {
        cause,
      });
    }
    if (/Unknown input format|Unknown decoder|Decoder \([^()]*\) not found|Unknown encoder/.test(said)) {
      return new AudioError(
        'decoder_missing',
        'This ffmpeg has no decoder for the file; install a full build of ffmpeg, or convert the file to WAV.',
        { cause },
      );
    }
    if (/Cannot allocate memory|max_streams/.test(said)) return tooCostlyError(cause);
    if (/moov atom not found/.test(said)) {
      return new AudioError(
        'decode_failed',
        'The index of this recording is missing (it was cut off before it was finished); repair or re-export it.',
        { cause },
      );
    }
    return new AudioError(
      'decode_failed',
      'ffmpeg can not read this file: it is damaged or not what it claims to be; export it again.',
      { cause },
    );
  }
}

/** The error for scrambled audio. */
export function encryptedError(): AudioError {
  return new AudioError('file_encrypted', 'This file is copy-protected; use a copy without protection.');
}

/** The error for a file whose decoding takes more than a decoder may have. */
export function tooCostlyError(cause?: unknown): AudioError {
  return new AudioError(
    'decode_failed',
    'Decoding this file takes more memory or time than is allowed; convert it to WAV and try again.',
    { cause },
  );
}
