import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { READ_BYTES_MAX } from '../limits.js';
import { adopt } from './adopt.js';

/** Who listens to a wire. */
export interface WireListener {
  /**
   * The first `length` bytes of `buffer` came. The buffer is used again after the call, and may be written into during
   * it. False: stop reading until `resume`.
   */
  onBytes(buffer: Buffer, length: number): boolean;
  /** The peer sends no more. */
  onEnd(): void;
  /** Everything was written. */
  onDrain(): void;
  /** The line is gone; last of all, once. */
  onClose(): void;
}

const NOBODY: WireListener = {
  onBytes: () => false,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

/** All sockets are read into the same memory: each read is dealt with before the next one begins. */
let readBuffer: Buffer | undefined;

/**
 * A socket that reads into memory which all wires share, so that nothing is allocated for a read and an idle session
 * holds no buffer. Errors are not told apart: `onClose` follows, and what the peer said before decides.
 */
export class Wire {
  listener: WireListener = NOBODY;
  readonly socket: Socket;
  #isClosed = false;
  #isEnded = false;

  private constructor(open: (onread: OnReadOpts) => { socket: Socket; isShared: boolean }) {
    readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES_MAX);
    const memory = readBuffer;
    const { socket, isShared } = open({
      buffer: memory,
      callback: (length) => this.listener.onBytes(memory, length),
    });
    this.socket = socket;
    if (!isShared) {
      socket.on('data', (chunk: Buffer) => {
        if (!this.listener.onBytes(chunk, chunk.length)) socket.pause();
      });
    }
    socket.setNoDelay(true);
    socket.on('error', ignore);
    socket.on('end', () => this.listener.onEnd());
    socket.on('drain', () => this.listener.onDrain());
    socket.once('close', () => this.#onClose());
  }

  /** Takes over a connection that a server accepted. It is paused: `resume` once there is a listener. */
  static accept(accepted: Socket): Wire {
    return new Wire((onread) => {
      const socket = adopt(accepted, onread);
      if (socket !== undefined) return { socket, isShared: true };
      accepted.pause();
      return { socket: accepted, isShared: false };
    });
  }

  /** Begins to connect. `ws:` reads into the shared memory, `wss:` is decrypted into memory of its own. */
  static connect(url: URL): Wire {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const isTls = url.protocol === 'wss:';
    const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
    const shared = { host, port, allowHalfOpen: true };
    return new Wire((onread) => {
      if (!isTls) return { socket: connectTcp({ ...shared, onread }), isShared: true };
      const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
      return { socket: connectTls({ ...shared, ...name }), isShared: false };
    });
  }

  /** Whether the line is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that the system has not taken yet. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Sends bytes, which must stay as they are while `unsentBytes` is not 0. Dropped once the line has ended. */
  write(bytes: Uint8Array | string): void {
    if (!this.#isEnded && !this.#isClosed) this.socket.write(bytes);
  }

  /** Sends no more; what was written before is delivered. */
  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    this.socket.end();
  }

  /** Reads on. */
  resume(): void {
    if (!this.#isClosed) this.socket.resume();
  }

  /** Nobody listens from here on; what comes next stops the reading. */
  unlisten(): void {
    this.listener = NOBODY;
  }

  /** Ends the line now. Idempotent. */
  destroy(): void {
    this.#isEnded = true;
    this.socket.destroy();
  }

  #onClose(): void {
    this.#isClosed = true;
    const { listener } = this;
    this.listener = NOBODY;
    listener.onClose();
  }
}

function ignore(): void {}
