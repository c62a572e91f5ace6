/**
 * How loud speech is. Voice detection passes over speech that is very quiet (a microphone turned down, somebody far away), and the
 * model hears some of it wrong: both get it louder. What is loud enough stays as it is, to the bit.
 */
import { VOICE_FRAME_SAMPLES } from '../decoder.js';
import type { StreamPolicy } from './policy.js';

/** 20 ms: the frames by which the level of a window is judged. */
const LEVEL_FRAME_SAMPLES = 320;
/** So many frames are as loud as what counts as its level: a vowel is, a click is not. */
const LEVEL_FRAMES = 5;
const VOICE_FRAMES_A_SECOND = 16_000 / VOICE_FRAME_SAMPLES;

/** A window's samples for the model: louder where their speech is too quiet, never beyond full scale. A fresh array then. */
export function loudEnough(samples: Float32Array, policy: StreamPolicy): Float32Array {
  const gain = gainFor(speechLevel(samples), policy);
  if (gain === 1) return samples;
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const bounded = Math.max(1, Math.min(gain, 1 / peak));
  return samples.map((sample) => sample * bounded);
}

/** What is known of a stream's loudness before a frame: its level in dB below full scale, which falls where it is quieter. */
export type Loudness = number;

/** Nothing was heard yet. */
export const UNHEARD: Loudness = Number.NEGATIVE_INFINITY;

/**
 * The next whole frames of a stream for voice detection: louder where all that was heard of late is too quiet. A fresh array
 * where any is. Depends on nothing but the samples, however they are cut.
 */
export function loudEnoughToNotice(
  samples: Float32Array,
  before: Loudness,
  policy: StreamPolicy,
): { readonly samples: Float32Array; readonly loudness: Loudness } {
  let loudness = before;
  let louder: Float32Array | undefined;
  for (let at = 0; at < samples.length; at += VOICE_FRAME_SAMPLES) {
    const frame = samples.subarray(at, at + VOICE_FRAME_SAMPLES);
    loudness = Math.max(loudness - policy.levelFallDb / VOICE_FRAMES_A_SECOND, decibels(energyOf(frame)));
    const gain = gainFor(loudness, policy);
    if (gain === 1) continue;
    louder ??= samples.slice();
    louder.set(
      frame.map((sample) => sample * gain),
      at,
    );
  }
  return { samples: louder ?? samples, loudness };
}

function gainFor(levelDbfs: number, { levelDbfsMin, gainDbMax }: StreamPolicy): number {
  return 10 ** (Math.min(Math.max(0, levelDbfsMin - levelDbfs), gainDbMax) / 20);
}

/** The level of its loudest tenth of a second; very low where there is no sound. */
function speechLevel(samples: Float32Array): number {
  const energies = new Float64Array(Math.max(1, Math.floor(samples.length / LEVEL_FRAME_SAMPLES)));
  for (let i = 0; i < energies.length; i += 1) {
    energies[i] = energyOf(samples.subarray(i * LEVEL_FRAME_SAMPLES, (i + 1) * LEVEL_FRAME_SAMPLES));
  }
  return decibels(energies.sort()[Math.max(0, energies.length - LEVEL_FRAMES)] ?? 0);
}

/** The mean square. */
function energyOf(samples: Float32Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
}

/** Finite for silence, too. */
function decibels(energy: number): number {
  return 10 * Math.log10(energy + Number.MIN_VALUE);
}
