/**
 * Audio that no utterance has taken yet: what a client appended before its utterance began, or between the end of one
 * and the `done` that answers it. A persistent value (every operation returns a new one), because the session machine is
 * pure; appending costs O(1) however long the queue is.
 *
 * ```
 *   [ utterance, ended ] [ utterance, ended ] [ utterance, open ]
 *     ^ taken first                            ^ audio is added here
 * ```
 */

/** A list that shares its tail: the newest chunk first. */
interface Chunks {
  readonly pcm: Uint8Array;
  readonly older: Chunks | undefined;
}

interface QueuedUtterance {
  readonly chunks: Chunks | undefined;
  readonly lengthSamples: number;
  /** Its end marker was received. */
  readonly ended: boolean;
}

export interface AudioQueue {
  /** In order of arrival; only the last may be open. */
  readonly utterances: readonly QueuedUtterance[];
  /** Samples over all utterances. */
  readonly lengthSamples: number;
  /** How many of the utterances are ended. */
  readonly ends: number;
  /** Audio of the utterance that is open did not fit: the rest of it is not wanted, for it would join what is apart. */
  readonly isRefusing: boolean;
}

/** What `takeUtterance` found at the head. */
export interface TakenUtterance {
  /** PCM16 little-endian, mono, in order. */
  readonly chunks: readonly Uint8Array[];
  readonly lengthSamples: number;
  /** False: the client has not ended it yet (or nothing was queued). */
  readonly ended: boolean;
  readonly rest: AudioQueue;
}

const BYTES_PER_SAMPLE = 2;

/**
 * Small appends are joined up to this size, so that 100,000 appends of one sample cost what their audio costs and
 * not 100,000 objects. 80 ms: one frame of Voxtral, and what clients usually send.
 */
const JOINED_BYTES_MAX = 2560;

export const EMPTY_QUEUE: AudioQueue = { utterances: [], lengthSamples: 0, ends: 0, isRefusing: false };

/** Without the audio of the utterance that is open. */
export function dropOpenAudio(queue: AudioQueue): AudioQueue {
  const last = queue.utterances.at(-1);
  if (last === undefined || last.ended) return { ...queue, isRefusing: false };
  const utterances = queue.utterances.slice(0, -1);
  const lengthSamples = queue.lengthSamples - last.lengthSamples;
  return { utterances, lengthSamples, ends: queue.ends, isRefusing: false };
}

/** Adds audio behind everything queued. `pcm` is kept: the caller must not write to it again. */
export function appendAudio(queue: AudioQueue, pcm: Uint8Array): AudioQueue {
  const addedSamples = pcm.length / BYTES_PER_SAMPLE;
  const last = queue.utterances.at(-1);
  const open = last !== undefined && !last.ended ? last : undefined;
  const grown: QueuedUtterance = {
    chunks: joined(open?.chunks, pcm),
    lengthSamples: (open?.lengthSamples ?? 0) + addedSamples,
    ended: false,
  };
  const before = open === undefined ? queue.utterances : queue.utterances.slice(0, -1);
  return {
    utterances: [...before, grown],
    lengthSamples: queue.lengthSamples + addedSamples,
    ends: queue.ends,
    isRefusing: queue.isRefusing,
  };
}

/** True when audio is queued, or was refused, that no end marker follows. */
export function hasOpenAudio(queue: AudioQueue): boolean {
  const last = queue.utterances.at(-1);
  return queue.isRefusing || (last !== undefined && !last.ended);
}

/** Adds an end marker. Where no audio waits for one, this makes an empty utterance. */
export function endUtterance(queue: AudioQueue): AudioQueue {
  const last = queue.utterances.at(-1);
  const open = last !== undefined && !last.ended ? last : undefined;
  const ended: QueuedUtterance = {
    chunks: open?.chunks,
    lengthSamples: open?.lengthSamples ?? 0,
    ended: true,
  };
  const before = open === undefined ? queue.utterances : queue.utterances.slice(0, -1);
  return {
    utterances: [...before, ended],
    lengthSamples: queue.lengthSamples,
    ends: queue.ends + 1,
    isRefusing: false,
  };
}

/** Takes everything up to the first end marker; without one, everything. */
export function takeUtterance(queue: AudioQueue): TakenUtterance {
  const [first, ...others] = queue.utterances;
  if (first === undefined) return { chunks: [], lengthSamples: 0, ended: false, rest: EMPTY_QUEUE };
  return {
    chunks: inOrder(first.chunks),
    lengthSamples: first.lengthSamples,
    ended: first.ended,
    rest: {
      utterances: others,
      lengthSamples: queue.lengthSamples - first.lengthSamples,
      ends: queue.ends - (first.ended ? 1 : 0),
      isRefusing: queue.isRefusing && first.ended,
    },
  };
}

function joined(chunks: Chunks | undefined, pcm: Uint8Array): Chunks {
  if (chunks === undefined || chunks.pcm.length + pcm.length > JOINED_BYTES_MAX) {
    return { pcm, older: chunks };
  }
  const both = new Uint8Array(chunks.pcm.length + pcm.length);
  both.set(chunks.pcm);
  both.set(pcm, chunks.pcm.length);
  return { pcm: both, older: chunks.older };
}

function inOrder(chunks: Chunks | undefined): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let next = chunks; next !== undefined; next = next.older) found.push(next.pcm);
  return found.reverse();
}
