/** Sound that is loud and quiet as speech is, without words; another one for each seed. */

export const RATE_HZ = 16_000;

/** 0…1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Syllables with pauses between some of them, each hiss through a resonance that glides as a mouth does. */
export function voice(seed: number, seconds: number): Float32Array<ArrayBuffer> {
  const random = randomOf(seed);
  const out = new Float32Array(seconds * RATE_HZ);
  for (let at = 0; at < out.length; ) {
    const syllable = Math.round((0.06 + 0.12 * random()) * RATE_HZ);
    const [fromHz, toHz] = [300 + 2_500 * random(), 300 + 2_500 * random()];
    const loudness = 0.01 + 0.03 * random();
    let [last, beforeLast] = [0, 0];
    for (let i = 0; i < syllable && at + i < out.length; i += 1) {
      const turn = (2 * Math.PI * (fromHz + ((toHz - fromHz) * i) / syllable)) / RATE_HZ;
      const next = random() + random() - 1 + 1.96 * Math.cos(turn) * last - 0.9604 * beforeLast;
      [last, beforeLast] = [next, last];
      out[at + i] = loudness * Math.sin((Math.PI * i) / syllable) * next;
    }
    at += syllable + Math.round((random() < 0.2 ? 0.5 : 0.04) * RATE_HZ * random());
  }
  return out;
}

export function noise(seed: number, seconds: number, level: number): Float32Array<ArrayBuffer> {
  const random = randomOf(seed);
  return Float32Array.from({ length: seconds * RATE_HZ }, () => level * (random() + random() - 1));
}

/** A buzz of 100 Hz with all its harmonics. */
export function buzz(seconds: number, level: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => level * (((i / 160) % 1) - 0.5));
}

export function delayed(samples: Float32Array, ms: number, gain: number): Float32Array<ArrayBuffer> {
  const by = Math.round((ms * RATE_HZ) / 1000);
  return samples.map((_, i) => gain * (samples[i - by] ?? 0));
}

export function sum(...parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const [first = new Float32Array(0)] = parts;
  return Float32Array.from(first, (_, i) => parts.reduce((total, part) => total + (part[i] ?? 0), 0));
}

export function interleaved(...channels: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const [first = new Float32Array(0)] = channels;
  const out = new Float32Array(first.length * channels.length);
  for (const [channel, samples] of channels.entries()) {
    for (const [frame, sample] of samples.entries()) out[frame * channels.length + channel] = sample;
  }
  return out;
}
