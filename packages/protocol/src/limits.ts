/** Every bound of the wire, with its reason. Bounds of queues and sessions live in the package that holds them. */

/** Sample rate of `audio`. vLLM assumes it and never checks it. */
export const SAMPLE_RATE_HZ = 16_000;

/**
 * Largest message, in bytes of UTF-8: 16 MiB, what vLLM's web server (uvicorn) accepts. Exactly this many pass; one
 * more closes the connection with 1009 before anything is decoded.
 */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Most samples in one append: vLLM rejects when samples / 1048576 > 25 (it counts samples although the setting is
 * named a file size in MB). Behind `FRAME_BYTES_MAX` it cannot be reached: 16 MiB of JSON carry at most 12.58 MB of
 * PCM, 393 s. It holds for transports without a frame limit.
 */
export const APPEND_SAMPLES_MAX = 25 * 1024 * 1024;

/**
 * Deepest nesting of a message. Python's decoder gives up near its recursion limit of 1,000. Ours would not crash,
 * but needs 7 s for 8 million nested arrays (measured on Node 20), during which every other session would wait.
 */
export const JSON_DEPTH_MAX = 1_000;

/**
 * Most values in one message, counted as `,` `[` and `{` outside strings. The largest event of the dialect has a
 * few per word. 16 MiB of `{}` would hold the event loop for 6 s, this many for 30 ms (measured on Node 20).
 */
export const JSON_VALUES_MAX = 65_536;

/**
 * Most UTF-16 units of a client's own text that an error repeats (an unknown type, an unknown model). vLLM repeats
 * all of it; a 16 MiB echo for every bad message would let a client fill our send buffers.
 */
export const ECHO_UNITS_MAX = 1_024;

/** Longest delay of words that a client may ask for, in milliseconds: behind it no more context helps. */
export const DELAY_MS_MAX = 5_000;

/** Least time between two `kikitori.progress` events: four a second is smooth to the eye and costs nothing. */
export const PROGRESS_INTERVAL_MS_MIN = 250;

/**
 * Longest event of shared captions, in UTF-16 units: a snapshot of the server's bound in its longest spelling. A reader
 * gives up a stream whose event is longer.
 */
export const CAPTION_EVENT_CHARS_MAX = 2 * 1024 * 1024;
