/** What one frame header of MPEG audio or ADTS says, as far as finding the next frame needs it. */
export interface FrameHeader {
  readonly lengthBytes: number;
  readonly sampleRateHz: number;
  /** Equal in all frames of one stream: version, layer and rate. */
  readonly signature: number;
}

const MPEG1_KBPS: Readonly<Record<number, readonly number[]>> = {
  1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const MPEG2_KBPS: Readonly<Record<number, readonly number[]>> = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const MPEG_RATE_HZ = [44100, 48000, 32000];
const ADTS_RATE_HZ = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];

/** Reads the frame header of MPEG audio (layers I to III, versions 1, 2 and 2.5) at `at`; ISO 11172-3 2.4.1.3. */
export function mpegFrameAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const b1 = bytes[at + 1] ?? 0;
  const b2 = bytes[at + 2];
  if (bytes[at] !== 0xff || (b1 & 0xe0) !== 0xe0 || b2 === undefined) return undefined;
  const version = (b1 >> 3) & 3; // 0: 2.5, 2: MPEG-2, 3: MPEG-1
  const layer = 4 - ((b1 >> 1) & 3);
  const rate = MPEG_RATE_HZ[(b2 >> 2) & 3];
  const kbps = (version === 3 ? MPEG1_KBPS : MPEG2_KBPS)[layer]?.[b2 >> 4];
  if (version === 1 || layer === 4 || rate === undefined || kbps === undefined || kbps === 0)
    return undefined;
  const sampleRateHz = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  const padding = (b2 >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const lengthBytes =
    layer === 1
      ? (Math.floor((12_000 * kbps) / sampleRateHz) + padding) * 4
      : Math.floor(((samples / 8) * 1000 * kbps) / sampleRateHz) + padding;
  return { lengthBytes, sampleRateHz, signature: ((b1 & 0xfe) << 2) | ((b2 >> 2) & 3) };
}

/** Reads the ADTS header of AAC at `at`; ISO 13818-7 6.2. */
export function adtsFrameAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const [b0, b1, b2, b3, b4, b5] = bytes.subarray(at, at + 6);
  if (b0 !== 0xff || b1 === undefined || (b1 & 0xf6) !== 0xf0) return undefined;
  if (b2 === undefined || b3 === undefined || b4 === undefined || b5 === undefined) return undefined;
  const sampleRateHz = ADTS_RATE_HZ[(b2 >> 2) & 15];
  const lengthBytes = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
  if (sampleRateHz === undefined || lengthBytes < 7) return undefined;
  return { lengthBytes, sampleRateHz, signature: ((b1 & 0xf8) << 4) | ((b2 >> 2) & 15) };
}

/** Reads the sync frame header of AC-3 at `at`, 48/44.1/32 kHz; ATSC A/52 5.3. */
export function ac3FrameAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const b4 = bytes[at + 4];
  if (bytes[at] !== 0x0b || bytes[at + 1] !== 0x77 || b4 === undefined) return undefined;
  const rate = b4 >> 6;
  const kbps = AC3_KBPS[(b4 & 63) >> 1];
  const sampleRateHz = [48000, 44100, 32000][rate];
  if (kbps === undefined || sampleRateHz === undefined) return undefined;
  const odd = rate === 1 ? b4 & 1 : 0;
  return {
    lengthBytes: 2 * (Math.floor((96_000 * kbps) / sampleRateHz) + odd),
    sampleRateHz,
    signature: rate,
  };
}
const AC3_KBPS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

/** Reads the head of a frame of LATM at `at`: 11 bits of sync, 13 of length; ISO 14496-3 1.7.2. The rate stands elsewhere. */
export function loasFrameAt(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const [b0, b1 = 0, b2] = bytes.subarray(at, at + 3);
  if (b0 !== 0x56 || (b1 & 0xe0) !== 0xe0 || b2 === undefined) return undefined;
  const lengthBytes = 3 + (((b1 & 0x1f) << 8) | b2);
  return { lengthBytes, sampleRateHz: 0, signature: 0 };
}

/** Whether the frame of LATM at `at` says how it is to be read. Those that do not (the top bit behind the head) go by one before them. */
export function isLatmBeginning(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 3] ?? 0x80) & 0x80) === 0;
}

/**
 * Counts frames that follow each other without a gap, from `at` on, at most `wanted`. A chain of frames is
 * what makes a two-byte sync mark believable.
 */
export function countFrames(
  bytes: Uint8Array,
  at: number,
  wanted: number,
  headerAt: (bytes: Uint8Array, at: number) => FrameHeader | undefined,
): number {
  let position = at;
  let count = 0;
  let signature: number | undefined;
  while (count < wanted) {
    const header = headerAt(bytes, position);
    if (header === undefined || (signature !== undefined && header.signature !== signature)) break;
    signature = header.signature;
    position += header.lengthBytes;
    // A frame that the bytes end in counts: short files hold few.
    count += 1;
  }
  return count;
}
