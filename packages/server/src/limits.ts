/** Every bound of this package, with its reason; docs/server.md says what happens at each. */

/** Bounds of one Realtime session. Times in milliseconds. */
export interface SessionLimits {
  /**
   * Audio that may wait, for a `commit` or for the engine. At the bound: `buffer_full` before a `commit`, once, and the
   * rest of that utterance is dropped; afterwards the client waits in its socket.
   */
  readonly queuedAudioMsMax: number;
  /** Ended utterances that may wait. At the bound: the client waits in its socket; without a `commit` `buffer_full`. */
  readonly queuedUtterancesMax: number;
  /** Lanes of one session, each a stream of the engine. More: `engine_busy`, close 1013. */
  readonly lanesMax: number;
  /** Characters of one utterance. At the bound: `session_expired`, after the utterance was answered. */
  readonly utteranceCharsMax: number;
  /** Without any message from the client: `idle_timeout`, close 1000. 0: never. */
  readonly idleTimeoutMs: number;
  /** The same for the first message: who only connects holds a place. 0: as any other. */
  readonly firstMessageMs: number;
  /** Longest session: `session_expired`, close 1000. 0: no limit. */
  readonly sessionMsMax: number;
  /** How long a session that is ending waits for the engine's last words. */
  readonly finishMs: number;
  /** Least time between two `kikitori.progress`. */
  readonly progressIntervalMs: number;
  /** Least time between two deltas while audio waits for the engine: whoever sends ahead gets fewer and larger ones. */
  readonly aheadDeltaMs: number;
  /** Characters that such a delta grows to. Then it goes before its time. */
  readonly aheadDeltaCharsMax: number;
  /** Messages that may wait for the engine to take what came before; above it the client waits in its socket. */
  readonly inputMessagesMax: number;
  /** The same, their characters and bytes. */
  readonly inputLengthMax: number;
  /** Characters of events that may wait for a client that does not read; above it the engine is not asked on. */
  readonly outputCharsMax: number;
  /** How long the output may stay above its bound. Then: close 1008. */
  readonly outputStallMs: number;
  /** How long a close waits for events that were not read. */
  readonly closeFlushMs: number;
}

/** Of the memory that audio of all sessions together may take while it waits, where nobody says otherwise. */
const WAITING_AUDIO_SHARE = 1 / 8;
const BYTES_PER_MS = 32;
/** The longest single append that fits into a frame is 393 s. */
const QUEUED_AUDIO_MS_MIN = 600_000;

/** `queuedAudioMsMax` of so many sessions on so much memory: an hour, or what an eighth of it gives each; ten minutes at least. */
export function queuedAudioMsOf(memoryBytes: number, sessionsMax: number): number {
  const shareMs = Math.floor((memoryBytes * WAITING_AUDIO_SHARE) / sessionsMax / BYTES_PER_MS);
  return Math.min(SESSION_LIMITS.queuedAudioMsMax, Math.max(QUEUED_AUDIO_MS_MIN, shareMs));
}

export const SESSION_LIMITS: SessionLimits = {
  // An hour of PCM16 is 115 MB: most files come whole, so that who sends first and reads then is soon done with sending.
  queuedAudioMsMax: 3_600_000,
  queuedUtterancesMax: 64,
  lanesMax: 8,
  // More than two days of speech: a client that never says `final`.
  utteranceCharsMax: 4_000_000,
  // Long enough for a muted microphone, short enough that forgotten tabs do not hold the slots for a day.
  idleTimeoutMs: 300_000,
  // Clients of the dialect speak as soon as they hear `session.created`.
  firstMessageMs: 15_000,
  sessionMsMax: 0,
  finishMs: 10_000,
  progressIntervalMs: 250,
  // Sixteen of them, which Python's websockets takes unread, are half a minute.
  aheadDeltaMs: 2_000,
  // A minute of speech.
  aheadDeltaCharsMax: 1_000,
  inputMessagesMax: 1_024,
  // 24 s of audio: a live speaker never gets there.
  inputLengthMax: 1_048_576,
  // Some ten hours of plain deltas.
  outputCharsMax: 1_048_576,
  outputStallMs: 30_000,
  closeFlushMs: 5_000,
};

/** Bounds of the HTTP side. Times in milliseconds. */
export interface HttpLimits {
  /** Largest file of `POST /v1/audio/transcriptions` and its like: 25 MiB, as vLLM. At the bound: 400, and 413 where Deepgram's clients ask. */
  readonly fileBytesMax: number;
  /** Largest body of that request: a file, and what stands around it. At the bound: 400. */
  readonly formBytesMax: number;
  /** Files of a form; all but the first `file` are dropped as they come. At the bound: 400. */
  readonly filesMax: number;
  /** Uploads at once, from their head to their answer; each may have a file of `fileBytesMax` on the disk. At the bound: 503. */
  readonly uploadsMax: number;
  /** The same, with one key, or without keys from one address. At the bound: 429. */
  readonly uploadsPerOwnerMax: number;
  /** Longest sound in a file. At the bound: 413. */
  readonly fileAudioMsMax: number;
  /** Samples of a file, of all channels at its own rate. At the bound, promised or reached: 413. */
  readonly fileSamplesMax: number;
  /** Longest time for a file, from the request's head to the answer's last byte. At the bound: 408. */
  readonly fileMsMax: number;
  /** How long a body may send nothing while it is wanted. At the bound: 408. */
  readonly bodyStallMs: number;
  /**
   * After so long without a packet the system asks the client of an upload for a sign of life, then each second. After ten
   * without an answer: it has left.
   */
  readonly vanishedProbeMs: number;
  /** Largest form field that is not the file. At the bound: 400. */
  readonly fieldBytesMax: number;
  /** Fields of a form. At the bound: 400. */
  readonly fieldsMax: number;
  /** A body that was refused is read on for so long and so far, so that its sender gets to read the answer. */
  readonly discardMs: number;
  readonly discardBytesMax: number;
  /** A request whose headers take longer is cut with 408. */
  readonly headersTimeoutMs: number;
  /** Idle HTTP connections are closed after it; vLLM's figure. */
  readonly keepAliveTimeoutMs: number;
  /** Bytes of all request headers. At the bound: 431. */
  readonly headerBytesMax: number;
  /**
   * TCP connections at once, WebSockets included. At the bound one that waits without a request makes room, of the address
   * that has most of those; where none waits the new one is dropped.
   */
  readonly connectionsMax: number;
  /** The same of one address (IPv6: of a /64; behind a trusted proxy: of its client), among its own. */
  readonly connectionsPerAddressMax: number;
  /** Connections of one address without a request that is being answered. At the bound the longest waiting is ended. */
  readonly waitingPerAddressMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  fileBytesMax: 25 * 1024 * 1024,
  formBytesMax: 26 * 1024 * 1024,
  filesMax: 4,
  // 1.6 GB of temporary files.
  uploadsMax: 64,
  uploadsPerOwnerMax: 16,
  // 25 MiB of telephone-grade Opus may hold nine hours.
  fileAudioMsMax: 4 * 3_600_000,
  // Four hours of stereo at 48 kHz; 5 MB of FLAC can hold an hour of eight channels at 655 kHz.
  fileSamplesMax: 4 * 3_600 * 48_000 * 2,
  fileMsMax: 3_600_000,
  // With the time to read the answer less than ten seconds: a client that vanished holds a place.
  bodyStallMs: 7_000,
  // The least that systems know.
  vanishedProbeMs: 1_000,
  fieldBytesMax: 64 * 1024,
  fieldsMax: 64,
  discardMs: 2_000,
  discardBytesMax: 64 * 1024 * 1024,
  // Also the time to the first request. Who means it sends one at once.
  headersTimeoutMs: 5_000,
  keepAliveTimeoutMs: 5_000,
  headerBytesMax: 16 * 1024,
  connectionsMax: 1_024,
  // A hall full of readers behind one address is let in, and leaves half to the others.
  connectionsPerAddressMax: 512,
  // A browser opens a handful before it needs them.
  waitingPerAddressMax: 128,
};

/** Bounds of shared captions. Times in milliseconds. */
export interface CaptionsLimits {
  /** Speakers who share at once. At the bound: 503. */
  readonly sharesMax: number;
  /** The same, of one key, or without keys of one address. At the bound: 503. */
  readonly sharesPerOwnerMax: number;
  /** Readers at once. At the bound: 503. */
  readonly readersMax: number;
  /** Readers of one speaker. At the bound: 503. */
  readonly readersPerShareMax: number;
  /** Utterances that are kept for whoever comes later, and that one update may hold. At the bound: the oldest go; 400. */
  readonly utterancesMax: number;
  /** Their characters. At the bound: the oldest utterances go. */
  readonly transcriptCharsMax: number;
  /** Characters of one utterance. At the bound: 400. */
  readonly utteranceCharsMax: number;
  /** Characters that are being said, stable and unstable each. At the bound: 400. */
  readonly liveCharsMax: number;
  /** Bytes of a request. At the bound: 413. */
  readonly bodyBytesMax: number;
  /** How long a request's body may take. At the bound: 408. */
  readonly bodyMs: number;
  /** Updates of one speaker in a second, on average over two. At the bound: 429. */
  readonly updatesPerSMax: number;
  /** Without an update: readers are told that a live speaker has paused. */
  readonly awayMs: number;
  /** Without an update: the share ends, its readers are told. */
  readonly idleMs: number;
  /** Longest share, however much is said. Then: it ends; it may be opened again. */
  readonly shareMsMax: number;
  /** How long a reader may take nothing at all. Then: it is cut. */
  readonly readerStallMs: number;
  /** Readers hear something at least so often. */
  readonly heartbeatMs: number;
}

export const CAPTIONS_LIMITS: CaptionsLimits = {
  sharesMax: 64,
  sharesPerOwnerMax: 16,
  // Half of all connections: speakers must still get in.
  readersMax: 512,
  readersPerShareMax: 256,
  utterancesMax: 1_000,
  // More than an hour of speech; 64 shares of it are 8 MB.
  transcriptCharsMax: 65_536,
  // Two minutes of speech; the publisher cuts what is longer.
  utteranceCharsMax: 2_000,
  liveCharsMax: 2_000,
  bodyBytesMax: 64 * 1024,
  bodyMs: 10_000,
  // Words come four times a second at most.
  updatesPerSMax: 20,
  // Programs that share say something every 10 s: two of those may be lost.
  awayMs: 25_000,
  // A break in a lecture, or a page that is closed for a while.
  idleMs: 900_000,
  shareMsMax: 12 * 3_600_000,
  readerStallMs: 30_000,
  // Below what proxies cut: 60 s by default.
  heartbeatMs: 15_000,
};

/** Bounds at the door, for WebSockets and for every route that needs a key where there is one. */
export interface DoorLimits {
  /** Sessions at once with one key, its tokens included. 0: as many as the server has places. At the bound: 429. */
  readonly sessionsPerKeyMax: number;
  /** Requests and handshakes a second from one address, and with one key, over time. At the bound: 429. */
  readonly connectsPerSecond: number;
  /** The same, at once. */
  readonly connectsBurst: number;
  /** Addresses and keys whose rate is remembered; the one that was used longest ago is forgotten first. */
  readonly ratedNamesMax: number;
  /**
   * Sessions of one client (one address or key, one kind of program, one path) that may end within `quickEndMs` without a word, at
   * once. At the bound: 429, until one is forgiven. One that came to something clears them all. 0: no bound.
   */
  readonly quickEndsMax: number;
  /** How soon after its beginning such a session is over. */
  readonly quickEndMs: number;
  /** How many of them are forgiven in a second. */
  readonly quickEndsPerSecond: number;
}

export const DOOR_LIMITS: DoorLimits = {
  sessionsPerKeyMax: 0,
  // A hall full of people behind one proxy that all reconnect at once is let in; a loop is not.
  connectsPerSecond: 50,
  connectsBurst: 500,
  ratedNamesMax: 10_000,
  // A room full of people who reload a page; a program that tries again seven times a second is there after three.
  quickEndsMax: 20,
  quickEndMs: 1_000,
  // Whoever looks every second whether the server lets him in is not held up.
  quickEndsPerSecond: 1,
};

/** Bounds of short-lived tokens. */
export const TOKEN_LIMITS = {
  /** Long enough to connect over a slow network, short enough to be worth little when it leaks. */
  lifeSDefault: 60,
  lifeSMin: 1,
  lifeSMax: 600,
  /** What may be asked along with it. At the bound: 413. */
  bodyBytesMax: 16 * 1024,
  /** How long that may take to arrive. At the bound: 408. */
  bodyMs: 10_000,
} as const;

/** Bounds of a key file. */
export const KEY_FILE_LIMITS = {
  /** All of them are read again at each change. At the bound: the file is refused. */
  keysMax: 10_000,
  /** So many keys with the longest names are 1.4 MB. At the bound: the file is refused, and not read further. */
  fileBytesMax: 2 * 1024 * 1024,
  /** How soon a change counts, and how often a file that cannot be read is tried again. */
  watchIntervalMs: 2_000,
  /** How long the keys from before count while the file is unreadable or wrong. Then: nobody new is let in. */
  troubleMsMax: 60_000,
} as const;

/** Bounds of TLS. */
export const TLS_LIMITS = {
  /** A handshake that takes longer is cut. */
  handshakeMs: 10_000,
  /** Certificate with its chain, and key, each: a few KB. At the bound: the file is refused, and not read further. */
  fileBytesMax: 1024 * 1024,
  /** How soon a change of certificate or key counts. */
  watchIntervalMs: 2_000,
} as const;

/** Bounds of the pages that are held in memory. At the bound: the server does not start. */
export const PAGES_LIMITS = {
  filesMax: 256,
  /** The live page is far below one; samples to try make up the rest. */
  totalBytesMax: 16 * 1024 * 1024,
} as const;

/** How long a drain waits for running utterances where the caller does not say. SageMaker kills after 30 s. */
export const DRAIN_DEADLINE_MS = 20_000;

/** What a client is told to wait, seconds, when every place is taken. */
export const RETRY_AFTER_S = 5;

/**
 * The same while the server loads. Handshakes are told nothing then, nor while it goes down and another one may be there any
 * moment: the header knows whole seconds only, and clients knock at their own pace, ours within a second.
 */
export const RETRY_SOON_S = 1;
