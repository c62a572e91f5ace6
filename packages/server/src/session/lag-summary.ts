/** Each bucket ends a tenth above the one before: quantiles are right to within 10 %. */
const GROWTH = 1.1;
/** 1 ms times 1.1 to the 160th is 70 minutes; longer lags count as that. */
const BUCKETS = 160;

/** Durations in buckets: a quantile at a fixed size, however many there are. */
export class LagSummary {
  readonly #counts = new Uint32Array(BUCKETS + 1);
  #total = 0;

  /** Milliseconds; negative ones count as 0. */
  add(lagMs: number): void {
    const bucket = lagMs <= 1 ? 0 : Math.min(BUCKETS, Math.ceil(Math.log(lagMs) / Math.log(GROWTH)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** Upper bound of the quantile in whole milliseconds, 0…1; undefined when nothing was added. */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    let seen = 0;
    for (let bucket = 0; bucket <= BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= share * this.#total) return Math.round(GROWTH ** bucket);
    }
    return Math.round(GROWTH ** BUCKETS);
  }
}
