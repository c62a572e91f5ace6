import { AudioError } from '../errors.js';
import { children, float, unsigned } from './ebml.js';
import type { AudioTracks } from './pcm-stream.js';

/** A sound track of a WebM or Matroska file (RFC 9559). */
export interface MatroskaTrack {
  /** "A_OPUS", "A_VORBIS", "A_PCM/INT/LIT", … */
  readonly codecId: string;
  readonly codecPrivate: Uint8Array;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** 0 where it is not stated. */
  readonly bitDepth: number;
  /** How its packets are compressed or scrambled; undefined where they are not. */
  readonly encodings: Uint8Array | undefined;
}

/** What a track list says. */
export interface MatroskaTracks {
  /** The track that is heard: the first that is marked as default, else the first. */
  readonly track: MatroskaTrack;
  /** By this blocks say that they are its. */
  readonly number: number;
  readonly tracks: AudioTracks;
  /** The numbers of all tracks with sound or picture. */
  readonly timedNumbers: ReadonlySet<number>;
}

const ID = {
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  flagDefault: 0x88,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  encodings: 0x6d80,
  encryption: 0x5035,
  audio: 0xe1,
  rate: 0xb5,
  channels: 0x9f,
  bitDepth: 0x6264,
} as const;
const VIDEO_TRACK_TYPE = 1;
const AUDIO_TRACK_TYPE = 2;
/** Longer than every name of a codec. */
const CODEC_ID_BYTES_MAX = 64;

type Fields = ReadonlyMap<number, Uint8Array>;

/** Reads the body of a track list. Throws `no_audio_track`. */
export function matroskaTracks(list: Uint8Array): MatroskaTracks {
  const entries = [...children(list)]
    .filter(({ id }) => id === ID.trackEntry)
    .map(({ body }) => fieldsOf(body));
  const ofType = (type: number): Fields[] =>
    entries.filter((fields) => numberOf(fields, ID.trackType, 0) === type);
  const audio = ofType(AUDIO_TRACK_TYPE);
  // A track that does not say is one: the specification's default.
  const chosen = Math.max(
    0,
    audio.findIndex((fields) => numberOf(fields, ID.flagDefault, 1) !== 0),
  );
  const heard = audio[chosen];
  if (heard === undefined) {
    throw new AudioError('no_audio_track', 'This file has no audio track; choose one that has sound.');
  }
  const timed = [...ofType(VIDEO_TRACK_TYPE), ...audio];
  return {
    track: trackOf(heard),
    number: numberOf(heard, ID.trackNumber, 0),
    tracks: { count: audio.length, chosen },
    timedNumbers: new Set(timed.map((fields) => numberOf(fields, ID.trackNumber, 0))),
  };
}

function fieldsOf(body: Uint8Array): Fields {
  return new Map([...children(body)].map((child) => [child.id, child.body]));
}

function numberOf(fields: Fields, id: number, otherwise: number): number {
  const body = fields.get(id);
  return body === undefined ? otherwise : Number(unsigned(body));
}

function trackOf(fields: Fields): MatroskaTrack {
  const audio = fieldsOf(fields.get(ID.audio) ?? new Uint8Array(0));
  return {
    codecId: String.fromCharCode(
      ...(fields.get(ID.codecId)?.subarray(0, CODEC_ID_BYTES_MAX) ?? []).filter((byte) => byte > 0),
    ),
    codecPrivate: fields.get(ID.codecPrivate) ?? new Uint8Array(0),
    sampleRateHz: Math.round(float(audio.get(ID.rate)) ?? 8000), // the defaults of the specification
    channels: numberOf(audio, ID.channels, 1),
    bitDepth: numberOf(audio, ID.bitDepth, 0),
    encodings: fields.get(ID.encodings),
  };
}

/** Throws `file_encrypted`, or `decoder_missing`, for a track whose packets are not as its codec made them. */
export function checkEncodings({ encodings }: MatroskaTrack): void {
  if (encodings === undefined) return;
  const isEncrypted = [...children(encodings)].some(({ body }) =>
    [...children(body)].some(({ id }) => id === ID.encryption),
  );
  if (isEncrypted) {
    throw new AudioError('file_encrypted', 'This file is copy-protected; use a copy without protection.');
  }
  throw new AudioError(
    'decoder_missing',
    'This kind of Matroska needs ffmpeg; install ffmpeg and try again.',
  );
}
