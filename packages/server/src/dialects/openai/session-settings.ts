import type { RawAudioReaderOptions } from '@kikitori/audio';
import { type Members, membersOf } from '../json-object.js';
import { isSampleRate } from '../sample-rate.js';

/** Who ends a turn: the client by `commit`, or the server when nobody speaks any more. */
export type TurnEnds = 'commit' | 'pause';

/** What a session is set to. */
export interface SessionSettings {
  readonly model: string;
  readonly language: string | undefined;
  readonly turnEnds: TurnEnds;
  readonly sound: RawAudioReaderOptions;
  /** As the client wrote them; repeated to it. */
  readonly written: {
    readonly format: unknown;
    readonly transcription: unknown;
    readonly turnDetection: unknown;
    readonly noiseReduction: unknown;
    readonly include: unknown;
  };
}

/** A setting that cannot be had. */
export interface BadSetting {
  /** The path of the member. */
  readonly param: string;
  readonly message: string;
}

const RATE_HZ = 24_000;
const TELEPHONE_RATE_HZ = 8_000;
/** Models whose sessions end no turns unless they are told to. */
const SILENT_MODELS = ['gpt-realtime-whisper', 'gpt-live-transcribe'];

/** What a session is set to until its client says otherwise. */
export function initialSettings(model: string): SessionSettings {
  return {
    model,
    language: undefined,
    turnEnds: turnEndsOf(undefined, model),
    sound: { encoding: 's16le', sampleRateHz: RATE_HZ },
    written: {
      format: { type: 'audio/pcm', rate: RATE_HZ },
      transcription: null,
      turnDetection: null,
      noiseReduction: null,
      include: null,
    },
  };
}

/** Settings behind a `session.update` of general availability; what is absent stays as it was. */
export function settingsAfter(before: SessionSettings, session: Members): SessionSettings | BadSetting {
  const kind = session['type'] ?? 'transcription';
  if (kind !== 'transcription') {
    const message = 'This server transcribes and does not answer: ask for a session of type "transcription".';
    return { param: 'session.type', message };
  }
  const input = membersOf(membersOf(session['audio'])?.['input']) ?? {};
  const format = input['format'] ?? before.written.format;
  const sound = soundOf(format);
  if (sound === undefined) {
    const message =
      'Not a format that is heard: {"type":"audio/pcm","rate":24000} (any rate from 8000 on), {"type":"audio/pcmu"} or {"type":"audio/pcma"}.';
    return { param: 'session.audio.input.format', message };
  }
  return merged(before, sound, {
    format,
    transcription: input['transcription'],
    turnDetection: input['turn_detection'],
    noiseReduction: input['noise_reduction'],
    include: session['include'],
  });
}

/** The same for `transcription_session.update` of the beta, whose members are flat. */
export function betaSettingsAfter(before: SessionSettings, session: Members): SessionSettings | BadSetting {
  const format = session['input_audio_format'] ?? before.written.format;
  const sound = betaSoundOf(format);
  if (sound === undefined) {
    const message = 'Not a format that is heard: pcm16 (24 kHz), g711_ulaw or g711_alaw.';
    return { param: 'session.input_audio_format', message };
  }
  return merged(before, sound, {
    format,
    transcription: session['input_audio_transcription'],
    turnDetection: session['turn_detection'],
    noiseReduction: session['input_audio_noise_reduction'],
    include: session['include'],
  });
}

function merged(
  before: SessionSettings,
  sound: RawAudioReaderOptions,
  said: SessionSettings['written'],
): SessionSettings {
  const transcription = membersOf(said.transcription) ?? {};
  const { model, language } = transcription;
  const { written } = before;
  const name = typeof model === 'string' ? model : before.model;
  const isSaid = said.turnDetection !== undefined;
  return {
    model: name,
    language: typeof language === 'string' && language !== '' ? language : before.language,
    turnEnds: isSaid || name !== before.model ? turnEndsOf(said.turnDetection, name) : before.turnEnds,
    sound,
    written: {
      format: said.format,
      transcription: said.transcription ?? written.transcription,
      turnDetection: isSaid ? said.turnDetection : written.turnDetection,
      noiseReduction: said.noiseReduction ?? written.noiseReduction,
      include: said.include ?? written.include,
    },
  };
}

/** `null`: the client ends turns; absent: the server does, but for models that are used without. */
function turnEndsOf(turnDetection: unknown, model: string): TurnEnds {
  if (turnDetection === undefined) return SILENT_MODELS.includes(model) ? 'commit' : 'pause';
  return membersOf(turnDetection) === undefined ? 'commit' : 'pause';
}

function soundOf(format: unknown): RawAudioReaderOptions | undefined {
  if (typeof format === 'string') return betaSoundOf(format);
  const { type, rate } = membersOf(format) ?? {};
  switch (type) {
    case 'audio/pcm':
      return readable({ encoding: 's16le', sampleRateHz: rate ?? RATE_HZ });
    case 'audio/pcmu':
      return readable({ encoding: 'mulaw', sampleRateHz: rate ?? TELEPHONE_RATE_HZ });
    case 'audio/pcma':
      return readable({ encoding: 'alaw', sampleRateHz: rate ?? TELEPHONE_RATE_HZ });
    default:
      return undefined;
  }
}

function betaSoundOf(format: unknown): RawAudioReaderOptions | undefined {
  if (typeof format !== 'string') return soundOf(format);
  switch (format) {
    case 'pcm16':
      return { encoding: 's16le', sampleRateHz: RATE_HZ };
    case 'g711_ulaw':
      return { encoding: 'mulaw', sampleRateHz: TELEPHONE_RATE_HZ };
    case 'g711_alaw':
      return { encoding: 'alaw', sampleRateHz: TELEPHONE_RATE_HZ };
    default:
      return undefined;
  }
}

function readable({
  encoding,
  sampleRateHz,
}: {
  readonly encoding: RawAudioReaderOptions['encoding'];
  readonly sampleRateHz: unknown;
}): RawAudioReaderOptions | undefined {
  const isRate = isSampleRate(sampleRateHz);
  return isRate ? { encoding, sampleRateHz } : undefined;
}
