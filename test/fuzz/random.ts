/** Numbers that look random and are the same for the same seed (mulberry32). Not for secrets. */
export class Random {
  /** Every damaged input holds one repetition of about so many bytes; undefined: some do, of whatever length. */
  readonly stretchBytes: number | undefined;
  #state: number;

  constructor(seed: number, stretchBytes?: number) {
    this.#state = seed >>> 0;
    this.stretchBytes = stretchBytes;
  }

  /** 0 to 1, without 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `max`, both included. */
  whole(max: number): number {
    return Math.floor(this.fraction() * (max + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<const T>(from: readonly [T, ...T[]]): T {
    return from[this.whole(from.length - 1)] ?? from[0];
  }

  bytes(count: number): Uint8Array {
    const made = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) made[at] = this.whole(255);
    return made;
  }
}
