/** The rate of the recogniser and of the wire: samples per second, mono. */
export const SPEECH_RATE_HZ = 16_000;

/** Below this nothing can be understood, and a few bytes would claim to be hours of sound. */
export const SAMPLE_RATE_HZ_MIN = 1_000;

/** Twice the highest rate that converters on sale have; more is a damaged header. */
export const SAMPLE_RATE_HZ_MAX = 768_000;

/** More than any microphone array or cinema format in use; more is a damaged header. */
export const CHANNELS_MAX = 64;

/** Coefficients of one resampler: 1 MiB of 32-bit floats. Ratios that would need more share an interpolated table. */
export const RESAMPLER_TABLE_LENGTH_MAX = 262_144;

/** Input samples that a resampler holds beside its filter's length. */
export const RESAMPLER_BLOCK_SAMPLES = 4_096;

/** Longest `fmt ` chunk that is read whole (40 bytes are the most that a known format uses); the rest is skipped. */
export const WAV_FORMAT_BYTES_MAX = 40;

/** Chunk of a frame cutter, at most: a minute at 48 kHz. */
export const FRAME_SAMPLES_MAX = 2_880_000;

/** Channels of a recording that are heard apart: as many lanes as a session has. More: `invalid_argument`. */
export const LANES_MAX = 8;

/**
 * Sound that is looked at to find out whether channels hold different voices: half an hour, some nine seconds of computing. At
 * the bound: what was found so far holds for the rest, and no channel is left out.
 */
export const CHANNELS_JUDGED_MS_MAX = 30 * 60_000;
