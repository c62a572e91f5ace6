import { type AudioRing, BYTES_PER_MS } from './audio-ring.js';

/** Loudness is looked at in steps of this. */
const STEP_MS = 20;
const STEP_BYTES = STEP_MS * BYTES_PER_MS;
/** A cut wants this much quiet around it. */
const CUT_STEPS = 5;
/** Against the loudest step of the last so many seconds... */
const MEMORY_MS = 10_000;
/** ...a pause is at least this much quieter (20 dB). */
const PAUSE_LEVEL = 0.1;

/** Mean absolute value of each whole step between two positions. */
function levels(ring: AudioRing, start: number, end: number): Float64Array {
  const bytes = ring.slice(start, end);
  const samples = new DataView(bytes.buffer);
  const steps = new Float64Array(Math.floor(bytes.length / STEP_BYTES));
  for (let step = 0; step < steps.length; step += 1) {
    let sum = 0;
    for (let at = step * STEP_BYTES; at < (step + 1) * STEP_BYTES; at += 2) {
      sum += Math.abs(samples.getInt16(at, true));
    }
    steps[step] = sum;
  }
  return steps;
}

/** Where to cut between two positions: the middle of the first of the quietest 100 ms. Milliseconds, whole. */
export function quietestMs(ring: AudioRing, fromMs: number, toMs: number): number {
  const start = Math.max(Math.floor(fromMs), Math.ceil(ring.start / BYTES_PER_MS));
  const end = Math.min(Math.floor(toMs), Math.floor(ring.end / BYTES_PER_MS));
  if (end <= start) return start;
  const steps = levels(ring, start * BYTES_PER_MS, end * BYTES_PER_MS);
  let best = -1;
  let bestSum = Number.POSITIVE_INFINITY;
  for (let step = 0; step + CUT_STEPS <= steps.length; step += 1) {
    const sum = steps.subarray(step, step + CUT_STEPS).reduce((total, level) => total + level, 0);
    if (sum >= bestSum) continue;
    bestSum = sum;
    best = step;
  }
  // Too short to choose: the beginning is where the last word was known to have ended.
  return best < 0 ? start : start + best * STEP_MS + (CUT_STEPS * STEP_MS) / 2;
}

/**
 * Where behind a position the speaker pauses for at least so long, as far as loudness tells; the pause may have begun
 * before. 0 ms: the quietest place that there is. Position in bytes; undefined when there is none.
 */
export function pauseBehind(ring: AudioRing, position: number, quietMs: number): number | undefined {
  const start = Math.max(ring.start, position - MEMORY_MS * BYTES_PER_MS);
  const steps = levels(ring, start, ring.end);
  const loudest = steps.reduce((most, level) => Math.max(most, level), 0);
  const first = Math.floor((position - start) / STEP_BYTES);
  const length = Math.ceil(quietMs / STEP_MS);
  if (length === 0) {
    const rest = steps.subarray(first);
    const quietest = rest.indexOf(rest.reduce((least, level) => Math.min(least, level), loudest));
    return Math.max(position, start + (first + Math.max(0, quietest)) * STEP_BYTES);
  }
  let run = 0;
  for (const [step, level] of steps.entries()) {
    run = level <= loudest * PAUSE_LEVEL ? run + 1 : 0;
    if (run < length || step < first) continue;
    return Math.max(position, start + (step + 1 - Math.ceil(length / 2)) * STEP_BYTES);
  }
  return undefined;
}
