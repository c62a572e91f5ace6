import type { Lanes } from '../channels/index.js';
import type { AudioErrorCode } from '../errors.js';
import type { AudioTracks } from './pcm-stream.js';
import type { DecodingTask } from './speech-stream.js';

/** To the thread. A `task` first; then each is an answer: `bytes` or `end` to `need`, `more` to `facts` and `block`. */
export type ToDecoder =
  | { readonly type: 'task'; readonly task: DecodingTask }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'more' };

/** From the thread. After each it waits for its answer, so at most one piece is on its way in each direction. */
export type FromDecoder =
  | { readonly type: 'need' }
  | {
      readonly type: 'facts';
      readonly sampleRateHz: number;
      readonly channels: number;
      readonly durationMs: number | undefined;
      readonly tracks: AudioTracks | undefined;
      readonly lanes: Lanes;
      readonly isJudged: boolean;
    }
  /** Interleaved lanes, 16 kHz. */
  | { readonly type: 'block'; readonly samples: Float32Array<ArrayBuffer> }
  /** Answered by the next `task`, if any. `heldBytes`: memory of the thread, with what was not collected yet. */
  | {
      readonly type: 'done';
      readonly isDamaged: boolean;
      readonly leftOutBytes: number;
      readonly isBlended: boolean;
      readonly heldBytes: number;
    }
  /** The last word of a thread. */
  | { readonly type: 'failed'; readonly code: AudioErrorCode; readonly message: string };
