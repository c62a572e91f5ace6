import { CHANNELS_MAX, type PcmEncoding, SAMPLE_RATE_HZ_MAX, SPEECH_RATE_HZ } from '@kikitori/audio';
import type { RawAudioLanesOptions } from '../raw-audio-lanes.js';

/** Whom a query asks, on every path. */
export interface AskedModel {
  /** As the server knows it: the empty string where the client named one of Deepgram's. */
  readonly model: string;
  /** As the client wrote it. */
  readonly askedModel: string;
  /** Undefined: the client names none, or leaves it to the model. */
  readonly language: string | undefined;
}

/** What a query of the WebSockets `/v1/listen` or `/v2/listen` asks for. What is not named here is not read: it changes nothing. */
export interface ListenQuery extends AskedModel {
  readonly audio: RawAudioLanesOptions;
  /** The query names the encoding; else the audio may say what it is. */
  readonly hasEncoding: boolean;
  readonly interimResults: boolean;
  readonly vadEvents: boolean;
  readonly utteranceEnds: boolean;
}

/** A query that cannot be served. */
export interface BadQuery {
  /** A sentence for people. */
  readonly problem: string;
}

const ENCODINGS: ReadonlyMap<string, PcmEncoding> = new Map([
  ['linear16', 's16le'],
  ['linear32', 'f32le'],
  ['mulaw', 'mulaw'],
  ['alaw', 'alaw'],
]);
const TELEPHONE_RATE_HZ = 8_000;
const RATE_HZ_MIN = 8_000;
/** Of a session. */
const LANES_MAX = 8;
/** The first part of the names that Deepgram's clients are written with: answered by the model that is served. */
const FAMILIES = new Set([
  'nova',
  'enhanced',
  'base',
  'flux',
  'general',
  'meeting',
  'phonecall',
  'voicemail',
  'finance',
  'conversationalai',
  'video',
]);

/** Reads it. Never throws. */
export function readListenQuery(query: string): ListenQuery | BadQuery {
  const asked = new URLSearchParams(query);
  const audio = readRawAudio(asked);
  if ('problem' in audio) return audio;
  return {
    ...readAskedModel(asked),
    audio,
    hasEncoding: (asked.get('encoding') ?? '') !== '',
    interimResults: isOn(asked, 'interim_results'),
    vadEvents: isOn(asked, 'vad_events'),
    utteranceEnds: (asked.get('utterance_end_ms') ?? '') !== '',
  };
}

export function readAskedModel(asked: URLSearchParams): AskedModel {
  const askedModel = asked.get('model') ?? '';
  const language = asked.get('language') ?? '';
  const isOpen = language === '' || language === 'multi' || isOn(asked, 'detect_language');
  return {
    model: FAMILIES.has(askedModel.toLowerCase().split('-')[0] ?? '') ? '' : askedModel,
    askedModel,
    language: isOpen ? undefined : language,
  };
}

/** How the samples lie that the query speaks of, or would. */
export function readRawAudio(asked: URLSearchParams): RawAudioLanesOptions | BadQuery {
  const areApart = isOn(asked, 'multichannel');
  const name = asked.get('encoding') ?? '';
  const encoding = name === '' ? 's16le' : ENCODINGS.get(name.toLowerCase());
  if (encoding === undefined) {
    return { problem: `encoding is one of ${[...ENCODINGS.keys()].join(', ')}: send raw audio.` };
  }
  const isCompanded = encoding === 'mulaw' || encoding === 'alaw';
  const rate = asked.get('sample_rate') ?? String(isCompanded ? TELEPHONE_RATE_HZ : SPEECH_RATE_HZ);
  const sampleRateHz = Number(rate);
  if (!isWhole(sampleRateHz, RATE_HZ_MIN, SAMPLE_RATE_HZ_MAX)) {
    return { problem: `sample_rate is a whole number from ${RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX}.` };
  }
  const channels = Number(asked.get('channels') ?? '1');
  const channelsMax = areApart ? LANES_MAX : CHANNELS_MAX;
  if (!isWhole(channels, 1, channelsMax)) {
    return { problem: `channels is a whole number from 1 to ${channelsMax}.` };
  }
  return { encoding, sampleRateHz, channels, areApart };
}

/** Whether a switch is on. */
export function isOn(asked: URLSearchParams, name: string): boolean {
  return asked.get(name)?.toLowerCase() === 'true';
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
