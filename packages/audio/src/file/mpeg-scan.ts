import { mpegFrameAt } from './frame-sync.js';

/** A head of any of these fits into it; shorter than every frame. */
const HEAD_BYTES = 24;

/**
 * Runs over the frames of MPEG audio, and sees whether bytes lie between them that are neither frames nor tags: those are frames
 * that were lost. Where files were put together ffmpeg complains of their tags, in the same words as of damage.
 */
export class MpegScan {
  #held: Uint8Array = new Uint8Array(0);
  #skipBytes = 0;
  #hasBegun = false;
  #isBroken = false;

  /** Something was lost on the way. Junk before the first frame is none. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The next bytes of the file. */
  push(bytes: Uint8Array): void {
    const skipped = Math.min(this.#skipBytes, bytes.length);
    this.#skipBytes -= skipped;
    const fresh = bytes.subarray(skipped);
    const data = this.#held.length === 0 ? fresh : Buffer.concat([this.#held, fresh]);
    let at = 0;
    while (!this.#isBroken && at + HEAD_BYTES <= data.length) at += this.#lengthAt(data, at);
    this.#skipBytes += Math.max(0, at - data.length);
    this.#held = data.slice(at);
  }

  #lengthAt(data: Uint8Array, at: number): number {
    const frame = mpegFrameAt(data, at);
    if (frame !== undefined) {
      this.#hasBegun = true;
      return frame.lengthBytes;
    }
    const tagBytes = tagBytesAt(data, at);
    if (tagBytes > 0) return tagBytes;
    this.#isBroken = this.#hasBegun && data[at] !== 0;
    return 1;
  }
}

/** Tags that stand before and behind a recording, and so between two; 0: none. */
function tagBytesAt(data: Uint8Array, at: number): number {
  const mark = String.fromCharCode(...data.subarray(at, at + 8));
  const view = new DataView(data.buffer, data.byteOffset + at, HEAD_BYTES);
  if (mark.startsWith('ID3')) {
    const [b6 = 0, b7 = 0, b8 = 0, b9 = 0] = data.subarray(at + 6, at + 10);
    return 10 + (b6 << 21) + (b7 << 14) + (b8 << 7) + b9;
  }
  if (mark.startsWith('TAG')) return 128;
  // Its size counts all but its own head, where it has one.
  return mark === 'APETAGEX' ? 32 + view.getUint32(12, true) : 0;
}
