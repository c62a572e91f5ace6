/** Every bound of this package, with its reason; docs/bridge.md says what happens at each. Times in milliseconds. */
export interface BridgeLimits {
  /** SageMaker wants a socket accepted within 250 ms: from here on it is, whether the model server answers or not. */
  readonly acceptWithinMs: number;
  /** How long a session waits for a model server that is not up. Then: an error event and close 1013. */
  readonly startupWaitMs: number;
  /** How long a handshake may take at least, however little of that is left: a server that is up answers within it. */
  readonly handshakeMsMin: number;
  /** Between two tries to reach a model server that is not up: first, and at most. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** What a client may send while its session waits: 25 s of base64 audio. At the bound it waits in its socket. */
  readonly heldBytesMax: number;
  /** Unsent bytes of one socket from which on the other is not read: 1.5 s of base64 audio. */
  readonly unsentBytesMax: number;
  /** How long a peer may take nothing while something waits for it, or send nothing of a file. Then: its line is cut, or 408, or 504. */
  readonly stallMs: number;
  /** Largest message, all its fragments. vLLM refuses above 16 MiB by itself; this ends what nobody would take. */
  readonly messageBytesMax: number;
  /** A model server that is silent for so long, asked with a ping in between, is dead. */
  readonly upstreamSilenceMsMax: number;
  /** The same for clients that have answered a ping: each is asked once as soon as it is there. */
  readonly clientSilenceMsMax: number;
  /** The same for those that have not: SageMaker pings every 60 s, so that its silence is never this long. */
  readonly untriedSilenceMsMax: number;
  /** How long the tail of a transcript may take once the client has closed. */
  readonly tailMs: number;
  /** The same where nothing says that more will come: so long after the last word. */
  readonly tailQuietMs: number;
  /** How long a peer may take to answer a close frame, and to end its line after that. */
  readonly closeTimeoutMs: number;
  /** How long a refused client may take to read the answer, and to send what nobody wants before it. */
  readonly refusalTimeoutMs: number;
  /** Sessions and files at once. At the bound: 503. */
  readonly sessionsMax: number;
  /** Connections that have not sent a whole request, or were answered. At the bound the one that waits longest is ended. */
  readonly waitingMax: number;
  /** How long the head of a request may take, from connecting on. At the bound: 408, and cut. */
  readonly headMs: number;
  /** How long a drain waits for live sessions; SageMaker kills 30 s after SIGTERM. */
  readonly drainMs: number;
  /** One question to the model server about its health; SageMaker waits 2 s for the answer to its own. */
  readonly healthTimeoutMs: number;
  /** How long such an answer holds. */
  readonly healthCacheMs: number;
  /** How long the model server may take to list its models. Then: 504. */
  readonly modelsTimeoutMs: number;
  /** How long such a list may be: some dozen models. At the bound: 502. */
  readonly modelsBytesMax: number;
  /** How long the name found in such a list holds, where a file names no model. Then it is asked for again. */
  readonly modelNameHoldsMs: number;
  /** Largest body of `POST /invocations`; SageMaker takes no more. At the bound: 413. */
  readonly invocationBytesMax: number;
  /** How long the model server may say nothing, once it has a file; SageMaker waits no longer. Then: 504, or a cut. */
  readonly answerMsMax: number;
  /** Longest time for a file, from the head to the answer's last byte; SageMaker streams an answer no longer. Then: 504, or a cut. */
  readonly invocationMsMax: number;
}

/** What holds unless told otherwise. */
export const BRIDGE_LIMITS: BridgeLimits = {
  acceptWithinMs: 200,
  startupWaitMs: 20_000,
  handshakeMsMin: 1_500,
  retryMsMin: 50,
  retryMsMax: 500,
  heldBytesMax: 1024 * 1024,
  unsentBytesMax: 64 * 1024,
  stallMs: 30_000,
  messageBytesMax: 64 * 1024 * 1024,
  upstreamSilenceMsMax: 10_000,
  clientSilenceMsMax: 10_000,
  untriedSilenceMsMax: 90_000,
  tailMs: 10_000,
  tailQuietMs: 500,
  closeTimeoutMs: 3_000,
  refusalTimeoutMs: 2_000,
  sessionsMax: 4_096,
  waitingMax: 256,
  headMs: 5_000,
  drainMs: 25_000,
  healthTimeoutMs: 1_500,
  healthCacheMs: 1_000,
  modelsTimeoutMs: 5_000,
  modelsBytesMax: 256 * 1024,
  modelNameHoldsMs: 60_000,
  invocationBytesMax: 25 * 1024 * 1024,
  answerMsMax: 60_000,
  invocationMsMax: 480_000,
};

/** What Node reads from a socket at once, at most. */
export const READ_BYTES_MAX = 64 * 1024;
