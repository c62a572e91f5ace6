import type { Level } from '@kikitori/audio';

/** Page → worklet: where blocks go from now on. */
export interface WorkletStart {
  readonly port: MessagePort;
}

/** Worklet → worker: interleaved frames of `CAPTURE_LIMITS.channels` channels, given away. */
export type WorkletBlock = Float32Array<ArrayBuffer>;

/** Page → worker. */
export type WorkerRequest =
  /** Convert what comes through this port until the worker is ended. */
  | { readonly type: 'listen'; readonly port: MessagePort; readonly sampleRateHz: number }
  /** Convert a part of a recording; answered by `audio`, in order. `isLast`: and the rest of it. */
  | {
      readonly type: 'convert';
      readonly interleaved: Float32Array<ArrayBuffer>;
      readonly sampleRateHz: number;
      readonly channels: number;
      readonly isLast: boolean;
    };

/** Worker → page: mono at 16 kHz, given away; may be empty. */
export interface WorkerAudio {
  readonly samples: Float32Array<ArrayBuffer>;
  /** Of what was heard, before conversion. */
  readonly level: Level;
}
