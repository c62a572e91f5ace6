import { everyLanguage } from '@kikitori/protocol/languages';
import type { Members } from '../dialects/json-object.js';

/** What is served, as far as it is told. */
export interface Described {
  /** Names of the model, the default one first. */
  readonly models: readonly string[];
  /** BCP 47 tags; none: not known. */
  readonly languages: readonly string[];
  readonly version: string;
}

const KIKITORI = { name: 'Kikitori', url: 'https://www.npmjs.com/package/kikitori' };

/** The data of an `info` event: one program, which hears speech. */
export function descriptionOf({ models, languages, version }: Described): Members {
  const artifact = { attribution: KIKITORI, installed: true, version };
  return {
    asr: [
      {
        ...artifact,
        name: 'kikitori',
        description: 'Real-time speech to text',
        models: models.map((name) => ({
          ...artifact,
          name,
          description: name,
          // Clients offer only what is in the list: where nothing is known, any may be asked for.
          languages: languages.length === 0 ? everyLanguage() : languages,
        })),
        supports_transcript_streaming: true,
        // A transcript comes when the client says `audio-stop`, and not before.
        requires_external_vad: true,
        // Trained on sound as microphones give it.
        prefers_auto_gain_enabled: false,
        prefers_noise_reduction_enabled: false,
      },
    ],
    tts: [],
    handle: [],
    intent: [],
    wake: [],
    mic: [],
    snd: [],
  };
}
