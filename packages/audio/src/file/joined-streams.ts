import { AudioError } from '../errors.js';
import { JOINED_STREAMS_MAX } from './limits.js';
import { checkFacts, type PcmStream } from './pcm-stream.js';

/** Opens the stream that begins next in a file; resolves to undefined at the end. Each call goes on behind the last one. */
export type OpenNext = () => Promise<PcmStream | undefined>;

/**
 * A file that is several, one behind the other: what a radio sends, or recordings that were put together. The first is opened,
 * and tells of damage to any. One behind it that cannot be opened is damage, and passed over; what follows behind
 * `JOINED_STREAMS_MAX` is damage, too. Throws `file_damaged` where there is no first.
 */
export async function openJoined(openNext: OpenNext): Promise<PcmStream> {
  const first = await openNext();
  if (first === undefined) {
    throw new AudioError('file_damaged', 'This file has no usable beginning; it is cut off or damaged.');
  }
  let isDamaged = false;
  let current = first;
  let leftCount = JOINED_STREAMS_MAX - 1;
  async function next(): Promise<PcmStream | undefined> {
    isDamaged ||= current.isDamaged();
    for (; leftCount > 0; leftCount -= 1) {
      try {
        // One may be several itself: MP3 within a container.
        const following = (await current.next?.()) ?? (await openNext());
        if (following === undefined) return undefined;
        checkFacts(following);
        current = following;
        leftCount -= 1;
        return { ...following, next };
      } catch (error) {
        if (!(error instanceof AudioError)) throw error;
        isDamaged = true;
      }
    }
    isDamaged = true;
    return undefined;
  }
  return { ...first, isDamaged: () => isDamaged || current.isDamaged(), next };
}
