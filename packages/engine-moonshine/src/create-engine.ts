/** From a model's name to a running engine. */
import { EngineError, type SpeechEngine } from '@kikitori/engine';
import { capacityOf } from './capacity.js';
import { readVocabulary, type Vocabulary } from './model/token-text.js';
import { startEngine } from './moonshine-engine.js';
import {
  isStoreName,
  type ModelStoreOptions,
  type PullProgress,
  pullModel,
  type ResolvedModel,
  type ResolvedMoonshine,
  resolveModel,
} from './store/index.js';
import { DOUBT_RULES } from './stream/doubt.js';
import type { StreamPolicy } from './stream/policy.js';

/** The model of someone who does not choose; docs/benchmarks.md has the figures behind the choice. */
export const DEFAULT_MODEL = 'base';

export interface MoonshineOptions {
  /** `tiny`, `base`, `hf:owner/name` or a folder that holds a Moonshine export. Default `base`. */
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
export async function createMoonshineEngine(options: MoonshineOptions = {}): Promise<SpeechEngine> {
  const name = options.model ?? DEFAULT_MODEL;
  const model = await obtain(name, options);
  const vad = await obtain('silero', options);
  if (model.kind !== 'moonshine' || vad.kind !== 'silero') {
    throw new EngineError(
      'model_invalid',
      'This model does not recognise speech; choose tiny, base or a folder with a Moonshine export.',
    );
  }
  const { threads, streamsMax } = capacityOf(name, options.threads);
  return startEngine(
    {
      model: servedName(model),
      files: model.files,
      vocabulary: await vocabularyOf(model),
      vadFile: vad.files.v5,
      check: () => Promise.all([name, 'silero'].map((one) => resolveModel(one, options.store))),
      languages: model.languages,
      doubt: DOUBT_RULES[model.name],
      threads,
      streamsMax: options.streamsMax ?? streamsMax,
      delayMs: options.delayMs,
      policy: options.policy,
    },
    options.signal,
  );
}

/** From the store, into which it is pulled when it is missing or damaged there; or the user's folder as it is. */
async function obtain(name: string, { store, signal, onProgress }: MoonshineOptions): Promise<ResolvedModel> {
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

function servedName(model: ResolvedMoonshine): string {
  return /^[a-z]+$/.test(model.name) ? `moonshine-${model.name}` : model.name;
}

async function vocabularyOf({ files }: ResolvedMoonshine): Promise<Vocabulary> {
  if (files.tokenizer === undefined) return (await import('./model/tokens.js')).llamaVocabulary();
  try {
    return await readVocabulary(files.tokenizer);
  } catch (cause) {
    throw new EngineError('model_invalid', 'The tokenizer.json of this model cannot be read.', { cause });
  }
}
