import { float32ToInt16 } from '@kikitori/audio';
import { PauseMeter } from './pause-meter.js';
import type { HeardAudio, TurnEar } from './turn-ear.js';

/** Hears by loudness alone, where there is no voice detector. */
export class LoudnessEar implements TurnEar {
  readonly stepSamples = 1;
  readonly #meter = new PauseMeter();

  get stretchStartMs(): number | undefined {
    return this.#meter.stretchStartMs;
  }

  async hear(samples: Float32Array): Promise<HeardAudio> {
    const heard = float32ToInt16(samples);
    let at = 0;
    return {
      take: (isEnd) => {
        const taken = this.#meter.listen(heard.subarray(at), isEnd);
        at += taken;
        return taken;
      },
    };
  }

  restart(): void {
    this.#meter.restart();
  }
}
