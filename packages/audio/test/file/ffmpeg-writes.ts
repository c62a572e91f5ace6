import { matroskaElement } from './hostile-bytes.js';

const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');

const audio = matroskaElement(0xe1, hex('b584467a0000' + '9f8101' + '62648120')); // 16 kHz, mono, 32 bits
const codec = matroskaElement(0x86, Buffer.from('A_PCM/FLOAT/IEEE'));
const track = matroskaElement(0xae, Buffer.concat([hex('d78101' + '838102'), codec, audio]));

/** What ffmpeg writes before the first sound, as we ask it: floats in Matroska, 16 kHz, mono. */
export const ffmpegHeader: Buffer = Buffer.concat([
  ...[matroskaElement(0x1a45dfa3, new Uint8Array(0)), hex('18538067'), UNKNOWN_SIZE],
  ...[matroskaElement(0x1654ae6b, track), hex('1f43b675'), UNKNOWN_SIZE, hex('e78100')],
]);

/** And before each piece: the size behind the first byte grows by the bytes that follow. */
export const ffmpegBlockHead: Buffer = hex('a3' + '10000004' + '81000080');

/** A piece of silence of so many bytes. */
export function ffmpegSound(bytes: number): Buffer {
  const head = Buffer.from(ffmpegBlockHead);
  head.writeUInt32BE(head.readUInt32BE(1) + bytes, 1);
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}
