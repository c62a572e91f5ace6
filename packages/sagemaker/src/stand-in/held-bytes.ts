import type { Readable } from 'node:stream';
import type { Clock } from '@kikitori/core';
import type { StandInLimits } from './limits.js';

/** What became of a body: whole, or why not. */
export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Longer than a body may be; all bodies together are as much as they may be; nothing came in time; it was cut, or the signal said so. */
  | { readonly kind: 'too_long' | 'full' | 'stalled' | 'cut' };

/** Counts the bytes of all bodies that are kept in memory. */
export class HeldBytes {
  readonly #limits: StandInLimits;
  readonly #clock: Clock;
  #count = 0;

  constructor({ limits, clock }: { readonly limits: StandInLimits; readonly clock: Clock }) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Reads a body whole, within the bounds; whatever came of it counts until `free`. Never rejects.
   *
   * @param stallMs how long nothing may come
   */
  async read(
    body: Readable,
    { stallMs, signal }: { stallMs: number; signal: AbortSignal },
  ): Promise<ReadBody> {
    const { bodyBytesMax, bodiesBytesMax } = this.#limits;
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    return await new Promise<ReadBody>((resolve) => {
      let cancelStall: () => void = () => undefined;
      const settle = (read: ReadBody): void => {
        cancelStall();
        signal.removeEventListener('abort', onCut);
        body.off('data', onData).off('end', onEnd).off('close', onCut).off('error', onCut).pause();
        if (read.kind !== 'whole') this.#count -= lengthBytes;
        resolve(read);
      };
      const watch = (): void => {
        cancelStall();
        cancelStall = this.#clock.after(stallMs, () => settle({ kind: 'stalled' }));
      };
      const onData = (chunk: Buffer): void => {
        watch();
        lengthBytes += chunk.length;
        this.#count += chunk.length;
        chunks.push(chunk);
        if (lengthBytes > bodyBytesMax) settle({ kind: 'too_long' });
        else if (this.#count > bodiesBytesMax) settle({ kind: 'full' });
      };
      const onEnd = (): void => settle({ kind: 'whole', bytes: Buffer.concat(chunks) });
      const onCut = (): void => settle({ kind: 'cut' });
      signal.addEventListener('abort', onCut);
      body.on('data', onData).on('end', onEnd).on('close', onCut).on('error', onCut);
      watch();
      if (signal.aborted || body.destroyed) onCut();
    });
  }

  /** Gives back what a whole body counts. */
  free(bytes: Uint8Array): void {
    this.#count -= bytes.length;
  }
}
