import {
  type PcmEncoding,
  type RawAudioReaderOptions,
  SAMPLE_RATE_HZ_MAX,
  SAMPLE_RATE_HZ_MIN,
  SPEECH_RATE_HZ,
} from '@kikitori/audio';
import { isSampleRate } from '../sample-rate.js';

const ENCODINGS: ReadonlyMap<string, PcmEncoding> = new Map([
  ['pcm_s16le', 's16le'],
  ['pcm_mulaw', 'mulaw'],
]);

/** What the address of a connection asks for. */
export interface StreamQuery {
  readonly model: string;
  readonly sound: RawAudioReaderOptions;
  /** Each turn comes once more when it is over, as people write. */
  readonly formatTurns: boolean;
}

/** A string: why it cannot be served. */
export function readStreamQuery(query: string): StreamQuery | string {
  const asked = new URLSearchParams(query);
  const encoding = ENCODINGS.get(asked.get('encoding') ?? 'pcm_s16le');
  const sampleRateHz = Number(asked.get('sample_rate') ?? SPEECH_RATE_HZ);
  const isRate = isSampleRate(sampleRateHz);
  if (encoding === undefined) return `encoding is one of ${[...ENCODINGS.keys()].join(', ')}.`;
  if (!isRate) return `sample_rate is a whole number from ${SAMPLE_RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX}.`;
  return {
    model: asked.get('speech_model') ?? asked.get('speech_models') ?? '',
    sound: { encoding, sampleRateHz },
    // Python writes True.
    formatTurns: asked.get('format_turns')?.toLowerCase() === 'true',
  };
}
