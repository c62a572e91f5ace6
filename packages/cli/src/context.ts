import type { Clock, Logger } from '@kikitori/core';
import type { Aws } from '@kikitori/deploy';
import type { SpeechEngine, VoiceDetector } from '@kikitori/engine';
import type { Connect } from '@kikitori/transport';
import type { Microphone, MicrophoneDevice, MicrophoneOptions } from './audio/microphone.js';
import type { ModelStore } from './model-store.js';
import type { EndpointRequest } from './sagemaker/endpoint-connect.js';
import type { Reader } from './terminal/reader.js';

/** Environment variables; those that we ask for by name, and any others. */
export interface Environment {
  readonly [name: string]: string | undefined;
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  readonly AWS_CA_BUNDLE?: string | undefined;
  readonly AWS_DEFAULT_REGION?: string | undefined;
  readonly AWS_PROFILE?: string | undefined;
  readonly AWS_REGION?: string | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  readonly AWS_SESSION_TOKEN?: string | undefined;
  readonly CI?: string | undefined;
  readonly HF_ENDPOINT?: string | undefined;
  readonly HF_TOKEN?: string | undefined;
  readonly KIKITORI_DEBUG?: string | undefined;
  readonly KIKITORI_FFMPEG?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly PATH?: string | undefined;
  readonly TERM?: string | undefined;
}

/**
 * Where a command writes. Text goes out in order, `screened`: nothing in it is obeyed by a terminal but sequences of our
 * own. `drained` is the back-pressure.
 */
export interface Output {
  write(text: string): void;
  /** Resolves when little enough waits to be written. */
  drained(): Promise<void>;
  /** Resolves when everything was taken, or will not be: then `Context.signal` is aborted and says why. Never rejects. */
  written(): Promise<void>;
  /** True when a person looks at it and the cursor may be moved: a terminal that is not dumb, outside CI. */
  readonly isTerminal: boolean;
  readonly reader: Reader;
  /** Width in cells; 80 where it is not known. */
  columns(): number;
}

/** Where a command reads from when it is told `-`. */
export interface Input extends AsyncIterable<Uint8Array> {
  /** True when a person would have to type it: audio never comes from there. */
  readonly isTerminal: boolean;
}

/** How much is logged. `silent` is nothing. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the embedded engine needs to start. */
export interface EngineRequest {
  /** `tiny`, `base`, `hf:owner/name`, or a folder; undefined is the default model. */
  readonly model: string | undefined;
  /** Processor threads; undefined lets the engine choose. */
  readonly threads: number | undefined;
  /** How long words wait where a session does not say; undefined lets the engine choose. */
  readonly delayMs?: number | undefined;
  /** Streams open at once; undefined lets the engine choose. */
  readonly streamsMax: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EngineProgress) => void;
}

/** How far fetching a model is. */
export interface EngineProgress {
  /** The model's name. */
  readonly label: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** What reaches outside this process or costs much to load: tests put their own here. */
export interface Factories {
  createEngine(request: EngineRequest): Promise<SpeechEngine>;
  /** Tells speech from silence for a model that does not. Rejects with `EngineError`, or the signal's reason. */
  createVoiceDetector(options: { readonly signal: AbortSignal }): Promise<VoiceDetector>;
  openModelStore(): Promise<ModelStore>;
  connect(): Promise<Connect>;
  connectToEndpoint(request: EndpointRequest): Promise<Connect>;
  openMicrophone(options: MicrophoneOptions): Promise<Microphone>;
  listMicrophones(): Promise<readonly MicrophoneDevice[]>;
  createLogger(level: LogLevel): Promise<Logger>;
  /** AWS's own clients for a region, with the credentials of its chain. Whoever asks closes them. */
  openAws(options: { readonly region: string }): Promise<Aws>;
}

/** Everything a command may touch besides the file system and the network. */
export interface Context {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly clock: Clock;
  /**
   * Aborted by the first Ctrl-C or SIGTERM (reason: `CliError` `interrupted`), when nobody reads stdout any more
   * (`output_closed`), and when it cannot be written (`output_failed`).
   */
  readonly signal: AbortSignal;
  readonly factories: Factories;
}
