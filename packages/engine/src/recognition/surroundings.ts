/**
 * The silence around speech. A model that is given speech which touches the ends of its audio says nothing, or the same
 * word over and over; so speech that begins or ends with the audio (somebody holds a key while they speak) lies in some silence.
 */
import type { DecodeResult } from '../decoder.js';
import type { StreamPolicy } from './policy.js';
import type { DecodePlan } from './recogniser.js';

/** What is put around a window of audio, in samples. */
export interface Surroundings {
  readonly before: number;
  readonly behind: number;
}

/** The encoder's convolutions need some audio to work on: less is filled up with silence. */
const SAMPLES_MIN = 1600;
const SAMPLES_PER_MS = 16;

/** What a window is short of, whose speech begins `lead` samples behind its start; one that begins in speech wants nothing in front. */
export function missingSilence(
  lead: number,
  { kind, edge, speechEnd }: DecodePlan,
  { quietBeforeMs, quietBehindMs }: StreamPolicy,
): Surroundings {
  const before = quietBeforeMs * SAMPLES_PER_MS;
  const behind = quietBehindMs * SAMPLES_PER_MS;
  return {
    before: lead >= 0 && lead < before ? before : 0,
    behind: kind !== 'live' && edge - speechEnd < behind ? behind : 0,
  };
}

/** The samples with silence around them. */
export function inSilence(samples: Float32Array, { before, behind }: Surroundings): Float32Array {
  const length = Math.max(before + samples.length + behind, SAMPLES_MIN);
  if (length === samples.length) return samples;
  const surrounded = new Float32Array(length);
  surrounded.set(samples, before);
  return surrounded;
}

/** What was heard in them, with times from the first sample that was not put there. */
export function withoutSilence(result: DecodeResult, { before }: Surroundings): DecodeResult {
  if (before === 0) return result;
  return { ...result, endMs: result.endMs.map((endMs) => Math.max(0, endMs - before / SAMPLES_PER_MS)) };
}
