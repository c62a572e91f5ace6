/**
 * Tells audio that comes as it is spoken from audio that comes as fast as it is taken: how far ahead of its own time
 * it is. A pause does not give credit: after it the count begins anew.
 */
export class PaceMeter {
  #aheadMs = 0;
  #atMs = 0;

  /** Audio was taken. */
  note(audioMs: number, nowMs: number): void {
    this.#aheadMs = this.aheadMs(nowMs) + audioMs;
    this.#atMs = nowMs;
  }

  /** Milliseconds, 0 or more. */
  aheadMs(nowMs: number): number {
    return Math.max(0, this.#aheadMs - (nowMs - this.#atMs));
  }
}
