import { AudioError, decodeBase64Leniently } from '@kikitori/audio';

/** The bytes of audio in a message; undefined: it is no base64, or more than `bytesMax`. */
export function bytesOf(audio: unknown, bytesMax: number): Uint8Array | undefined {
  if (typeof audio !== 'string') return undefined;
  try {
    const bytes = decodeBase64Leniently(audio);
    return bytes.length > bytesMax ? undefined : bytes;
  } catch (error) {
    if (error instanceof AudioError) return undefined;
    throw error;
  }
}
