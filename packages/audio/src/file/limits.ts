/**
 * Every bound of the file decoder in one place. "At the bound" says what happens when it is reached.
 */

/** Bytes read from one source at a time, and the largest piece handed to a decoder. */
export const READ_BYTES = 64 * 1024;

/** Bytes looked at to find out what a file is. At the bound: the format is judged from these alone. */
export const PROBE_BYTES_MAX = 64 * 1024;

/** The same for a file that begins with an ID3 tag (cover pictures are large). At the bound: taken for MP3. */
export const PROBE_ID3_BYTES_MAX = 1024 * 1024;

/** Samples of one chunk handed to the caller: half a second at 16 kHz. At the bound: a second chunk. */
export const CHUNK_SAMPLES_MAX = 8_000;

/** Default of `maxDurationMs`: one day of sound. At the bound: `too_large`. */
export const DURATION_MS_MAX = 24 * 60 * 60 * 1000;

/** A file of plain samples up to this is made speech of where it is read: sooner done than a thread begun. Above: a thread. */
export const THREADLESS_BYTES_MAX = 256 * 1024;

/** Default of `maxSamples`: a day of eight channels at 48 kHz. At the bound, promised or reached: `too_large`. */
export const DECODED_SAMPLES_MAX = 24 * 3600 * 48_000 * 8;

/** Default of `stallTimeoutMs`: a decoder that was given bytes and answers nothing for so long is ended. */
export const STALL_TIMEOUT_MS = 30_000;

/** Longest `stallTimeoutMs`: one day. At the bound: what is longer, or `Infinity`, counts as this; a timer would fire at once. */
export const STALL_TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000;

/** What is kept of ffmpeg's stderr: its beginning (stream description) and its end (the reason it failed). */
export const STDERR_HEAD_CHARS_MAX = 32 * 1024;
export const STDERR_TAIL_CHARS_MAX = 8 * 1024;

/** What ffmpeg may say on stderr in all; a damaged day of MP3 says less. At the bound: it is ended, `decode_failed`. */
export const STDERR_CHARS_MAX = 16 * 1024 * 1024;

/** Largest single allocation that ffmpeg may make (`-max_alloc`), bytes: the index of a day of AAC has 89 MB. At the bound: ffmpeg fails. */
export const FFMPEG_ALLOCATION_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Memory of one ffmpeg, bytes: it takes 50 MB for common files, 240 MB for two tracks of three days each. At the bound it gets
 * no more: `decode_failed`.
 */
export const FFMPEG_MEMORY_BYTES_MAX = 384 * 1024 * 1024;

/** Processor time of one ffmpeg, seconds, however short the sound may be. */
export const FFMPEG_CPU_S_MIN = 60;

/** And beside it a second for so many seconds of the longest sound that is allowed; AAC takes one for 300. At the bound: `decode_failed`. */
export const FFMPEG_SPEED_MIN = 20;

/** Tracks of a file that ffmpeg looks at (`-max_streams`). At the bound: `decode_failed`. */
export const FFMPEG_TRACKS_MAX = 64;

/** A stream that has to be read out of order is kept in a temporary file up to this. At the bound: refused. */
export const SPOOL_BYTES_MAX = 4 * 1024 * 1024 * 1024;

/** Memory of the thread that decodes, mixes down and resamples, MiB. At the bound: the thread ends, `decode_failed`. */
export const DECODER_THREAD_HEAP_MIB_MAX = 256;

/** How long a thread that has come to the end of its file waits for the next, ms; one at most does. At the bound: it ends. */
export const DECODER_THREAD_IDLE_MS = 2_000;

/**
 * What a thread may hold at the end of its file to be kept for the next, bytes: 10 MB with every library loaded, and mostly 20
 * to 90 with what the last files left and nobody has collected yet. At the bound: it ends.
 */
export const DECODER_THREAD_KEPT_BYTES_MAX = 96 * 1024 * 1024;

/** Longest packet put together from Ogg pages or Matroska blocks, bytes. At the bound: the packet is dropped. */
export const PACKET_BYTES_MAX = 1024 * 1024;

/** Longest FLAC frame: 8 channels x 65,535 samples x 32 bits do not fit, and nobody writes them. */
export const FLAC_FRAME_BYTES_MAX = 1024 * 1024;

/**
 * How often each byte of a damaged Ogg file is checked, in the mean, while the next page is looked for; whole files are
 * checked once. At the bound: a mark is taken for no page, until more bytes have gone by.
 */
export const OGG_CHECKS_PER_BYTE_MAX = 16;

/** Streams one behind the other in a file: each costs a decoder, up to 5 ms. At the bound: the rest is left out, which is damage. */
export const JOINED_STREAMS_MAX = 2_000;

/**
 * Longest hole in the times of a file that is filled with silence, ms: an hour. At the bound: it is closed, what follows stands too
 * early, and the file counts as damaged.
 */
export const HOLE_MS_MAX = 60 * 60 * 1000;

/**
 * Silence in all the holes of a file: an hour, and so many times its sound so far. A sender that is silent sends 20 ms in 400. At the
 * bound: as above.
 */
export const SILENCE_PER_SOUND_MAX = 20;

/** Longest piece of decoded sound that ffmpeg gives: half a second of 8 channels at 768 kHz. At the bound: it is dropped, which is damage. */
export const DECODED_PACKET_BYTES_MAX = 16 * 1024 * 1024;

/** Boxes of an MP4 file that are looked at to choose a track; a film of many tracks has some hundred. At the bound: those seen decide. */
export const MP4_BOXES_MAX = 4_000;
