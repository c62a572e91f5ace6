/** Every bound of capture in a browser, with its reason and with what happens there. */
export const CAPTURE_LIMITS = {
  /** One block of the worklet: shorter costs messages, longer is delay. Rounded up to whole render quanta of 128 frames. */
  blockMs: 20,
  /** The worklet mixes to this many channels; a mono microphone gives twice the same. */
  channels: 2,
  /** So long exactly nothing (a switch on the headset, a driver that sleeps) and the state is `silent`. */
  silentAfterMs: 2_500,
  /** Longest time without samples, twice that at most; while the browser holds the sound back (`suspended`) it does not count. Then: `lost`. */
  flowTimeoutMs: 10_000,
  /** Largest file that is read into memory. Then: `too_long`. */
  fileBytesMax: 512 * 1024 * 1024,
  /** Longest recording that is decoded: an hour of two channels at 48 kHz is 1.4 GB. Then: `too_long`. */
  fileMsMax: 3_600_000,
  /** Browsers decode to the rate that they are told; this one has room above speech for our own filter. */
  decodeRateHz: 48_000,
  /** Frames of a decoded file that go to the worker at once: some 11 s at 48 kHz. */
  convertFrames: 524_288,
} as const;
