const HEADS: readonly (readonly [name: string, at: number, head: string])[] = [
  ['WAV', 0, 'RIFF'],
  ['Ogg', 0, 'OggS'],
  ['FLAC', 0, 'fLaC'],
  ['WebM', 0, '\x1aE\xdf\xa3'],
  ['MP3', 0, 'ID3'],
  ['MP4', 4, 'ftyp'],
];
const HEAD_BYTES = 8;

/** The container that these bytes begin; undefined: none that is known. */
export function containerOf(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  return HEADS.find(([, at, text]) => head.startsWith(text, at))?.[0];
}
