/** From a model's name to a running engine. */
import { EngineError, type SpeechEngine, type Vocabulary, type VoiceDetector } from '@kikitori/engine';
import { LocalEngine, type StreamPolicy } from '@kikitori/engine/recognition';
import { capacityOf } from './capacity.js';
import type { ModelFamily, ModelFiles } from './families/family.js';
import { familyOf } from './families/index.js';
import {
  isStoreName,
  type ModelStoreOptions,
  type PullProgress,
  pullModel,
  type ResolvedModel,
  resolveModel,
} from './store/index.js';
import { SileroDetector } from './vad/silero-detector.js';
import { DecoderThread, VoiceThread } from './worker/thread.js';

/** The model of someone who does not choose; docs/benchmarks.md has the figures behind the choice. */
export const DEFAULT_MODEL = 'base';
const VOICE_MODEL = 'silero';

export interface LocalEngineOptions {
  /** `tiny`, `base`, `hf:owner/name` or a folder that holds a model. Default `base`. */
  readonly model?: string;
  /** Decoding threads, each with its own copy of the model (base: about 450 MB). Default: one a core, as the memory allows. */
  readonly threads?: number;
  /** How long words wait in streams that do not say it themselves, milliseconds. Default: as little as is right. */
  readonly delayMs?: number;
  /** Streams that may be open at once. Default: what the threads carry live. */
  readonly streamsMax?: number;
  /** Breaks off the download and the start. */
  readonly signal?: AbortSignal;
  /** Told while a model is downloaded. */
  readonly onProgress?: (model: string, progress: PullProgress) => void;
  /** Which store. */
  readonly store?: ModelStoreOptions;
  /** For experiments: other numbers than the measured ones. */
  readonly policy?: Partial<StreamPolicy>;
}

/**
 * Finds the model (pulls it on first use), starts the threads and answers with an engine that is ready.
 *
 * @throws EngineError `model_unavailable` (cannot be fetched), `model_invalid` (damaged, unknown, or a folder that
 *   holds no model), `engine_worker_lost`; the signal's reason when aborted
 */
export async function createLocalEngine(options: LocalEngineOptions = {}): Promise<SpeechEngine> {
  const name = options.model ?? DEFAULT_MODEL;
  const model = await obtain(name, options);
  const voice = await obtain(VOICE_MODEL, options);
  const family = familyOf(model.kind);
  if (family === undefined) {
    throw new EngineError(
      'model_invalid',
      'This model does not recognise speech; choose tiny, base or a folder that holds a model.',
    );
  }
  const { threads, streamsMax } = capacityOf(name, options.threads);
  const check = (): Promise<unknown> =>
    Promise.all([name, VOICE_MODEL].map((one) => resolveModel(one, options.store)));
  const vocabulary = await vocabularyOf(family, model.files);
  const decoders = Array.from({ length: threads }, () => {
    return new DecoderThread({ type: 'decoder', family: family.name, files: model.files }, check);
  });
  const detector = new VoiceThread({ type: 'voice', file: voice.files['v5'] ?? '' }, check);
  await startAll([detector, ...decoders], options.signal);
  const { doubt } = family.traits(model.published ?? model.name);
  return new LocalEngine({
    model: servedName(model),
    languages: model.languages,
    vocabulary,
    decoders,
    voice: new SileroDetector(detector),
    doubt,
    streamsMax: options.streamsMax ?? streamsMax,
    delayMs: options.delayMs,
    policy: options.policy,
  });
}

/** Which store, and who wants to know. */
export type VoiceDetectorOptions = Pick<LocalEngineOptions, 'signal' | 'onProgress' | 'store'>;

/**
 * The voice detector alone (Silero, fetched at first use), in a thread of its own: for whoever has another model's words.
 *
 * @throws EngineError as `createLocalEngine`, or the signal's reason
 */
export async function createVoiceDetector(options: VoiceDetectorOptions = {}): Promise<VoiceDetector> {
  const voice = await obtain(VOICE_MODEL, options);
  const thread = new VoiceThread({ type: 'voice', file: voice.files['v5'] ?? '' }, () =>
    resolveModel(VOICE_MODEL, options.store),
  );
  await startAll([thread], options.signal);
  return new SileroDetector(thread);
}

/** Loads a model into each thread. Rejects with `EngineError` or the signal's reason; no thread is left running then. */
async function startAll(
  threads: readonly (DecoderThread | VoiceThread)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  // All of them, also when one has failed or nobody waits any more: the runtime brings the process down when one of
  // its threads ends while another loads.
  const starts = await Promise.allSettled(threads.map((thread) => thread.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed === undefined && signal?.aborted !== true) return;
  await Promise.all(threads.map((thread) => thread.close()));
  signal?.throwIfAborted();
  throw failed?.reason;
}

/** From the store, into which it is pulled when it is missing or damaged there; or the user's folder as it is. */
async function obtain(
  name: string,
  { store, signal, onProgress }: LocalEngineOptions,
): Promise<ResolvedModel> {
  try {
    return await resolveModel(name, store);
  } catch (error) {
    if (!(error instanceof EngineError) || !isStoreName(name, store)) throw error;
    return pullModel(name, {
      ...store,
      ...(signal ? { signal } : {}),
      onProgress: (progress) => onProgress?.(name, progress),
    }).catch((cause: unknown) => {
      // A model that is there and damaged, and cannot be fetched now: which file it is says more than the network does.
      if (error.code !== 'model_invalid' || signal?.aborted === true) throw cause;
      throw new EngineError(error.code, error.message, { cause });
    });
  }
}

function servedName({ name, kind }: ResolvedModel): string {
  return /^[a-z]+$/.test(name) ? `${kind}-${name}` : name;
}

async function vocabularyOf(family: ModelFamily, files: ModelFiles): Promise<Vocabulary> {
  try {
    return await family.vocabulary(files);
  } catch (cause) {
    throw new EngineError('model_invalid', 'The vocabulary of this model cannot be read.', { cause });
  }
}
