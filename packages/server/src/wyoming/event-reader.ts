import { type Members, membersOf, objectOf } from '../dialects/json-object.js';
import type { WyomingLimits } from './limits.js';

/** One event, as clients and servers of this protocol exchange them. */
export interface WyomingEvent {
  readonly type: string;
  readonly data: Members;
  /** Empty where there is none. */
  readonly payload: Uint8Array;
}

type FrameLimits = Pick<WyomingLimits, 'headerBytesMax' | 'dataBytesMax' | 'payloadBytesMax'>;

/** A header that was read, and what follows it. */
interface Head {
  readonly type: string;
  readonly data: Members;
  readonly dataBytes: number;
  readonly payloadBytes: number;
}

const NEWLINE = 0x0a;

/** What came is no event, so that where the next one begins is not known. The message is for the client. */
export class BrokenFrameError extends Error {
  override readonly name = 'BrokenFrameError';
}

/**
 * Cuts a stream of bytes, in pieces of any size, into events: a line of JSON, as many bytes of JSON as it says
 * (merged over the data in the line), and as many of payload. Holds one event at most.
 */
export class EventReader {
  readonly #limits: FrameLimits;
  #rest = Buffer.alloc(0);
  #head: Head | undefined;
  /** How much of the rest was looked through for the end of the line. */
  #seenBytes = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** The events that these bytes complete; they own their payloads. Throws `BrokenFrameError`; nothing can be read then. */
  *push(bytes: Uint8Array): Generator<WyomingEvent> {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    for (let event = this.#next(); event !== undefined; event = this.#next()) yield event;
  }

  #next(): WyomingEvent | undefined {
    this.#head ??= this.#takeHead();
    const head = this.#head;
    if (head === undefined || this.#rest.length < head.dataBytes + head.payloadBytes) return undefined;
    this.#head = undefined;
    const more = head.dataBytes === 0 ? {} : objectIn(this.#take(head.dataBytes), 'The data of an event');
    const payload = new Uint8Array(this.#take(head.payloadBytes));
    return { type: head.type, data: { ...head.data, ...more }, payload };
  }

  #takeHead(): Head | undefined {
    const { headerBytesMax, dataBytesMax, payloadBytesMax } = this.#limits;
    const lengthBytes = this.#rest.indexOf(NEWLINE, this.#seenBytes);
    this.#seenBytes = lengthBytes === -1 ? this.#rest.length : 0;
    if (lengthBytes > headerBytesMax || this.#seenBytes > headerBytesMax) {
      throw new BrokenFrameError(`The line of an event has at most ${headerBytesMax} bytes.`);
    }
    if (lengthBytes === -1) return undefined;
    const header = objectIn(this.#take(lengthBytes + 1), 'An event');
    const { type } = header;
    if (typeof type !== 'string') throw new BrokenFrameError('An event has a type, which is a string.');
    return {
      type,
      data: membersOf(header['data']) ?? {},
      dataBytes: lengthOf(header, 'data_length', dataBytesMax),
      payloadBytes: lengthOf(header, 'payload_length', payloadBytesMax),
    };
  }

  #take(lengthBytes: number): Buffer {
    const taken = this.#rest.subarray(0, lengthBytes);
    this.#rest = this.#rest.subarray(lengthBytes);
    return taken;
  }
}

function objectIn(bytes: Buffer, what: string): Members {
  const members = objectOf(bytes.toString('utf8'));
  if (members === undefined) throw new BrokenFrameError(`${what} is an object of JSON on one line.`);
  return members;
}

/** Absent and null mean none. */
function lengthOf(header: Members, name: 'data_length' | 'payload_length', max: number): number {
  const value = header[name] ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new BrokenFrameError(`${name} is a whole number from 0 to ${max}.`);
  }
  return value;
}
