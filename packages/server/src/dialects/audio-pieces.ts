import type { RawAudioReader } from '@kikitori/audio';
import type { Append, SessionInput } from '../session/state.js';

/** Bytes that are turned into speech at a time: some 10 ms of work where they have to be resampled. */
const PIECE_BYTES = 65_536;

/** The audio of one message to what its session is given; `appendsOf`: what some of its bytes complete. */
export function inPieces(
  bytes: Uint8Array,
  appendsOf: (bytes: Uint8Array) => readonly Append[],
): readonly SessionInput[] {
  return bytes.length <= PIECE_BYTES
    ? appendsOf(bytes)
    : [{ type: 'appends', pieces: eachPiece(bytes, appendsOf) }];
}

function* eachPiece(
  bytes: Uint8Array,
  appendsOf: (bytes: Uint8Array) => readonly Append[],
): Generator<Append> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield* appendsOf(bytes.subarray(at, at + PIECE_BYTES));
  }
}

/** The same of one voice. */
export function speechOf(reader: RawAudioReader, bytes: Uint8Array): readonly SessionInput[] {
  return inPieces(bytes, (piece) => {
    const [pcm] = reader.push(piece);
    return pcm === undefined || pcm.length === 0 ? [] : [{ type: 'append', pcm }];
  });
}
