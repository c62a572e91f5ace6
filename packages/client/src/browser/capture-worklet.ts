/** Runs in the audio thread of a browser: passes on what is heard, in blocks. It must never wait and hardly allocate. */
import type { WorkletStart } from './worker-messages.js';

// What an AudioWorkletGlobalScope has; TypeScript's DOM library does not know it.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

// The two figures of CAPTURE_LIMITS: this file is loaded by its address and imports nothing.
const CHANNELS = 2;
const BLOCK_MS = 20;
const QUANTUM_FRAMES = 128;

class KikitoriRecorder extends AudioWorkletProcessor {
  #out: MessagePort | undefined;
  #block = newBlock();
  #filled = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<WorkletStart>) => {
      this.#out = data.port;
    };
  }

  /** Called for every 128 frames. Without a source there are no channels, and no time passes. */
  process([channels = []]: readonly (readonly Float32Array[])[]): boolean {
    const [left, right = left] = channels;
    if (left === undefined || right === undefined) return true;
    for (let frame = 0; frame < left.length; frame++) {
      this.#block[this.#filled++] = left[frame] ?? 0;
      this.#block[this.#filled++] = right[frame] ?? 0;
      if (this.#filled === this.#block.length) this.#pass();
    }
    return true;
  }

  #pass(): void {
    const block = this.#block;
    this.#block = newBlock();
    this.#filled = 0;
    this.#out?.postMessage(block, [block.buffer]);
  }
}

function newBlock(): Float32Array<ArrayBuffer> {
  const quanta = Math.ceil((sampleRate * BLOCK_MS) / 1000 / QUANTUM_FRAMES);
  return new Float32Array(quanta * QUANTUM_FRAMES * CHANNELS);
}

registerProcessor('kikitori-recorder', KikitoriRecorder);
