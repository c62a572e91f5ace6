/**
 * An MP4 of a few kilobytes whose index promises `tracks` audio tracks of `samples` samples each: sizes and durations are
 * given once for all of them, and a reader that lays the index out in memory takes some 24 bytes for each.
 */
export function hostileMp4({
  tracks,
  samples,
}: {
  readonly tracks: number;
  readonly samples: number;
}): Buffer {
  const movie = box('mvhd', u32(0, 0, 0, 1_000, 1_000), u32(0x10000), zeros(76), u32(tracks + 1));
  const all = Array.from({ length: tracks }, (_, index) => track(index + 1, samples));
  const index = box('moov', movie, ...all);
  const type = box('ftyp', Buffer.from('M4A '), u32(0), Buffer.from('M4A mp42isom'));
  return Buffer.concat([type, index, box('mdat', zeros(64))]);
}

function track(id: number, samples: number): Buffer {
  const header = box('tkhd', u32(7, 0, 0, id, 0, 1_000), zeros(60));
  const media = box('mdhd', u32(0, 0, 0, 16_000, 16_000), Buffer.from([0x55, 0xc4, 0, 0]));
  const handler = box('hdlr', u32(0, 0), Buffer.from('soun'), zeros(13));
  const information = box('minf', box('smhd', zeros(8)), tables(samples));
  return box('trak', header, box('mdia', media, handler, information));
}

function tables(samples: number): Buffer {
  const rate = u32(16_000 << 16);
  const codec = box('mp4a', zeros(6), u16(1), zeros(8), u16(1, 16), zeros(4), rate, elementary());
  return box(
    'stbl',
    box('stsd', u32(0, 1), codec),
    box('stts', u32(0, 1, samples, 1_024)),
    box('stsc', u32(0, 1, 1, samples, 1)),
    box('stsz', u32(0, 1, samples)),
    box('stco', u32(0, 1, 64)),
  );
}

/** `esds`: AAC-LC, 16 kHz, mono. */
function elementary(): Buffer {
  const specific = Buffer.from([0x05, 2, 0x14, 0x08]);
  const decoder = Buffer.from([0x04, 13 + specific.length, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const description = Buffer.from([0x03, 3 + decoder.length + specific.length, 0, 1, 0]);
  return box('esds', u32(0), description, decoder, specific);
}

function box(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(kind, 'latin1'), body]);
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, at * 4);
  return bytes;
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) bytes.writeUInt16BE(value, at * 2);
  return bytes;
}

function zeros(length: number): Buffer {
  return Buffer.alloc(length);
}
