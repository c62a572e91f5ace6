import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One HTTP/2 frame as it was on the wire. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;
export const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PREFACE_BYTES = 24;

const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;

/** How a peer behaves. */
export interface RawPeerOptions {
  /** Default true. */
  readonly answersPings?: boolean;
  readonly streamsMax?: number;
  /** Default 16 MiB, for streams and connection. */
  readonly windowBytes?: number;
}

/**
 * The other side of HTTP/2, frame by frame: it says exactly what a test wants, also what no library would, and keeps what
 * it heard. It reads no header.
 */
export class RawPeer {
  readonly server: Server;
  readonly lines: RawLine[] = [];
  readonly #options: RawPeerOptions;
  readonly #waiting: ((line: RawLine) => void)[] = [];
  #taken = 0;

  private constructor(options: RawPeerOptions) {
    this.#options = options;
    this.server = createServer((socket) => {
      const line = new RawLine(socket, this.#options);
      this.lines.push(line);
      this.#waiting.shift()?.(line);
    });
  }

  static async start(options: RawPeerOptions = {}): Promise<RawPeer> {
    const peer = new RawPeer(options);
    await new Promise<void>((resolve) => peer.server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  get port(): number {
    // It listens on TCP.
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next TCP connection that nobody asked for yet. */
  nextLine(): Promise<RawLine> {
    const line = this.lines[this.#taken];
    this.#taken += 1;
    return line === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(line);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.lines) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** One TCP connection of a `RawPeer`. */
export class RawLine {
  readonly socket: Socket;
  /** Everything heard, in order. */
  readonly frames: RawFrame[] = [];
  readonly #answersPings: boolean;
  readonly #watchers = new Set<() => void>();
  #buffered = Buffer.alloc(0);
  #isPrefaced = false;

  constructor(socket: Socket, { answersPings = true, streamsMax, windowBytes = 2 ** 24 }: RawPeerOptions) {
    this.socket = socket;
    this.#answersPings = answersPings;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#tell());
    const settings = [setting(INITIAL_WINDOW_SIZE, windowBytes)];
    if (streamsMax !== undefined) settings.push(setting(MAX_CONCURRENT_STREAMS, streamsMax));
    this.send(FRAME.settings, 0, 0, Buffer.concat(settings));
    if (windowBytes > 65_535) this.send(FRAME.windowUpdate, 0, 0, u32(windowBytes - 65_535));
  }

  /** Writes a frame. */
  send(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.byteLength, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    if (!this.socket.destroyed) this.socket.write(Buffer.concat([head, payload]));
  }

  /** Answers a stream with a head, in plain HPACK. */
  respond(
    status: number,
    headers: Readonly<Record<string, string>> = {},
    { stream = 1, isEnd = false } = {},
  ): void {
    // 0x08: literal, its name is entry 8 of the static table, :status. 0x00: literal with a name of its own.
    const parts = [Buffer.of(0x08), hpackText(`${status}`)];
    for (const [name, value] of Object.entries(headers)) {
      parts.push(Buffer.of(0x00), hpackText(name), hpackText(value));
    }
    this.send(FRAME.headers, END_HEADERS | (isEnd ? END_STREAM : 0), stream, Buffer.concat(parts));
  }

  /** Answers a stream with the head of an event stream. */
  accept(stream = 1): void {
    this.respond(200, { 'content-type': 'application/vnd.amazon.eventstream' }, { stream });
  }

  data(payload: Uint8Array, { stream = 1, isEnd = false } = {}): void {
    const most = 16_384;
    for (let at = 0; at === 0 || at < payload.byteLength; at += most) {
      const isLast = at + most >= payload.byteLength;
      this.send(FRAME.data, isLast && isEnd ? END_STREAM : 0, stream, payload.subarray(at, at + most));
    }
  }

  reset(code: number, stream = 1): void {
    this.send(FRAME.reset, 0, stream, u32(code));
  }

  /** What was heard of a type, on a stream. */
  heard(type: number, stream?: number): RawFrame[] {
    return this.frames.filter((frame) => frame.type === type && (stream ?? frame.stream) === frame.stream);
  }

  /** Resolves once the condition holds; looked at after each frame and at the end of the line. */
  until(condition: (line: RawLine) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #onData(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    if (!this.#isPrefaced) {
      if (this.#buffered.byteLength < PREFACE_BYTES) return;
      this.#buffered = this.#buffered.subarray(PREFACE_BYTES);
      this.#isPrefaced = true;
    }
    while (this.#buffered.byteLength >= 9) {
      const length = this.#buffered.readUIntBE(0, 3);
      if (this.#buffered.byteLength < 9 + length) break;
      this.#onFrame({
        type: this.#buffered.readUInt8(3),
        flags: this.#buffered.readUInt8(4),
        stream: this.#buffered.readUInt32BE(5),
        payload: Buffer.from(this.#buffered.subarray(9, 9 + length)),
      });
      this.#buffered = this.#buffered.subarray(9 + length);
    }
    this.#tell();
  }

  #onFrame(frame: RawFrame): void {
    this.frames.push(frame);
    if (frame.type === FRAME.settings && (frame.flags & ACK) === 0) this.send(FRAME.settings, ACK, 0);
    if (frame.type === FRAME.ping && (frame.flags & ACK) === 0 && this.#answersPings) {
      this.send(FRAME.ping, ACK, 0, frame.payload);
    }
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look();
  }
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength > 126) throw new RangeError('Longer texts need a length of several bytes.');
  return Buffer.concat([Buffer.of(bytes.byteLength), bytes]);
}
