import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  checkUpgrade,
  decodeClosePayload,
  encodeCloseFrame,
  encodeFrame,
  encodeRefusal,
  encodeUpgradeAnswer,
  FrameCollector,
  OPCODE,
  type Opcode,
} from '@kikitori/transport/frames';
import { Inbox } from './inbox.js';

/** What a container heard. */
export type Heard =
  | {
      readonly kind: 'text' | 'binary' | 'continuation' | 'ping' | 'pong';
      readonly isFinal: boolean;
      readonly payload: Buffer;
    }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'gone' };

/** One WebSocket at the container, frame by frame; it answers nothing by itself but Close. */
export class ContainerEnd {
  readonly heard = new Inbox<Heard>();
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly socket: Socket;

  constructor(socket: Socket, { url = '', headers }: IncomingMessage) {
    this.path = url;
    this.headers = headers;
    this.socket = socket;
    const collector = new FrameCollector({ role: 'server' });
    socket.on('error', () => undefined);
    socket.on('close', () => this.heard.push({ kind: 'gone' }));
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      collector.push(chunk);
      for (let frame = collector.next(); frame !== undefined; frame = collector.next()) {
        this.#hear(frame.opcode, frame.isFinal, Buffer.from(frame.payload));
      }
    });
  }

  send(payload: string | Uint8Array, options: { opcode?: Opcode; isFinal?: boolean } = {}): boolean {
    const opcode = options.opcode ?? (typeof payload === 'string' ? OPCODE.text : OPCODE.binary);
    return this.socket.write(
      encodeFrame(Buffer.from(payload as string), { opcode, isFinal: options.isFinal ?? true }),
    );
  }

  close(code: number, reason = ''): void {
    this.socket.write(encodeCloseFrame(code, reason));
  }

  #hear(opcode: Opcode, isFinal: boolean, payload: Buffer): void {
    if (opcode === OPCODE.close) {
      const { code, reason } = decodeClosePayload(payload);
      this.heard.push({ kind: 'close', code, reason });
      this.socket.end(encodeCloseFrame(code));
      return;
    }
    const kinds = {
      [OPCODE.continuation]: 'continuation',
      [OPCODE.text]: 'text',
      [OPCODE.binary]: 'binary',
      [OPCODE.ping]: 'ping',
      [OPCODE.pong]: 'pong',
    } as const;
    this.heard.push({ kind: kinds[opcode], isFinal, payload });
  }
}

/** A container made of frames: a real HTTP server on a free port of loopback. */
export class FrameContainer {
  readonly ends = new Inbox<ContainerEnd>();
  /** Requests for GET /ping that came. */
  readonly pings = new Inbox<IncomingMessage>();
  /** Answer to /ping; undefined: none. */
  pingStatus: number | undefined = 200;
  /** Refuse upgrades with this status; 0: say nothing; undefined: accept. */
  refusal: number | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.pings.push(request);
      if (this.pingStatus !== undefined) response.writeHead(this.pingStatus).end();
    });
    server.on('upgrade', (request, duplex) => {
      // A plain HTTP server hands out TCP sockets.
      const socket = duplex as Socket;
      const check = checkUpgrade(request);
      if (this.refusal === 0) socket.on('error', () => undefined);
      else if (this.refusal !== undefined) {
        socket.end(encodeRefusal({ status: this.refusal, body: 'secret reason of the container' }));
      } else if (check.isValid) {
        const end = new ContainerEnd(socket, request);
        socket.write(encodeUpgradeAnswer(check.key));
        this.ends.push(end);
      }
    });
  }

  static async start(): Promise<FrameContainer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FrameContainer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
