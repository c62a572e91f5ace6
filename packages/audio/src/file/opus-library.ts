import { OpusDecoder } from 'opus-decoder';
import { AudioError } from '../errors.js';
import { interleave } from './interleave.js';
import type { MatroskaAudio } from './matroska-packets.js';
import type { OggPacket } from './ogg-packets.js';
import type { PcmStream } from './pcm-stream.js';

/** Opus always counts and is decoded at this rate, whatever was recorded (RFC 7845 section 4). */
const OPUS_RATE_HZ = 48_000;

/** OpusHead, RFC 7845 section 5.1. */
interface OpusHead {
  readonly channels: number;
  readonly preSkipSamples: number;
  readonly gain: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly channelMappingTable: number[];
}

function opusHead(bytes: Uint8Array): OpusHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = bytes[9] ?? 0;
  const family = bytes[18] ?? 255;
  if (bytes.length < 19 || channels === 0 || (family === 0 && channels > 2)) {
    throw new AudioError(
      'file_damaged',
      'The Opus header of this file makes no sense; export the file again.',
    );
  }
  if (family > 1 || channels > 8 || (family === 1 && bytes.length < 21 + channels)) {
    throw new AudioError(
      'decoder_missing',
      'This channel layout of Opus needs ffmpeg; install ffmpeg and try again.',
    );
  }
  return {
    channels,
    preSkipSamples: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / (20 * 256)),
    streamCount: family === 0 ? 1 : (bytes[19] ?? 1),
    coupledStreamCount: family === 0 ? channels - 1 : (bytes[20] ?? 0),
    channelMappingTable: family === 0 ? [0, 1].slice(0, channels) : [...bytes.subarray(21, 21 + channels)],
  };
}

/** Decodes one packet after the other; counts and drops the pre-skip, applies the header's gain. */
class OpusPackets {
  readonly head: OpusHead;
  /** Samples decoded so far with the pre-skip: the clock that granule positions show. */
  positionSamples = 0;
  isDamaged = false;
  #skipSamples: number;
  readonly #decoder: OpusDecoder;

  private constructor(head: OpusHead, decoder: OpusDecoder) {
    this.head = head;
    this.#skipSamples = head.preSkipSamples;
    this.#decoder = decoder;
  }

  static async open(header: Uint8Array): Promise<OpusPackets> {
    const { gain: _gain, preSkipSamples: _preSkip, ...layout } = opusHead(header);
    const decoder = new OpusDecoder({ ...layout, preSkip: 0 });
    await decoder.ready;
    return new OpusPackets(opusHead(header), decoder);
  }

  /** `endSample`: where the clock says the sound ends; samples beyond are padding. */
  decode(packet: Uint8Array, endSample = Number.POSITIVE_INFINITY): Float32Array<ArrayBuffer> {
    let planes: Float32Array[] = [];
    try {
      const decoded = this.#decoder.decodeFrame(packet);
      planes = decoded.channelData;
      if (decoded.errors.length > 0) this.isDamaged = true;
    } catch (error) {
      // A packet longer than the decoder's buffer.
      if (!(error instanceof RangeError)) throw error;
      this.isDamaged = true;
    }
    const samples = planes[0]?.length ?? 0;
    const from = Math.min(this.#skipSamples, samples);
    this.#skipSamples -= from;
    const to = Math.min(samples, Math.max(0, endSample - this.positionSamples));
    this.positionSamples += samples;
    const out = interleave(planes, from, to);
    if (this.head.gain !== 1)
      for (let at = 0; at < out.length; at += 1) out[at] = (out[at] ?? 0) * this.head.gain;
    return out;
  }

  free(): void {
    this.#decoder.free();
  }
}

/** Opus in Ogg: one stream. */
export async function openOggOpus(packets: AsyncGenerator<OggPacket, void>): Promise<PcmStream> {
  const first = await packets.next();
  const opus = await OpusPackets.open(first.done === true ? new Uint8Array(0) : first.value.bytes);
  return {
    sampleRateHz: OPUS_RATE_HZ,
    channels: opus.head.channels,
    durationMs: undefined,
    isDamaged: () => opus.isDamaged,
    blocks: (async function* () {
      await packets.next(); // OpusTags
      let baseSample: number | undefined;
      let pageGranule = -1;
      for await (const packet of packets) {
        // A page's clock counts its last packet, so the first page is judged when the second begins. A recording
        // taken from the middle of a broadcast starts with a clock that is not 0.
        if (packet.pageGranule !== pageGranule && pageGranule >= 0 && opus.positionSamples > 0) {
          baseSample ??= Math.max(0, pageGranule - opus.positionSamples);
        }
        pageGranule = packet.pageGranule;
        const endSample = packet.isOnLastPage ? pageGranule - (baseSample ?? 0) : undefined;
        const block = opus.decode(packet.bytes, endSample);
        if (block.length > 0) yield block;
      }
      opus.free();
    })(),
  };
}

/** Opus in WebM or Matroska: OpusHead is the track's private data. */
export async function openMatroskaOpus(audio: MatroskaAudio): Promise<PcmStream> {
  const opus = await OpusPackets.open(audio.track.codecPrivate);
  return {
    sampleRateHz: OPUS_RATE_HZ,
    channels: opus.head.channels,
    durationMs: undefined,
    isDamaged: () => opus.isDamaged,
    blocks: (async function* () {
      for await (const packet of audio.packets) {
        const block = opus.decode(packet.bytes);
        const discard = Math.round((packet.discardNs / 1e9) * OPUS_RATE_HZ) * opus.head.channels;
        if (block.length > discard) yield discard === 0 ? block : block.slice(0, block.length - discard);
      }
      opus.free();
    })(),
  };
}
