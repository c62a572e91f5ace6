import {
  CLOSE_CODE_ABSENT,
  type CloseInfo,
  encodeClosePayload,
  encodeFrame,
  newMaskKey,
  OPCODE,
} from '@kikitori/transport/frames';
import type { BridgeLimits } from '../limits.js';
import type { Slab } from '../wire/slab.js';
import type { Wire } from '../wire/wire.js';

/** Which of the two peers. */
export type Side = 'client' | 'upstream';

type ControlOpcode = typeof OPCODE.close | typeof OPCODE.ping | typeof OPCODE.pong;

const NO_BYTES = new Uint8Array(0);

/**
 * One of the two lines of a session, as far as it is written to: what waits for it, what was said on it, whether the
 * peer is alive.
 *
 * A control frame of ours may stand between two frames but not inside one, and frames pass through here in pieces. So
 * it waits for the end of the frame that is passing; of each kind only the latest (RFC 6455 section 5.5.3 allows that for
 * pongs), so that nothing piles up.
 */
export class Line {
  readonly side: Side;
  /** Absent while the upstream is being reached. */
  wire: Wire | undefined;
  /** A frame is passing towards this peer, and not all of it has come yet. */
  isMidFrame = false;
  /** What we said, or are about to. Nothing else is sent behind it. */
  closeSent: CloseInfo | undefined;
  closeReceived: CloseInfo | undefined;
  /** We do not read from it, because what it sends could not go on. */
  isPaused = false;
  /** Something came since the last tick. */
  isHeard = false;
  quietMs = 0;
  isPinged = false;
  /** It was asked at all, and has answered a ping at least once. */
  isTried = false;
  hasAnswered = false;
  stalledMs = 0;
  #unsentBefore = 0;
  readonly #limits: BridgeLimits;
  #pending: Map<ControlOpcode, Uint8Array> | undefined;
  /** What came for it before it was there. */
  #held: Buffer[] | undefined;
  #heldBytes = 0;

  constructor(side: Side, limits: BridgeLimits) {
    this.side = side;
    this.#limits = limits;
  }

  /** Whether as much waits for it as may; then nothing more should be read that goes there. */
  get isFull(): boolean {
    if (this.wire === undefined) return this.#heldBytes >= this.#limits.heldBytesMax;
    // A socket tells of its drain only where it asked for a pause before.
    return this.wire.unsentBytes >= this.#limits.unsentBytesMax && this.wire.socket.writableNeedDrain;
  }

  /** Bytes that wait for it. */
  get waitingBytes(): number {
    return this.#heldBytes + (this.wire?.unsentBytes ?? 0);
  }

  /** Whether control frames of ours wait for a gap between frames. */
  get hasPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Whether frames may still be sent: no close frame has gone out. */
  get isOpen(): boolean {
    return this.closeSent === undefined || this.#pending?.has(OPCODE.close) === true;
  }

  /** The line is there: what was held goes out first. */
  attach(wire: Wire): void {
    this.wire = wire;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    if (held.length > 0) wire.write(Buffer.concat(held));
    this.flushPending();
  }

  /** Sends what the slab gathered, or holds it. */
  deliver(slab: Slab): void {
    if (this.wire !== undefined) {
      slab.flushTo(this.wire);
    } else if (slab.gatheredBytes > 0) {
      const bytes = slab.take();
      this.#held ??= [];
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
    }
  }

  /** Says goodbye once; code 1005 says it without a code. */
  sendClose(info: CloseInfo): void {
    if (this.closeSent !== undefined) return;
    this.#send(OPCODE.close, encodeClosePayload(info.code, info.reason));
    this.closeSent = info;
  }

  /** Answers a ping. */
  sendPong(payload: Uint8Array): void {
    this.#send(OPCODE.pong, payload);
  }

  /** Asks for a sign of life. */
  sendPing(): void {
    this.#send(OPCODE.ping, NO_BYTES);
    this.isPinged = true;
  }

  /** A text message of our own; only where no frame and no message is passing. */
  sendText(text: string): void {
    if (this.closeSent === undefined) this.wire?.write(this.#encode(OPCODE.text, Buffer.from(text)));
  }

  /** Control frames that waited, as bytes; they are out of here then. */
  takePending(): Uint8Array {
    const pending = this.#pending;
    if (pending === undefined) return NO_BYTES;
    this.#pending = undefined;
    return Buffer.concat([...pending].map(([opcode, payload]) => this.#encode(opcode, payload)));
  }

  /** Sends control frames that waited, if there is a gap. */
  flushPending(): void {
    if (this.#pending !== undefined && !this.isMidFrame && !this.isFull) this.wire?.write(this.takePending());
  }

  /** How long it has taken nothing although something waited, after another `tickMs`. */
  tickStall(tickMs: number): number {
    const unsent = this.wire?.unsentBytes ?? 0;
    this.stalledMs = unsent > 0 && unsent === this.#unsentBefore ? this.stalledMs + tickMs : 0;
    this.#unsentBefore = unsent;
    return this.stalledMs;
  }

  #send(opcode: ControlOpcode, payload: Uint8Array): void {
    if (this.closeSent !== undefined) return;
    const mustWait = this.wire === undefined || this.isMidFrame || (this.isFull && opcode !== OPCODE.close);
    if (mustWait) {
      this.#pending ??= new Map();
      this.#pending.set(opcode, payload);
    } else {
      this.wire?.write(this.#encode(opcode, payload));
    }
  }

  /** Towards the upstream we are the client, and clients mask. */
  #encode(opcode: ControlOpcode | typeof OPCODE.text, payload: Uint8Array): Uint8Array {
    return encodeFrame(payload, { opcode, maskKey: this.side === 'upstream' ? newMaskKey() : undefined });
  }
}

/** The same goodbye; where the peer gave no code, none is given back. */
export function echoOf(info: CloseInfo): CloseInfo {
  return info.code === CLOSE_CODE_ABSENT ? { code: CLOSE_CODE_ABSENT, reason: '' } : info;
}
