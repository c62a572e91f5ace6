/** Everything that the engine and its threads say to each other, on one page. */
import type { DecodeRequest, DecodeResult } from '@kikitori/engine';
import type { ModelFiles } from '../families/family.js';
import type { SileroState } from '../vad/silero.js';

/** What a thread is started with: one model, loaded once. */
export type WorkerRole =
  | { readonly type: 'decoder'; readonly family: string; readonly files: ModelFiles }
  | { readonly type: 'voice'; readonly file: string };

export interface SileroRequest {
  /** Whole frames of 512 samples. */
  readonly samples: Float32Array;
  readonly state: SileroState;
}

export interface SileroResult {
  readonly probabilities: Float32Array;
  readonly state: SileroState;
}

/** Engine → thread. Samples and states are transferred: the sender must not touch them afterwards. */
export type WorkerRequest =
  | { readonly type: 'decode'; readonly id: number; readonly request: DecodeRequest }
  | { readonly type: 'listen'; readonly id: number; readonly request: SileroRequest }
  /** Nothing more will be asked: the thread ends by itself after what it is doing. */
  | { readonly type: 'stop' };

/** Thread → engine. Errors carry the text of the runtime, never audio or words. */
export type WorkerResponse =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly reason: string }
  | { readonly type: 'decoded'; readonly id: number; readonly result: DecodeResult }
  | { readonly type: 'heard'; readonly id: number; readonly result: SileroResult }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
