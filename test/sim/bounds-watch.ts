import { CLIENT_LIMITS, type Session } from '@kikitori/client';
import { FLOW_BYTES_MAX } from './flow.js';
import type { Network } from './network.js';
import { pendingTimers } from './virtual-time.js';

const BYTES_PER_MS = 32;
/** One message of the server may be several events. */
const EVENTS_AT_ONCE = 16;
/** Timers of two connections, of both their ends, and of the session; a leak has more at last. */
const TIMERS_MAX = 40;

/** What is held where, at the most. */
export interface Peaks {
  readonly audioBytes: number;
  readonly events: number;
  readonly lineBytes: number;
  readonly timers: number;
}

/** Looks at everything that holds something, at every step, and says what is above its bound. */
export class BoundsWatch {
  readonly #network: Network;
  readonly #onFlaw: (what: string) => void;
  readonly #audioBytesMax: number;
  #peaks: Peaks = { audioBytes: 0, events: 0, lineBytes: 0, timers: 0 };

  constructor(network: Network, keepMs: number | undefined, onFlaw: (what: string) => void) {
    this.#network = network;
    this.#onFlaw = onFlaw;
    this.#audioBytesMax = (keepMs ?? CLIENT_LIMITS.keepMs) * BYTES_PER_MS + 2 * CLIENT_LIMITS.ringPageBytes;
  }

  get peaks(): Peaks {
    return this.#peaks;
  }

  /** `isFinishing`: the caller has asked for the end; from then on events are kept, not held back. */
  look(session: Session, { isFinishing }: { readonly isFinishing: boolean }): void {
    const { audioBytes, waitingBytes, events } = session.held;
    const { eventsHighWater, eventsMax, waitingBytesMax } = CLIENT_LIMITS;
    const lineBytes = this.#network.heldBytes;
    const timers = pendingTimers();
    this.#hold('audio kept', audioBytes, this.#audioBytesMax);
    this.#hold('audio that waits in send', waitingBytes, waitingBytesMax);
    this.#hold('unread events', events, isFinishing ? eventsMax : eventsHighWater + EVENTS_AT_ONCE);
    this.#hold('bytes on a line', lineBytes, FLOW_BYTES_MAX);
    this.#hold('timers', timers, TIMERS_MAX);
    const { peaks } = this;
    this.#peaks = {
      audioBytes: Math.max(peaks.audioBytes, audioBytes),
      events: Math.max(peaks.events, events),
      lineBytes: Math.max(peaks.lineBytes, lineBytes),
      timers: Math.max(peaks.timers, timers),
    };
  }

  #hold(what: string, found: number, most: number): void {
    if (found > most) this.#onFlaw(`${what}: ${found} are more than ${most}`);
  }
}
