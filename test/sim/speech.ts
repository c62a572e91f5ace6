import type { ScriptedUtterance, Word } from '@kikitori/engine';
import type { Random } from './random.js';

/** Samples in a millisecond; every millisecond of the audio carries its own number. */
export const SAMPLES_PER_MS = 16;
const NUMBER_SAMPLES = 3;
const LOUD = 6_000;

/** What is said, and for how long the microphone is open. */
export interface Speech {
  readonly script: readonly ScriptedUtterance[];
  readonly lengthMs: number;
}

const SYLLABLES = ['ka', 'lo', 'mi', 'ne', 'ru', 'so', 'ta', 'vi', 'no', 'he'];

/** Utterances of one to twelve words, pauses of 0.7 to 4 s between them. Words come again, as in life. */
export function makeSpeech(random: Random, lengthMs: number): Speech {
  const script: ScriptedUtterance[] = [];
  for (let atMs = random.between(0, 2_000); atMs < lengthMs - 1_500; atMs += random.between(700, 4_000)) {
    const words: Word[] = [];
    for (let count = random.between(1, 12); count > 0 && atMs < lengthMs - 1_000; count -= 1) {
      const endMs = atMs + random.between(80, 700);
      const text = Array.from({ length: random.between(1, 3) }, () => random.pick(SYLLABLES)).join('');
      words.push({ text: random.chance(0.1) ? `${text},` : text, startMs: atMs, endMs });
      // Nobody speaks for long without the shortest gap.
      atMs = endMs + (count % 3 > 0 && random.chance(0.5) ? 0 : random.between(60, 300));
    }
    if (words.length > 0) script.push({ words });
  }
  return { script, lengthMs };
}

/** All words of a script. */
export function wordsOf(script: readonly ScriptedUtterance[]): readonly Word[] {
  return script.flatMap(({ words }) => words);
}

/** The audio: loud where something is said, and in every millisecond its number. */
export function makeAudio({ script, lengthMs }: Speech): Int16Array {
  const audio = new Int16Array(lengthMs * SAMPLES_PER_MS);
  for (const { startMs, endMs } of wordsOf(script)) {
    for (let at = startMs * SAMPLES_PER_MS; at < endMs * SAMPLES_PER_MS; at += 1) {
      audio[at] = at % 2 === 0 ? LOUD : -LOUD;
    }
  }
  for (let ms = 0; ms < lengthMs; ms += 1) {
    for (let digit = 0; digit < NUMBER_SAMPLES; digit += 1) {
      audio[ms * SAMPLES_PER_MS + digit] = (ms >> (8 * digit)) & 255;
    }
  }
  return audio;
}

/** Which millisecond a block of whole milliseconds begins with. `scale`: what makes 16-bit values of the samples. */
export function numberOf(samples: ArrayLike<number>, at: number, scale: number): number {
  let ms = 0;
  for (let digit = 0; digit < NUMBER_SAMPLES; digit += 1) {
    ms |= Math.round((samples[at + digit] ?? 0) * scale) << (8 * digit);
  }
  return ms;
}
