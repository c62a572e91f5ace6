/** Every bound of the command line program, each with its reason. */

/** How long Ctrl-C waits for the words of audio that was already sent. At the bound: the transcript so far is all. */
export const INTERRUPT_DRAIN_MS = 2_000;

/** How long a microphone may take to give its first sound. At the bound: `service_failed`. */
export const MICROPHONE_START_MS = 5_000;

/** Memory of the program that records; Node takes 50 MB. At the bound it gets no more: the microphone is gone. */
export const RECORDER_MEMORY_BYTES_MAX = 512 * 1024 * 1024;

/** What the list of microphones may be long. At the bound: as if there were none. */
export const MICROPHONE_LIST_CHARS_MAX = 65_536;

/** Audio is sent in blocks of 80 ms: one step of Voxtral, and fine enough for a meter. */
export const FRAME_SAMPLES = 1_280;

/** Levels kept for the meter: more than it can show. */
export const LEVELS_KEPT = 64;

/** How long `doctor` waits for one check. At the bound: the check warns. */
export const DOCTOR_CHECK_MS = 60_000;

/** Most sessions `bench` opens. At the bound: refused as usage; one machine's loopback gives out before. */
export const BENCH_SESSIONS_MAX = 256;

/** Longest file that `bench` holds in memory. At the bound: `too_large`. */
export const BENCH_AUDIO_MS_MAX = 10 * 60_000;

/** How long a server may take to say which languages its model hears. At the bound: that is not told. */
export const MODELS_TOLD_MS = 2_000;

/** How long an endpoint may take to open a session: a cold one takes its time, and credentials are looked for. */
export const ENDPOINT_CONNECT_MS = 60_000;
/** SageMaker ends a stream after 30 minutes; before that the session goes on over another one. */
export const ENDPOINT_SESSION_MS = 28 * 60_000;

/** How long a certificate of our own is good: a year and a month, which is what browsers take. Then: another one is made at the next start. */
export const CERTIFICATE_LIFE_MS = 397 * 86_400_000;

/** A server may run for long: one that is good for less than this is replaced when it starts. */
export const CERTIFICATE_LEFT_MS_MIN = 60 * 86_400_000;

/** How long a model at the end of `up` may take until it answers; SageMaker allows an hour at most. At the bound: `service_failed`. */
export const MODEL_START_MS = 3_600_000;

/** Between two questions to a server that is not up, which model it serves. */
export const MODEL_POLL_MS = 1_000;

/** How often somebody is told, who cannot see a row, that it still takes time. */
export const STILL_WAITING_MS = 30_000;

/** What is kept of the output of a model server, to show where it does not come up: lines, and characters of each. At the bounds: the oldest lines and the ends of lines go. */
export const MODEL_OUTPUT_LINES_MAX = 20;
export const MODEL_OUTPUT_LINE_CHARS_MAX = 500;
