/**
 * G.711 (ITU-T, 11/88): telephone speech, 8 bits a sample. Decoding by table, exact as in tables 1 and 2 of the
 * recommendation, scaled to 16 bits (µ-law 14 bits · 4, A-law 13 bits · 8). Encoding takes the code whose interval of
 * decision values holds the sample; a negative sample exactly on a decision value goes where the ITU's reference
 * software puts it (G.191, `ulaw_compress` and `alaw_compress`), which is towards zero.
 *
 * Decoding and encoding again gives the same code, but for µ-law 0x7F ("minus zero"), which becomes 0xFF.
 */

/** Added to a µ-law magnitude (in 14 bits), so that every segment begins at a power of two. */
const MU_BIAS = 33;
const MU_MAGNITUDE_MAX = 0x1fff;
/** On the line every second bit of an A-law code is inverted. */
const A_INVERSION = 0x55;

const MU_LEVELS = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0x7f;
  const magnitude = ((((bits & 15) << 1) + MU_BIAS) << (bits >> 4)) - MU_BIAS;
  return (code & 0x80) === 0 ? -4 * magnitude : 4 * magnitude;
});

const A_LEVELS = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = (code ^ A_INVERSION) & 0x7f;
  const segment = bits >> 4;
  const step = ((bits & 15) << 1) + 1;
  const magnitude = segment === 0 ? step : (step + 32) << (segment - 1);
  return ((code ^ A_INVERSION) & 0x80) === 0 ? -8 * magnitude : 8 * magnitude;
});

/** Index: the 14-bit sample + 8192. */
const MU_CODES = Uint8Array.from({ length: 16_384 }, (_, i) => {
  const sample = i - 8_192;
  const magnitude = Math.min((sample < 0 ? ~sample : sample) + MU_BIAS, MU_MAGNITUDE_MAX);
  const segment = 26 - Math.clz32(magnitude); // 33…63 is segment 0
  const bits = (segment << 4) | ((magnitude >> (segment + 1)) & 15);
  return (sample < 0 ? 0x7f : 0xff) - bits;
});

/** Index: the 12-bit sample + 2048; the 13th bit never decides. */
const A_CODES = Uint8Array.from({ length: 4_096 }, (_, i) => {
  const sample = i - 2_048;
  const magnitude = sample < 0 ? ~sample : sample;
  const segment = Math.max(0, 28 - Math.clz32(magnitude)); // 16…31 is segment 1
  const bits = segment === 0 ? magnitude : (segment << 4) | ((magnitude >> (segment - 1)) & 15);
  return (sample < 0 ? bits : bits | 0x80) ^ A_INVERSION;
});

function decode(codes: Uint8Array, levels: Int16Array): Int16Array<ArrayBuffer> {
  const samples = new Int16Array(codes.length);
  for (let i = 0; i < samples.length; i++) samples[i] = levels[codes[i] ?? 0] ?? 0;
  return samples;
}

/** µ-law (North America, Japan; `audio/basic`, PCMU) to 16-bit samples of at most ±32124. A fresh array. */
export function decodeMuLaw(codes: Uint8Array): Int16Array<ArrayBuffer> {
  return decode(codes, MU_LEVELS);
}

/** A-law (everywhere else; PCMA) to 16-bit samples of at most ±32256. A fresh array. */
export function decodeALaw(codes: Uint8Array): Int16Array<ArrayBuffer> {
  return decode(codes, A_LEVELS);
}

/** 16-bit samples to µ-law, one byte each; beyond ±32124 the outermost code. A fresh array. */
export function encodeMuLaw(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(samples.length);
  for (let i = 0; i < codes.length; i++) codes[i] = MU_CODES[((samples[i] ?? 0) >> 2) + 8_192] ?? 0;
  return codes;
}

/** 16-bit samples to A-law, one byte each; beyond ±32256 the outermost code. A fresh array. */
export function encodeALaw(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(samples.length);
  for (let i = 0; i < codes.length; i++) codes[i] = A_CODES[((samples[i] ?? 0) >> 4) + 2_048] ?? 0;
  return codes;
}
