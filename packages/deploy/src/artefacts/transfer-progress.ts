import { ARTEFACT_LIMITS } from './limits.js';

/** How far a copy is. Bytes that were there already count as done. */
export interface CopyProgress {
  /** The file that is being copied. */
  readonly path: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Of the last ten seconds, of what was really sent; 0 until something was. */
  readonly bytesPerSecond: number;
}

/** Counts what is settled and tells it at most four times a second, and at the end of each file. */
export class ProgressMeter {
  readonly #totalBytes: number;
  readonly #tell: (progress: CopyProgress) => void;
  readonly #nowMs: () => number;
  #path = '';
  #doneBytes = 0;
  #sentBytes = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** When something was sent, and how much; only what is younger than the window. */
  #recent: { readonly atMs: number; readonly bytes: number }[] = [];
  #beganAtMs: number | undefined;

  constructor(
    totalBytes: number,
    tell: (progress: CopyProgress) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#totalBytes = totalBytes;
    this.#tell = tell;
    this.#nowMs = nowMs;
  }

  /** What was really sent so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  begin(path: string): void {
    this.#path = path;
    this.#beganAtMs ??= this.#nowMs();
    this.#report(true);
  }

  add(bytes: number, wasThere: boolean): void {
    this.#doneBytes += bytes;
    if (!wasThere) {
      this.#sentBytes += bytes;
      this.#recent.push({ atMs: this.#nowMs(), bytes });
    }
    this.#report(false);
  }

  end(): void {
    this.#report(true);
  }

  #report(isDue: boolean): void {
    const nowMs = this.#nowMs();
    if (!isDue && nowMs - this.#toldAtMs < ARTEFACT_LIMITS.progressIntervalMs) return;
    this.#toldAtMs = nowMs;
    this.#tell({
      path: this.#path,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: this.#rate(nowMs),
    });
  }

  #rate(nowMs: number): number {
    const fromMs = Math.max(nowMs - ARTEFACT_LIMITS.rateWindowMs, this.#beganAtMs ?? nowMs);
    this.#recent = this.#recent.filter(({ atMs }) => atMs >= fromMs);
    const bytes = this.#recent.reduce((sum, part) => sum + part.bytes, 0);
    return nowMs > fromMs ? Math.round((bytes * 1_000) / (nowMs - fromMs)) : 0;
  }
}

/** `8.9 GB`, `3.2 MB`. */
export function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
