/** Pieces of containers, made by the book, for tests that put them together badly. */

/** A CRC without reflection, most significant bit first. */
function crc(bytes: Uint8Array, bits: 8 | 16 | 32, polynomial: number): number {
  const top = 2 ** (bits - 1);
  let value = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const isSet = value >= top !== (((byte >> bit) & 1) === 1);
      value = (value * 2) % (2 * top);
      if (isSet) value = (value ^ polynomial) >>> 0;
    }
  }
  return value;
}

/** `fLaC` and STREAMINFO: 16 kHz, mono. */
export const flacHead: Uint8Array = Uint8Array.of(
  ...[0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, 34],
  ...[16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0x00, 0xf0, 0, 0, 0, 0],
  ...new Uint8Array(16),
);

/** The header of a frame of FLAC, with its own checksum: 6 bytes. */
export function flacHeader(number: number): Uint8Array {
  const head = Uint8Array.of(0xff, 0xf8, 0x19, 0x08, number);
  return Uint8Array.of(...head, crc(head, 8, 0x07));
}

/** A frame of FLAC: header, anything, checksum. 8 bytes more than the body. */
export function flacFrame(number: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([flacHeader(number), body, Buffer.alloc(2)]);
  bytes.writeUInt16BE(crc(bytes.subarray(0, -2), 16, 0x8005), bytes.length - 2);
  return bytes;
}

/** Whether the CRC of a whole frame is right: of any bytes it is by chance, once in 65,536 times. */
export function isFlacFrame(bytes: Uint8Array): boolean {
  return crc(bytes, 16, 0x8005) === 0;
}

/** A page of Ogg that holds one packet of at most 254 bytes. */
export function oggPage(sequence: number, packet: Uint8Array): Uint8Array {
  const head = Buffer.alloc(28);
  head.write('OggS');
  head[5] = sequence === 0 ? 2 : 0;
  head.writeUInt32LE(7, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = 1;
  head[27] = packet.length;
  const page = Buffer.concat([head, packet]);
  page.writeUInt32LE(crc(page, 32, 0x04c11db7), 22);
  return page;
}

/** An element of Matroska, its size in four bytes. */
export function matroskaElement(id: number, body: Uint8Array): Uint8Array {
  const idBytes = [24, 16, 8, 0].map((shift) => (id >>> shift) & 0xff);
  const size = [0x10 | (body.length >>> 24), body.length >>> 16, body.length >>> 8, body.length];
  return Buffer.concat([
    Uint8Array.of(...idBytes.slice(idBytes.findIndex((byte) => byte > 0)), ...size),
    body,
  ]);
}
