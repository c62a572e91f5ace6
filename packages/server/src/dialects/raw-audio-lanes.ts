import { RawAudioReader, type RawAudioReaderOptions, SPEECH_RATE_HZ } from '@kikitori/audio';
import { APPEND_SAMPLES_MAX } from '@kikitori/protocol';
import type { Append, SessionInput } from '../session/state.js';
import { inPieces } from './audio-pieces.js';

/** How the audio of a connection is laid out. */
export interface RawAudioLanesOptions extends RawAudioReaderOptions {
  readonly channels: number;
  /** Each channel is a voice of its own, in a lane of its own; else they are mixed. */
  readonly areApart: boolean;
}

const BYTES_PER_SAMPLE = 2;
const SAMPLES_PER_MS = 16;

/** Raw audio of a connection, cut anywhere, to what its session is given. */
export class RawAudioLanes {
  readonly #options: RawAudioLanesOptions;
  readonly #reader: RawAudioReader;
  #receivedSamples = 0;

  /** Values out of bounds → `AudioError` `invalid_argument`. */
  constructor(options: RawAudioLanesOptions) {
    this.#options = options;
    this.#reader = new RawAudioReader(options);
  }

  /** Labels of the lanes; undefined: there is one, and no label. */
  get labels(): readonly string[] | undefined {
    const { channels, areApart } = this.#options;
    return areApart && channels > 1 ? Array.from({ length: channels }, (_, at) => String(at)) : undefined;
  }

  /** Audio of each lane so far. */
  get receivedMs(): number {
    return this.#receivedSamples / SAMPLES_PER_MS;
  }

  /** What the bytes complete; undefined: they hold more than a message may. */
  push(bytes: Uint8Array): readonly SessionInput[] | undefined {
    const { sampleRateHz, channels } = this.#options;
    // As if each byte were a sample: of 1 kHz it would grow to sixteen of ours.
    if ((bytes.length / channels) * (SPEECH_RATE_HZ / sampleRateHz) > APPEND_SAMPLES_MAX) return undefined;
    return inPieces(bytes, (piece) => this.#read(piece));
  }

  #read(bytes: Uint8Array): readonly Append[] {
    const lanes = this.#reader.push(bytes);
    const [first = new Uint8Array()] = lanes;
    if (first.length === 0) return [];
    this.#receivedSamples += first.length / BYTES_PER_SAMPLE;
    if (this.labels !== undefined) return lanes.map((pcm, lane) => ({ type: 'append', lane, pcm }));
    return [{ type: 'append', pcm: lanes.length === 1 ? first : mixed(lanes, first.length) }];
  }
}

/** The average of all. */
function mixed(lanes: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const views = lanes.map((pcm) => new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  const mix = new DataView(new ArrayBuffer(lengthBytes));
  for (let at = 0; at < lengthBytes; at += BYTES_PER_SAMPLE) {
    const sum = views.reduce((total, view) => total + view.getInt16(at, true), 0);
    mix.setInt16(at, Math.round(sum / lanes.length), true);
  }
  return new Uint8Array(mix.buffer);
}
