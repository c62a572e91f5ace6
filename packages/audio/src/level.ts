/** What silence measures: nothing is reported below, so that a level is always a finite number. */
export const LEVEL_DBFS_MIN = -120;

/** How loud samples are, in decibels below full scale: LEVEL_DBFS_MIN…0, and above when samples exceed ±1. */
export interface Level {
  /** Root mean square; a full-scale square wave is 0, a full-scale sine −3.01. */
  readonly rmsDbfs: number;
  /** Largest magnitude. */
  readonly peakDbfs: number;
}

function toDbfs(amplitude: number): number {
  return amplitude <= 0 ? LEVEL_DBFS_MIN : Math.max(LEVEL_DBFS_MIN, 20 * Math.log10(amplitude));
}

/** The level of a stretch of samples, −1…1. NaN and ±Infinity count as 0; no samples are silence. */
export function measureLevel(samples: Float32Array): Level {
  let energy = 0;
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] ?? 0;
    if (sample - sample !== 0) continue;
    energy += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rmsDbfs: toDbfs(Math.sqrt(energy / Math.max(1, samples.length))), peakDbfs: toDbfs(peak) };
}
