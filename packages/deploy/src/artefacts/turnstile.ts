/** Lets holders of numbers through in the order of the numbers, whatever the order they come in. */
export class Turnstile {
  #turn: number;
  readonly #waiting = new Map<number, () => void>();

  /** `first` is the number that may pass at once. */
  constructor(first: number) {
    this.#turn = first;
  }

  /** Resolves when it is this number's turn; rejects with the signal's reason. Each number waits at most once. */
  async wait(number: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (number === this.#turn) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(number);
        reject(signal.reason);
      };
      this.#waiting.set(number, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The holder of the turn is through. */
  advance(): void {
    this.#turn += 1;
    const next = this.#waiting.get(this.#turn);
    this.#waiting.delete(this.#turn);
    next?.();
  }
}
