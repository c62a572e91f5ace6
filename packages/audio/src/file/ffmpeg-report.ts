import { AudioError } from '../errors.js';
import { STDERR_HEAD_CHARS_MAX, STDERR_TAIL_CHARS_MAX } from './limits.js';

const LINE_CHARS_MAX = 1_024;
const IS_ERROR = /\[(?:error|fatal|panic)\]/;
/** What a joint makes ffmpeg say, and what it says next because of that. */
const JOINT = /^\[(?:mp3|ogg)[^\]]*\] \[error\] (?:Header missing|failed to create or replace stream)/;
const FOLLOWS = /^(?:\[[^\]]*\] )?\[error\] Error (?:while decoding stream|submitting packet to decoder)/;
/** Decoders of pictures, which look at the beginning of a file though nobody wants any. */
const OF_PICTURES =
  /^\[(?:h26[34]|hevc|vvc|mjpeg|mpeg[12]video|mpeg4|msmpeg4\w*|vc1|wmv\d|vp\d|av1|libdav1d|theora|png|prores|dvvideo|rv\d0|\w*sub) @/;
const CLOCK_GOES_BACK = /Non-monotono(?:us|nic) DTS/;

/**
 * Listens to ffmpeg's stderr (`-loglevel level+info`): keeps its beginning and its end, each bounded, and
 * makes sentences of ours from it. Its own words are never passed on: they quote the file's tags and path.
 */
export class FfmpegReport {
  #head = '';
  #tail = '';
  #hasErrors = false;
  /** The line that has not ended. */
  #line = '';
  #hasDamage = false;
  #isExcused = false;
  #repeatedChars = 0;

  /** Takes the next piece of stderr. */
  add(text: string): void {
    if (this.#head.length < STDERR_HEAD_CHARS_MAX) {
      this.#head += text.slice(0, STDERR_HEAD_CHARS_MAX - this.#head.length);
    }
    const carry = this.#tail.slice(-16); // a mark may be cut by the pieces
    this.#hasErrors ||= IS_ERROR.test(carry + text);
    this.#tail = (this.#tail + text).slice(-STDERR_TAIL_CHARS_MAX);
    const [first = '', ...lines] = text.split('\n');
    this.#line = (this.#line + first).slice(0, LINE_CHARS_MAX);
    for (const line of lines) {
      this.#judge(this.#line);
      this.#line = line.slice(0, LINE_CHARS_MAX);
    }
  }

  #judge(line: string): void {
    if (CLOCK_GOES_BACK.test(line)) this.#repeatedChars += line.length;
    if (!IS_ERROR.test(line) || OF_PICTURES.test(line)) return;
    const follows = this.#isExcused && FOLLOWS.test(line);
    this.#isExcused = JOINT.test(line);
    this.#hasDamage ||= !this.#isExcused && !follows;
  }

  /**
   * It complained of the sound itself: not only of pictures, nor of what comes where files were put together, tags between frames
   * of MP3 and headers between streams of Ogg. Of MP3 frames may be missing nonetheless.
   */
  get hasDamage(): boolean {
    this.#judge(this.#line);
    this.#line = '';
    return this.#hasDamage;
  }

  /** How much of what was said is that a clock goes back, which is said of each piece of a second recording. */
  get repeatedChars(): number {
    return this.#repeatedChars;
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

  /** How many sound tracks it found. */
  get audioTracks(): number {
    const [input = ''] = this.#head.split(/^\[info\] (?:Stream mapping|Output #0)/m);
    return [...input.matchAll(/^\[info\] {3}Stream #0:[^\n]*: Audio: /gm)].length;
  }

  /** Length that the container states, ms; undefined where it does not. */
  get durationMs(): number | undefined {
    // The values of tags are indented by more, and a line break in the name of one is followed by no `[info]`.
    const found = /^\[info\] {3}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?),/m.exec(this.#head);
    if (found === null) return undefined;
    return Math.round((Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])) * 1000);
  }

  /** What the clock shows where the earliest track begins, ms; undefined where that was not said. */
  get startMs(): number | undefined {
    const found = /^\[info\] {3}Duration: [^\n]*, start: (-?\d+\.\d+),/m.exec(this.#head);
    return found === null ? undefined : Number(found[1]) * 1000;
  }

  /** All that is said of the file itself has been said. */
  get isInputKnown(): boolean {
    return /^\[info\] (?:Stream mapping|Output #0)/m.test(this.#head);
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
