import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { AudioError } from '../errors.js';
import { CHANNELS_MAX } from '../limits.js';
import { interleave } from './interleave.js';
import { xiphLaced } from './matroska-lacing.js';
import type { MatroskaAudio } from './matroska-packets.js';
import type { OggPacket } from './ogg-packets.js';
import type { PcmStream } from './pcm-stream.js';

/** The identification and the setup header; the comments between them are not needed. */
interface VorbisHeaders {
  readonly identification: Uint8Array;
  readonly setup: Uint8Array;
}

type Pages = Parameters<OggVorbisDecoder['decodeOggPages']>[0];

/**
 * The decoder takes its packets wrapped as pages of the library's own Ogg parser. Ours are plain objects with the
 * members that it reads (`data`, `codecFrames`, `isLastPage`), hence the casts: the classes of the type are not
 * for anybody to construct.
 */
class VorbisPackets {
  isDamaged = false;
  readonly #decoder = new OggVorbisDecoder();
  #setup: Uint8Array | undefined;

  async open({ identification, setup }: VorbisHeaders): Promise<void> {
    await this.#decoder.ready;
    this.#setup = setup;
    await this.#decoder.decodeOggPages([
      { data: identification, codecFrames: [], isLastPage: false },
    ] as unknown as Pages);
  }

  async decode(packet: Uint8Array): Promise<Float32Array[]> {
    const header = { vorbisSetup: this.#setup };
    try {
      const decoded = await this.#decoder.decodeOggPages([
        { data: packet, codecFrames: [{ data: packet, header }], isLastPage: false },
      ] as unknown as Pages);
      if (decoded.errors.length > 0) this.isDamaged = true;
      return decoded.channelData;
    } catch (error) {
      // A packet longer than the decoder's buffer.
      if (!(error instanceof RangeError)) throw error;
      this.isDamaged = true;
      return [];
    }
  }

  free(): void {
    this.#decoder.free();
  }
}

/** Rate and channels of the identification header, Vorbis I section 4.2.2. */
function identified(bytes: Uint8Array): { sampleRateHz: number; channels: number } {
  const channels = bytes[11] ?? 0;
  const sampleRateHz =
    bytes.length < 30 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
  if (channels === 0 || channels > CHANNELS_MAX || sampleRateHz === 0) throw headerError();
  return { sampleRateHz, channels };
}

function headerError(): AudioError {
  return new AudioError(
    'file_damaged',
    'The Vorbis header of this file is cut off or damaged; export the file again.',
  );
}

/** Vorbis in Ogg: one stream. */
export async function openOggVorbis(packets: AsyncGenerator<OggPacket, void>): Promise<PcmStream> {
  const headers: Uint8Array[] = [];
  while (headers.length < 3) {
    const { done, value } = await packets.next();
    if (done === true) throw headerError();
    headers.push(value.bytes);
  }
  const [identification, , setup] = headers;
  if (identification === undefined || setup === undefined || setup[0] !== 5) throw headerError();
  const facts = identified(identification);
  const vorbis = new VorbisPackets();
  await vorbis.open({ identification, setup });
  return {
    ...facts,
    durationMs: undefined,
    isDamaged: () => vorbis.isDamaged,
    blocks: (async function* () {
      let position = 0;
      for await (const packet of packets) {
        const planes = await vorbis.decode(packet.bytes);
        const samples = planes[0]?.length ?? 0;
        const end = packet.isOnLastPage ? packet.pageGranule - position : samples;
        position += samples;
        const block = interleave(planes, 0, Math.min(samples, Math.max(0, end)));
        if (block.length > 0) yield block;
      }
      vorbis.free();
    })(),
  };
}

/** Vorbis in WebM or Matroska: the three headers are laced together in the track's private data. */
export async function openMatroskaVorbis(audio: MatroskaAudio): Promise<PcmStream> {
  const [identification, , setup] = xiphLaced(audio.track.codecPrivate, 1, 3) ?? [];
  if (identification === undefined || setup === undefined) throw headerError();
  const facts = identified(identification);
  const vorbis = new VorbisPackets();
  await vorbis.open({ identification, setup });
  return {
    ...facts,
    durationMs: undefined,
    isDamaged: () => vorbis.isDamaged,
    blocks: (async function* () {
      for await (const packet of audio.packets) {
        const planes = await vorbis.decode(packet.bytes);
        const block = interleave(planes, 0, planes[0]?.length ?? 0);
        if (block.length > 0) yield block;
      }
      vorbis.free();
    })(),
  };
}
