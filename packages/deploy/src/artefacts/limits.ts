/** Every bound of the copy from a model hub to S3, with its reason and with what happens there. */
export const ARTEFACT_LIMITS = {
  /** One part of an upload. S3 wants 5 MiB to 5 GiB; a part is also what is lost when an upload breaks off. */
  partSizeBytes: 16 * 1024 * 1024,
  /** Parts that are fetched and sent at once. With their size it is the memory: 8 × 16 MiB = 128 MiB. */
  partsInFlight: 8,
  /** S3's own. A file that needs more parts gets larger ones: 160 GiB fit into parts of 16 MiB. */
  partsMax: 10_000,
  /** Largest file: S3's 5 TiB. Above: `model_unsuitable`, before anything is fetched. */
  fileBytesMax: 5 * 1024 ** 4,
  /** Files of one model that are copied. A model in more shards is refused. */
  filesMax: 512,

  /** After so many parts the state of the file's hash is kept in S3: 256 MiB, what a resumed copy reads twice at most. */
  checkpointParts: 16,
  /** The state with the checksums of 10,000 parts takes 0.5 MiB. A longer one is none of ours. */
  checkpointBytesMax: 2 * 1024 * 1024,
  manifestBytesMax: 1024 * 1024,
  /** Hashing blocks the event loop; between slices of this size others have their turn (about 5 ms). */
  hashSliceBytes: 1024 * 1024,

  /** Tries in vain after each other, of one request or of one part. A try that brought bytes starts the count anew. */
  attemptsMax: 6,
  /** Tries per part however much each brings: a connection that breaks at every block ends the copy. */
  resumesMax: 50,
  /** First wait between two tries; doubles each time, with jitter. */
  retryDelayMs: 500,
  retryDelayMsMax: 30_000,
  /** The hub counts requests in windows of five minutes and says when the next begins. Longer than this is not waited. */
  rateLimitMsMax: 310_000,
  /** A source that sends nothing for this long is asked again. */
  stallTimeoutMs: 60_000,
  /** One part to S3, however slow the line: eight at once at 1.2 Mbit/s. Then it is sent again. */
  sendTimeoutMs: 15 * 60_000,
  /** Any other call of S3. */
  callTimeoutMs: 60_000,

  /** Pages of S3's own lists, 1,000 entries each; 10,000 parts need ten. */
  s3PagesMax: 100,

  /** An unfinished upload is resumed until this age; older ones are ended, because S3 charges for their parts. */
  uploadAgeMsMax: 7 * 24 * 60 * 60_000,
  /** Another unfinished upload of the same file may be a copy that runs elsewhere; it is left alone this long. */
  foreignUploadAgeMsMax: 24 * 60 * 60_000,

  /** Progress is told at most this often. */
  progressIntervalMs: 250,
  /** The rate is that of the last seconds. */
  rateWindowMs: 10_000,
} as const;

/** The bounds that a caller may set, mostly a test: the shapes stay the same, the sizes shrink. */
export type TransferLimits = Pick<
  { readonly [Name in keyof typeof ARTEFACT_LIMITS]: number },
  | 'partSizeBytes'
  | 'partsInFlight'
  | 'checkpointParts'
  | 'retryDelayMs'
  | 'stallTimeoutMs'
  | 'rateLimitMsMax'
  | 'sendTimeoutMs'
>;

/** The bounds that hold where nothing else is said. */
export const TRANSFER_DEFAULTS: TransferLimits = {
  partSizeBytes: ARTEFACT_LIMITS.partSizeBytes,
  partsInFlight: ARTEFACT_LIMITS.partsInFlight,
  checkpointParts: ARTEFACT_LIMITS.checkpointParts,
  retryDelayMs: ARTEFACT_LIMITS.retryDelayMs,
  stallTimeoutMs: ARTEFACT_LIMITS.stallTimeoutMs,
  rateLimitMsMax: ARTEFACT_LIMITS.rateLimitMsMax,
  sendTimeoutMs: ARTEFACT_LIMITS.sendTimeoutMs,
};
