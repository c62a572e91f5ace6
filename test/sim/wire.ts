import { Duplex } from 'node:stream';
import type { LineFault } from './network.js';
import type { Cut } from './pieces.js';
import { sleep } from './virtual-time.js';

/** What a line that is dead still swallows, as the buffers of a kernel do. */
const SWALLOWED_BYTES_MAX = 256 * 1024;

/** How a line of bytes behaves. */
export interface WireOptions {
  readonly faults: readonly LineFault[];
  /** How long what is written is on its way, given anew for each write. */
  readonly delayMs: () => number;
  /** In which pieces each write comes. */
  readonly pieces: () => Cut;
  /** Nothing passes before. */
  readonly opensAfterMs: number;
  readonly onFault: (type: LineFault['type']) => void;
  /** Called once, when the client's end is gone. */
  readonly onEnd: () => void;
}

/** A line of bytes between two ends inside the process, in order in each direction, and with back-pressure. */
export class Wire {
  readonly near: WireEnd;
  readonly far: WireEnd;
  /** Resolves when both ends are gone: the server's may find out later. */
  readonly gone: Promise<unknown>;
  readonly #options: WireOptions;
  readonly #opening: Promise<void>;
  /** Passed so far, in both directions together. */
  #bytes = 0;
  #isDead = false;
  #swallowedBytes = 0;

  constructor(options: WireOptions) {
    this.#options = options;
    this.near = this.#makeEnd(() => this.far);
    this.far = this.#makeEnd(() => this.near);
    this.near.once('close', options.onEnd);
    this.gone = Promise.all(
      [this.near, this.far].map((end) => new Promise<void>((resolve) => end.once('close', resolve))),
    );
    this.#opening = options.opensAfterMs > 0 ? sleep(options.opensAfterMs) : Promise.resolve();
  }

  /** Both ends find the line gone. */
  cut(): void {
    this.near.reset();
    this.far.reset();
  }

  /** `peer` is asked for later: the ends know each other once both are there. */
  #makeEnd(peer: () => WireEnd): WireEnd {
    return new WireEnd({
      carry: (bytes) => this.#carry(bytes, peer()),
      onFinal: () => {
        if (!this.#isDead) peer().receiveEnd();
      },
      onReset: () => {
        if (!this.#isDead) peer().reset();
      },
    });
  }

  async #carry(bytes: Uint8Array, to: WireEnd): Promise<void> {
    const { delayMs, pieces } = this.#options;
    const pieceBytes = pieces();
    await this.#opening;
    const waitMs = delayMs();
    if (waitMs > 0) await sleep(waitMs);
    for (let at = 0; at < bytes.length && !this.near.destroyed; ) {
      const fault = this.#nextFault();
      const leftBytes = (fault?.at ?? Number.POSITIVE_INFINITY) - this.#bytes;
      const piece = bytes.subarray(at, at + Math.min(pieceBytes(at), leftBytes));
      at += piece.length;
      this.#bytes += piece.length;
      if (this.#isDead) await this.#swallow(piece.length);
      else await to.receive(piece);
      if (fault !== undefined && piece.length === leftBytes) await this.#suffer(fault);
    }
  }

  #nextFault(): LineFault | undefined {
    return this.#options.faults.find(({ at }) => at > this.#bytes);
  }

  async #suffer(fault: LineFault): Promise<void> {
    this.#options.onFault(fault.type);
    if (fault.type === 'cut') this.cut();
    else if (fault.type === 'stall') await sleep(fault.ms);
    else this.#isDead = true;
  }

  async #swallow(bytes: number): Promise<void> {
    this.#swallowedBytes += bytes;
    if (this.#swallowedBytes < SWALLOWED_BYTES_MAX || this.near.destroyed) return;
    await new Promise<void>((resolve) => this.near.once('close', resolve));
  }
}

/** What one end tells the line. */
interface EndHandlers {
  readonly carry: (bytes: Uint8Array) => Promise<void>;
  /** Nothing more will be written. */
  readonly onFinal: () => void;
  /** It was destroyed before everything was said. */
  readonly onReset: () => void;
}

/** One end: what is written here is carried to the other one. */
class WireEnd extends Duplex {
  readonly #handlers: EndHandlers;
  #onRoom: (() => void) | undefined;
  #isOver = false;

  constructor(handlers: EndHandlers) {
    super();
    this.#handlers = handlers;
  }

  /** Gives bytes to whoever reads here; resolves when there is room for more, or nobody reads any more. */
  async receive(bytes: Uint8Array): Promise<void> {
    if (this.destroyed || this.#isOver || this.push(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** The other end has said everything. */
  receiveEnd(): void {
    if (this.destroyed || this.#isOver) return;
    this.#isOver = true;
    this.push(null);
  }

  /** The line is gone. */
  reset(): void {
    if (this.destroyed) return;
    // Nobody may be listening yet, or any more.
    this.on('error', () => undefined);
    this.destroy(Object.assign(new Error('The line is gone.'), { code: 'ECONNRESET' }));
  }

  override _read(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#handlers.carry(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#handlers.onFinal();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    if (error !== null || !this.writableFinished) this.#handlers.onReset();
    done(error);
  }
}
