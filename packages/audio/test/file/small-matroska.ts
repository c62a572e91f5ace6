import { matroskaElement } from './hostile-bytes.js';

/** A track of a small file: plain samples, 16 bits, mono, 16 kHz; or a picture. */
export interface SmallTrack {
  readonly type: 'picture' | 'sound';
  readonly isDefault?: boolean;
}

/** A second or so of a track: tracks count from 1, times in ms. */
export interface SmallBlock {
  readonly track: number;
  readonly atMs: number;
  /** Every sample has this value. */
  readonly value: number;
  readonly lengthMs: number;
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const number = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

function trackEntry({ type, isDefault }: SmallTrack, index: number): Uint8Array {
  const audio = [
    matroskaElement(0xb5, Buffer.from('467a0000', 'hex')),
    matroskaElement(0x9f, number(1)),
    matroskaElement(0x6264, number(16)),
  ];
  return matroskaElement(
    0xae,
    Buffer.concat([
      matroskaElement(0xd7, number(index + 1)),
      matroskaElement(0x73c5, number(index + 1)),
      matroskaElement(0x83, number(type === 'sound' ? 2 : 1)),
      ...(isDefault === undefined ? [] : [matroskaElement(0x88, number(isDefault ? 1 : 0))]),
      matroskaElement(0x86, ascii(type === 'sound' ? 'A_PCM/INT/LIT' : 'V_MJPEG')),
      ...(type === 'sound' ? [matroskaElement(0xe1, Buffer.concat(audio))] : []),
    ]),
  );
}

/** Each block is a Cluster of its own. */
function cluster({ track, atMs, value, lengthMs }: SmallBlock): Uint8Array {
  const samples = new Int16Array(lengthMs * 16).fill(value);
  const block = Buffer.concat([Uint8Array.of(0x80 | track, 0, 0, 0x80), new Uint8Array(samples.buffer)]);
  const body = [matroskaElement(0xe7, number(atMs)), matroskaElement(0xa3, block)];
  return matroskaElement(0x1f43b675, Buffer.concat(body));
}

/** A Matroska file that any reader takes. */
export function smallMatroska(tracks: readonly SmallTrack[], blocks: readonly SmallBlock[]): Uint8Array {
  const info = matroskaElement(0x1549a966, matroskaElement(0x2ad7b1, number(1_000_000)));
  const list = matroskaElement(0x1654ae6b, Buffer.concat(tracks.map(trackEntry)));
  const segment = Buffer.concat([info, list, ...blocks.map(cluster)]);
  return Buffer.concat([
    matroskaElement(0x1a45dfa3, matroskaElement(0x4282, ascii('matroska'))),
    matroskaElement(0x18538067, segment),
  ]);
}
