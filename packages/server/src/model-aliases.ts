import type { Logger } from '@kikitori/core';

/**
 * Names that libraries and frameworks ask for when their users name none, and the most usual others: of OpenAI, Mistral, Deepgram, AssemblyAI,
 * and of the weights of Whisper and Voxtral. Left out: names that promise what nobody here does (`gpt-4o-transcribe-diarize`: speakers).
 */
export const MODEL_ALIASES: readonly string[] = [
  'whisper-1',
  'gpt-transcribe',
  'gpt-4o-transcribe',
  'gpt-4o-mini-transcribe',
  'gpt-4o-mini-transcribe-2025-12-15',
  'gpt-realtime-whisper',
  'gpt-live-transcribe',
  'whisper-large-v3',
  'whisper-large-v3-turbo',
  'openai/whisper-small',
  'openai/whisper-large-v3',
  'openai/whisper-large-v3-turbo',
  'voxtral-mini-latest',
  'voxtral-mini-2507',
  'voxtral-mini-2602',
  'voxtral-mini-transcribe-realtime-2602',
  'mistralai/Voxtral-Mini-3B-2507',
  'mistralai/Voxtral-Mini-4B-Realtime-2602',
  'nova-2',
  'nova-2-general',
  'nova-2-conversationalai',
  'nova-2-meeting',
  'nova-2-phonecall',
  'nova-3',
  'nova-3-general',
  'nova-3-medical',
  'nova-3-multilingual',
  'flux-general-en',
  'flux-general-multi',
  'universal',
  'universal-streaming-english',
  'universal-streaming-multilingual',
  'universal-3-5-pro',
  'universal-3-6',
  'universal-3-6-pro',
  'u3-pro',
  'u3-rt-pro',
  'u3-rt-pro-beta-1',
  'whisper-rt',
];

const ALIASES: ReadonlySet<string> = new Set(MODEL_ALIASES);

/**
 * The served model that answers whoever asks for `name`: the one of that name, or the default one for `''` and for an alias; undefined:
 * nobody does. `models`: served names, the default one first.
 */
export function servedModel(name: string, models: readonly string[]): string | undefined {
  if (models.includes(name)) return name;
  return name === '' || ALIASES.has(name) ? models[0] : undefined;
}

/** Every name that is answered, served ones first. */
export function answeredNames(models: readonly string[]): readonly string[] {
  return [...models, ...MODEL_ALIASES.filter((alias) => !models.includes(alias))];
}

/** The names of a server's models; its log says once for each alias who answers to it. */
export class ModelNames {
  /** Served ones, the default one first. */
  readonly served: readonly string[];
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(served: readonly string[], logger: Logger) {
    this.served = served;
    this.#logger = logger;
  }

  /** As `servedModel`. */
  find(name: string): string | undefined {
    const model = servedModel(name, this.served);
    if (model !== undefined && model !== name && name !== '' && !this.#told.has(name)) {
      this.#told.add(name);
      this.#logger.info('A client asks for a model by a name that is not served; the default one answers.', {
        asked: name,
        model,
      });
    }
    return model;
  }
}
