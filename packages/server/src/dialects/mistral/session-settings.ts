import {
  type PcmEncoding,
  type RawAudioReaderOptions,
  SAMPLE_RATE_HZ_MAX,
  SAMPLE_RATE_HZ_MIN,
  SPEECH_RATE_HZ,
} from '@kikitori/audio';
import { DELAY_MS_MAX } from '@kikitori/protocol';
import { type Members, membersOf } from '../json-object.js';
import { isSampleRate } from '../sample-rate.js';

const ENCODINGS: ReadonlyMap<string, PcmEncoding> = new Map([
  ['pcm_s16le', 's16le'],
  ['pcm_s32le', 's32le'],
  ['pcm_f16le', 'f16le'],
  ['pcm_f32le', 'f32le'],
  ['pcm_mulaw', 'mulaw'],
  ['pcm_alaw', 'alaw'],
]);

/** What a session is set to. */
export interface SessionSettings {
  readonly sound: RawAudioReaderOptions;
  /** As the client wrote it; repeated to it. */
  readonly format: { readonly encoding: string; readonly sample_rate: number };
  readonly delayMs: number | undefined;
}

export const INITIAL_SETTINGS: SessionSettings = {
  sound: { encoding: 's16le', sampleRateHz: SPEECH_RATE_HZ },
  format: { encoding: 'pcm_s16le', sample_rate: SPEECH_RATE_HZ },
  delayMs: undefined,
};

/** Settings behind a `session.update`; what is absent stays as it was. A sentence where something cannot be had. */
export function settingsAfter(before: SessionSettings, session: Members): SessionSettings | string {
  const delayMs = session['target_streaming_delay_ms'] ?? before.delayMs;
  const isDelay = typeof delayMs === 'number' && delayMs >= 0 && delayMs <= DELAY_MS_MAX;
  if (delayMs !== undefined && !isDelay) {
    return `target_streaming_delay_ms has to be a number from 0 to ${DELAY_MS_MAX}.`;
  }
  const wished = session['audio_format'];
  const delay = isDelay ? Math.round(delayMs) : undefined;
  if (wished === undefined || wished === null) return { ...before, delayMs: delay };
  const { encoding = before.format.encoding, sample_rate: rate = before.format.sample_rate } =
    membersOf(wished) ?? {};
  const coded = typeof encoding === 'string' ? ENCODINGS.get(encoding) : undefined;
  const isRate = isSampleRate(rate);
  if (coded === undefined || !isRate) {
    return `audio_format has to be one of ${[...ENCODINGS.keys()].join(', ')}, with a sample_rate from ${SAMPLE_RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX}.`;
  }
  return {
    sound: { encoding: coded, sampleRateHz: rate },
    format: { encoding: String(encoding), sample_rate: rate },
    delayMs: delay,
  };
}
