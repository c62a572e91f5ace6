/**
 * Silero VAD: how likely each 32 ms of audio holds speech. One model serves many streams: each brings its state.
 * Model: snakers4/silero-vad v5/v6 (MIT). Input: 64 samples of context and 512 new ones at 16 kHz.
 */
import { VOICE_FRAME_SAMPLES } from '@kikitori/engine';
import type * as ort from 'onnxruntime-node';
import { InferenceSession, Tensor } from '../onnx/runtime.js';

const CONTEXT_SAMPLES = 64;
const STATE_SIZE = 2 * 1 * 128;

/** What the model remembers of one stream; owned by whoever asks, replaced in place. */
export interface SileroState {
  readonly memory: Float32Array;
  readonly context: Float32Array;
}

export function createSileroState(): SileroState {
  return { memory: new Float32Array(STATE_SIZE), context: new Float32Array(CONTEXT_SAMPLES) };
}

export class SileroVad {
  readonly #session: ort.InferenceSession;
  readonly #rate = new Tensor('int64', BigInt64Array.of(16000n), []);
  readonly #input = new Float32Array(CONTEXT_SAMPLES + VOICE_FRAME_SAMPLES);

  private constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  static async load(path: string): Promise<SileroVad> {
    const session = await InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return new SileroVad(session);
  }

  /** Probabilities, 0…1, one for each whole frame of `samples` (a multiple of 512, 16 kHz mono); updates `state`. */
  async probabilities(samples: Float32Array, state: SileroState): Promise<Float32Array> {
    const count = Math.floor(samples.length / VOICE_FRAME_SAMPLES);
    const result = new Float32Array(count);
    for (let i = 0; i < count; i += 1) {
      const frame = samples.subarray(i * VOICE_FRAME_SAMPLES, (i + 1) * VOICE_FRAME_SAMPLES);
      this.#input.set(state.context);
      this.#input.set(frame, CONTEXT_SAMPLES);
      const output = await this.#session.run({
        input: new Tensor('float32', this.#input, [1, this.#input.length]),
        state: new Tensor('float32', state.memory, [2, 1, 128]),
        sr: this.#rate,
      });
      const memory = output['stateN']?.data;
      const probability = output['output']?.data[0];
      if (!(memory instanceof Float32Array) || typeof probability !== 'number') {
        throw new TypeError('the voice activity model gave no answer of the expected form');
      }
      state.memory.set(memory);
      state.context.set(frame.subarray(VOICE_FRAME_SAMPLES - CONTEXT_SAMPLES));
      result[i] = probability;
    }
    return result;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
