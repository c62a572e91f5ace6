/** The float WAV that ffmpeg writes to a pipe: its header read, its samples to come. */
export interface FloatWav {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Interleaved, whole frames. A last incomplete frame is dropped. */
  readonly blocks: AsyncIterable<Float32Array>;
}

/** ffmpeg's header with `+bitexact` is 58 to 80 bytes; more means that this is not it. */
const HEADER_BYTES_MAX = 4096;

/**
 * Reads the header of float WAV as ffmpeg writes it; sizes are ignored, samples go on to the end of the pipe
 * (a file beyond 4 GB has no true size there). Resolves to undefined where no header came.
 */
export async function readFloatWav(bytes: AsyncGenerator<Uint8Array, void>): Promise<FloatWav | undefined> {
  let head = new Uint8Array(0);
  for (let found = headerOf(head); ; found = headerOf(head)) {
    if (found !== undefined) {
      const { sampleRateHz, channels, dataOffset } = found;
      return { sampleRateHz, channels, blocks: toFloats(head.subarray(dataOffset), bytes, channels) };
    }
    const { done, value } = head.length > HEADER_BYTES_MAX ? { done: true } : await bytes.next();
    if (done === true || value === undefined) return undefined;
    head = Buffer.concat([head, value]);
  }
}

function headerOf(
  head: Uint8Array,
): { sampleRateHz: number; channels: number; dataOffset: number } | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let channels = 0;
  let sampleRateHz = 0;
  for (let at = 12; at + 8 <= head.length; at += 8 + view.getUint32(at + 4, true)) {
    const id = view.getUint32(at, false);
    if (id === 0x666d7420 && at + 16 <= head.length) {
      channels = view.getUint16(at + 10, true);
      sampleRateHz = view.getUint32(at + 12, true);
    }
    if (id === 0x64617461) {
      return channels > 0 && sampleRateHz > 0 ? { sampleRateHz, channels, dataOffset: at + 8 } : undefined;
    }
  }
  return undefined;
}

async function* toFloats(
  first: Uint8Array,
  bytes: AsyncIterable<Uint8Array>,
  channels: number,
): AsyncGenerator<Float32Array, void> {
  const frameBytes = channels * 4;
  let carry: Uint8Array = first;
  yield* whole();
  for await (const piece of bytes) {
    carry = carry.length === 0 ? piece : Buffer.concat([carry, piece]);
    yield* whole();
  }

  function* whole(): Generator<Float32Array> {
    const usable = carry.length - (carry.length % frameBytes);
    if (usable === 0) return;
    // A copy: floats need an aligned start, and the piece is Node's.
    const copy = new Uint8Array(usable);
    copy.set(carry.subarray(0, usable));
    carry = carry.subarray(usable);
    yield new Float32Array(copy.buffer);
  }
}
