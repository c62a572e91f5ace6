/** Somebody who holds a place. */
export interface Place {
  /** Gives the place back. Idempotent. */
  free(): void;
}

/**
 * The places of a server: Realtime sessions and files together may be as many as the engine has streams, so that a
 * client that was let in never hears later that the engine is full.
 */
export class Places {
  readonly #max: number;
  readonly #onChange: (taken: number) => void;
  #taken = 0;

  constructor(max: number, onChange: (taken: number) => void) {
    this.#max = max;
    this.#onChange = onChange;
  }

  get isFull(): boolean {
    return this.#taken >= this.#max;
  }

  get max(): number {
    return this.#max;
  }

  /** Takes a place; undefined when there is none. */
  take(): Place | undefined {
    if (this.isFull) return undefined;
    this.#change(1);
    let isHeld = true;
    return {
      free: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#change(-1);
      },
    };
  }

  #change(by: 1 | -1): void {
    this.#taken += by;
    this.#onChange(this.#taken);
  }
}
