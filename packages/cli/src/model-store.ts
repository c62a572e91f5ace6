/** What the commands need of a model store; the real one is that of `@kikitori/engine-local`. */

/** A model that can be fetched or is here. */
export interface ModelRow {
  readonly name: string;
  /** `silero` tells speech from silence; every recogniser needs it. */
  readonly kind: string;
  readonly description: string;
  readonly licence: string;
  readonly languages: readonly string[];
  readonly sizeBytes: number;
  /** `damaged`: pulling it again repairs it. */
  readonly state: 'absent' | 'present' | 'damaged';
  readonly dir: string;
}

/** What to tell while a model is being fetched, and how to break it off. */
export interface ModelPull {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly receivedBytes: number; readonly totalBytes: number }) => void;
}

/** Errors of all members: `EngineError` `model_unavailable`, `model_invalid`. */
export interface ModelStore {
  list(): Promise<readonly ModelRow[]>;
  /** Fetches what is missing and checks every byte. */
  pull(name: string, options: ModelPull): Promise<void>;
  /** False when it was not here. */
  remove(name: string): Promise<boolean>;
  /** Names of the files that are missing or are not what they should be; reads every byte. */
  problems(name: string, signal: AbortSignal): Promise<readonly string[]>;
}
