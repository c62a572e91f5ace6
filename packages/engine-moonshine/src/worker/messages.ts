/** Everything that the engine and its threads say to each other, on one page. */
import type { DecodeRequest, DecodeResult, MoonshineFiles } from '../model/moonshine.js';
import type { VadState } from '../vad/silero.js';

/** What a thread is started with: one model, loaded once. */
export type WorkerRole =
  | { readonly type: 'decoder'; readonly files: MoonshineFiles }
  | { readonly type: 'vad'; readonly file: string };

export interface VadRequest {
  /** Whole frames of 512 samples. */
  readonly samples: Float32Array;
  readonly state: VadState;
}

export interface VadResult {
  readonly probabilities: Float32Array;
  readonly state: VadState;
}

/** Engine → thread. Samples and states are transferred: the sender must not touch them afterwards. */
export type WorkerRequest =
  | { readonly type: 'decode'; readonly id: number; readonly request: DecodeRequest }
  | { readonly type: 'vad'; readonly id: number; readonly request: VadRequest }
  /** Nothing more will be asked: the thread ends by itself after what it is doing. */
  | { readonly type: 'stop' };

/** Thread → engine. Errors carry the text of the runtime, never audio or words. */
export type WorkerResponse =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly reason: string }
  | { readonly type: 'decoded'; readonly id: number; readonly result: DecodeResult }
  | { readonly type: 'heard'; readonly id: number; readonly result: VadResult }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
