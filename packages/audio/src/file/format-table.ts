/** What kind of file it is, found from its content. Ogg is named by the codec inside, as that decides. */
export type AudioFormat =
  | 'wav'
  | 'w64'
  | 'aiff'
  | 'au'
  | 'caf'
  | 'sphere'
  | 'raw'
  | 'flac'
  | 'mp3'
  | 'ogg-opus'
  | 'ogg-vorbis'
  | 'ogg-flac'
  | 'ogg-other'
  | 'matroska'
  | 'mp4'
  | 'aac'
  | 'latm'
  | 'ac3'
  | 'dts'
  | 'amr'
  | 'asf'
  | 'avi'
  | 'flv'
  | 'mpeg-ts'
  | 'mpeg-ps'
  | 'realmedia'
  | 'wavpack'
  | 'tta'
  | 'monkeys-audio'
  | 'musepack'
  | 'musepack-8'
  | 'shorten'
  | 'voc'
  | 'dsf'
  | 'gsm'
  | 'g722';

/** How a format is named to a person, and how ffmpeg is told to read it. */
export interface FormatRow {
  /** For sentences: "AAC". */
  readonly label: string;
  /**
   * ffmpeg's demuxer. It is always named, so that ffmpeg never guesses: a playlist or a concat script can
   * not make it open other files or addresses. undefined: ffmpeg is never asked.
   */
  readonly demuxer: string | undefined;
  /** The reader jumps about in the file, so a stream may have to be put into a temporary file first. */
  readonly seeks: boolean;
  /**
   * Its container says when each piece of sound begins; `jumps`: and the clock may begin anew, or anywhere. Without one ffmpeg
   * counts samples, at the rate of the first.
   */
  readonly clock?: 'runs' | 'jumps';
  /** Its first frames say all there is to know: of a stream ffmpeg need not gather seconds before it decodes. */
  readonly startsAtOnce?: true;
}

/** One row per format. */
export const FORMATS: Readonly<Record<AudioFormat, FormatRow>> = {
  wav: { label: 'This kind of WAV', demuxer: 'wav', seeks: false },
  w64: { label: 'Sony Wave64', demuxer: 'w64', seeks: false },
  aiff: { label: 'This kind of AIFF', demuxer: 'aiff', seeks: false },
  au: { label: 'This kind of AU', demuxer: 'au', seeks: false },
  caf: { label: 'This kind of CAF', demuxer: 'caf', seeks: true },
  sphere: { label: 'NIST SPHERE', demuxer: 'nistsphere', seeks: false },
  raw: { label: 'Raw audio', demuxer: undefined, seeks: false },
  flac: { label: 'FLAC', demuxer: 'flac', seeks: false, startsAtOnce: true },
  mp3: { label: 'MP3', demuxer: 'mp3', seeks: false, startsAtOnce: true },
  'ogg-opus': { label: 'Opus', demuxer: 'ogg', seeks: false, clock: 'runs', startsAtOnce: true },
  'ogg-vorbis': { label: 'Vorbis', demuxer: 'ogg', seeks: false, clock: 'runs', startsAtOnce: true },
  'ogg-flac': { label: 'FLAC in Ogg', demuxer: 'ogg', seeks: false, clock: 'runs', startsAtOnce: true },
  'ogg-other': { label: 'This kind of Ogg (Speex and others)', demuxer: 'ogg', seeks: false, clock: 'runs' },
  matroska: {
    label: 'This kind of WebM or Matroska',
    demuxer: 'matroska',
    seeks: false,
    clock: 'runs',
    startsAtOnce: true,
  },
  mp4: { label: 'This kind of MP4 (AAC, ALAC and others)', demuxer: 'mov', seeks: true, clock: 'runs' },
  aac: { label: 'AAC', demuxer: 'aac', seeks: false, startsAtOnce: true },
  latm: { label: 'AAC in LATM', demuxer: 'loas', seeks: false, startsAtOnce: true },
  ac3: { label: 'AC-3', demuxer: 'ac3', seeks: false, startsAtOnce: true },
  dts: { label: 'DTS', demuxer: 'dts', seeks: false },
  amr: { label: 'AMR', demuxer: 'amr', seeks: false, startsAtOnce: true },
  asf: { label: 'Windows Media Audio', demuxer: 'asf', seeks: false, clock: 'runs' },
  avi: { label: 'AVI', demuxer: 'avi', seeks: true },
  flv: { label: 'Flash Video', demuxer: 'flv', seeks: false, clock: 'runs' },
  'mpeg-ts': { label: 'An MPEG transport stream', demuxer: 'mpegts', seeks: false, clock: 'jumps' },
  'mpeg-ps': { label: 'An MPEG program stream', demuxer: 'mpeg', seeks: false, clock: 'jumps' },
  realmedia: { label: 'RealMedia', demuxer: 'rm', seeks: true, clock: 'runs' },
  wavpack: { label: 'WavPack', demuxer: 'wv', seeks: false },
  tta: { label: 'True Audio', demuxer: 'tta', seeks: false },
  'monkeys-audio': { label: "Monkey's Audio", demuxer: 'ape', seeks: true },
  musepack: { label: 'Musepack', demuxer: 'mpc', seeks: true },
  'musepack-8': { label: 'Musepack', demuxer: 'mpc8', seeks: true },
  shorten: { label: 'Shorten', demuxer: 'shn', seeks: false },
  voc: { label: 'Creative Voice', demuxer: 'voc', seeks: false },
  dsf: { label: 'DSD', demuxer: 'dsf', seeks: true },
  gsm: { label: 'GSM', demuxer: 'gsm', seeks: false },
  g722: { label: 'G.722', demuxer: 'g722', seeks: false },
};
