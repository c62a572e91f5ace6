import { AudioError } from '../errors.js';
import { openJoined } from './joined-streams.js';
import { oggCodecOf } from './ogg-codec.js';
import { type OggPacket, oggPackets } from './ogg-packets.js';
import type { PcmStream } from './pcm-stream.js';
import { onTimeline, type TimedSound, Timeline } from './timeline.js';

/** Ogg, also several streams one after the other, each with a codec, a rate and channels of its own. */
export function openOgg(bytes: AsyncIterable<Uint8Array>): Promise<PcmStream> {
  const packets = oggPackets(bytes);
  /** Read already: it begins the stream that follows. */
  let ahead: OggPacket | undefined;
  /** The packet that was given to a decoder last. */
  let current: OggPacket | undefined;
  let isDamaged = false;

  async function* oneStream(first: OggPacket): AsyncGenerator<OggPacket, void> {
    let last = first;
    for (let packet: OggPacket | undefined = first; packet !== undefined; ) {
      isDamaged ||= packet.followsGap;
      last = packet;
      current = packet;
      yield packet;
      const { value } = await packets.next();
      if (value?.startsStream === true) ahead = value;
      packet = value === undefined || value.startsStream ? undefined : value;
    }
    isDamaged ||= !last.isOnLastPage;
  }

  return openJoined(async () => {
    // Behind a stream that was given up its rest is to come.
    while (ahead === undefined) {
      const { done, value } = await packets.next();
      if (done === true) return undefined;
      if (value.startsStream) ahead = value;
    }
    const first = ahead;
    ahead = undefined;
    const stream = await openStream(first.bytes, oneStream(first));
    const timed = onTimeline(
      stream,
      pages(stream, () => current),
      new Timeline(),
    );
    return { ...timed, isDamaged: () => isDamaged || timed.isDamaged() };
  });
}

/** The sound of each page together: its clock shows where the last sample on it ends. */
async function* pages(
  { blocks, channels, sampleRateHz }: PcmStream,
  current: () => OggPacket | undefined,
): AsyncGenerator<TimedSound, void> {
  let held: Float32Array[] = [];
  let granule = 0;
  function takeHeld(): TimedSound {
    const samples = held.reduce((sum, block) => sum + block.length / channels, 0);
    const page = { blocks: held, clockMs: ((granule - samples) / sampleRateHz) * 1000 };
    held = [];
    return page;
  }
  for await (const block of blocks) {
    const packet = current();
    if (held.length > 0 && packet?.pageGranule !== granule) yield takeHeld();
    granule = packet?.pageGranule ?? granule;
    held.push(block);
    if (packet?.isLastOnPage === true) yield takeHeld();
  }
  if (held.length > 0) yield takeHeld();
}

async function openStream(head: Uint8Array, packets: AsyncGenerator<OggPacket, void>): Promise<PcmStream> {
  switch (oggCodecOf(head)) {
    case 'ogg-opus':
      return (await import('./opus-library.js')).openOggOpus(packets);
    case 'ogg-vorbis':
      return (await import('./vorbis-library.js')).openOggVorbis(packets);
    case 'ogg-flac':
      return (await import('./flac-library.js')).openOggFlac(packets);
  }
  throw new AudioError('decoder_missing', 'This kind of Ogg needs ffmpeg; install ffmpeg and try again.');
}
