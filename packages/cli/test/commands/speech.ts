/** An engine that says two known utterances, and audio for it to hear. */
import { encodeWav } from '@kikitori/audio';
import { createScriptedEngine, type ScriptedEngine, type ScriptedEngineOptions } from '@kikitori/engine';

export const TEXT = 'Good morning. Nine fifteen.';

export function scriptedEngine(options: Partial<ScriptedEngineOptions> = {}): ScriptedEngine {
  const word = (text: string, startMs: number, endMs: number) => ({ text, startMs, endMs });
  return createScriptedEngine({
    script: [
      { words: [word('Good', 200, 500), word('morning.', 500, 900)] },
      { words: [word('Nine', 2_000, 2_300), word('fifteen.', 2_300, 2_800)] },
    ],
    ...options,
  });
}

/** Quiet noise: the engine counts samples, and so does the decoder. */
export function noise(lengthMs: number): Float32Array {
  return Float32Array.from({ length: lengthMs * 16 }, (_, index) => Math.sin(index * 0.1) * 0.05);
}

export function wav(lengthMs: number): Uint8Array {
  return encodeWav(noise(lengthMs), { sampleRateHz: 16_000 });
}
