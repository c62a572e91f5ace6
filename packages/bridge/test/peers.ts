import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogFields } from '@kikitori/core';
import {
  checkUpgrade,
  encodeFrame,
  encodeUpgradeAnswer,
  FrameCollector,
  newMaskKey,
  openFrames,
  type WholeFrame,
} from '@kikitori/transport/frames';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { Bridge, type BridgeOptions } from '../src/bridge.js';

type Closer = () => void | Promise<void>;

/** What a test opened; `close` it in `afterEach`. */
export class World {
  readonly #closers: Closer[] = [];
  /** Log lines of the bridges: message and fields. */
  readonly lines: { message: string; fields: LogFields }[] = [];

  add(closer: Closer): void {
    this.#closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0).reverse()) await closer();
    this.lines.length = 0;
  }

  /** A bridge that listens. */
  async bridge(
    options: Partial<BridgeOptions> & { readonly upstream: string },
  ): Promise<{ bridge: Bridge; url: string; http: string }> {
    const note = (message: string, fields: LogFields = {}): void => {
      this.lines.push({ message, fields });
    };
    const logger = { debug: note, info: note, warn: note, error: note };
    const bridge = new Bridge({ host: '127.0.0.1', port: 0, logger, ...options });
    const port = await bridge.listen();
    this.add(() => bridge.close());
    return {
      bridge,
      url: `ws://127.0.0.1:${port}/invocations-bidirectional-stream`,
      http: `http://127.0.0.1:${port}`,
    };
  }

  /** The one line of the session that ended. */
  async sessionLine(): Promise<LogFields> {
    await until(() => this.lines.some(({ message }) => message === 'session ended'));
    const found = this.lines.find(({ message }) => message === 'session ended');
    return found?.fields ?? {};
  }

  /** A model server of another make; `/health` answers `status`. */
  async wsUpstream(
    onConnection: (socket: WebSocket, request: IncomingMessage) => void,
    options: { status?: number; refuse?: (request: IncomingMessage) => boolean } = {},
  ): Promise<{ url: string; sockets: WebSocket[] }> {
    const { status = 200, refuse } = options;
    const server = createServer((_request, response) => void response.writeHead(status).end());
    const sockets: WebSocket[] = [];
    const wss = new WebSocketServer({
      server,
      maxPayload: 64 * 1024 * 1024,
      verifyClient: ({ req }, done) => {
        if (refuse?.(req) === true) done(false, 401, '{"error":"Unauthorized"}', { 'X-Secret': 'no' });
        else done(true);
      },
    });
    wss.on('connection', (socket, request) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket, request);
    });
    const url = await listening(server);
    this.add(() => {
      for (const socket of wss.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    });
    return { url: `${url}/v1/realtime`, sockets };
  }

  /** A model server of bare frames: the test reads and writes what it likes. */
  async rawUpstream(
    onOpen: (peer: RawPeer) => void,
    onRequest?: (request: IncomingMessage, socket: Socket) => boolean,
  ): Promise<{ url: string; peers: RawPeer[] }> {
    const server = createServer((_request, response) => void response.writeHead(200).end());
    const peers: RawPeer[] = [];
    server.on('upgrade', (request, socket: Socket) => {
      socket.on('error', () => undefined);
      this.add(() => void socket.destroy());
      if (onRequest?.(request, socket) === true) return;
      const check = checkUpgrade(request);
      if (!check.isValid) throw new Error('not an upgrade');
      socket.write(encodeUpgradeAnswer(check.key));
      const peer = new RawPeer(socket, 'server');
      peers.push(peer);
      onOpen(peer);
    });
    const url = await listening(server);
    this.add(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `${url}/v1/realtime`, peers };
  }

  /** A TCP server that does what the test says. */
  async tcp(onSocket: (socket: Socket) => void): Promise<string> {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      this.add(() => void socket.destroy());
      onSocket(socket);
    });
    const url = await listening(server);
    this.add(() => void server.close());
    return url;
  }

  /** A client of another make. */
  async wsClient(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<WsClient> {
    const client = new WsClient(url, options);
    this.add(() => client.socket.terminate());
    await client.opened;
    return client;
  }

  /** A client of bare frames. */
  async rawClient(url: string): Promise<RawPeer> {
    const opening = await openFrames({ url });
    if (opening.kind === 'refused') throw new Error(`refused with ${opening.status}`);
    this.add(() => void opening.socket.destroy());
    return new RawPeer(opening.socket, 'client', opening.head);
  }
}

/** One end that says frames byte by byte and notes those that come. */
export class RawPeer {
  readonly frames: { opcode: number; isFinal: boolean; text: string }[] = [];
  readonly socket: Socket;
  isEnded = false;
  isClosed = false;
  readonly #role: 'server' | 'client';

  constructor(socket: Socket, role: 'server' | 'client', head: Uint8Array = new Uint8Array(0)) {
    this.socket = socket;
    this.#role = role;
    const collector = new FrameCollector({ role, messageBytesMax: 64 * 1024 * 1024 });
    const take = (chunk: Uint8Array): void => {
      collector.push(chunk);
      for (let frame = collector.next(); frame !== undefined; frame = collector.next()) this.#note(frame);
    };
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.isEnded = true;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
    if (head.length > 0) take(head);
    socket.on('data', take).resume();
  }

  /** Payloads of text and binary frames. */
  get texts(): string[] {
    return this.frames.filter(({ opcode }) => opcode <= 2).map(({ text }) => text);
  }

  /** Code and reason of the close frame that came. */
  get close(): { code: number; reason: string } | undefined {
    const found = this.frames.find(({ opcode }) => opcode === 8);
    if (found === undefined) return undefined;
    const bytes = Buffer.from(found.text, 'latin1');
    return { code: bytes.length < 2 ? 1005 : bytes.readUInt16BE(0), reason: bytes.toString('utf8', 2) };
  }

  /** Sends one frame. */
  send(payload: string | Uint8Array, opcode: 0 | 1 | 2 | 8 | 9 | 10 = 1, isFinal = true): void {
    this.socket.write(this.encode(payload, opcode, isFinal));
  }

  encode(payload: string | Uint8Array, opcode: 0 | 1 | 2 | 8 | 9 | 10 = 1, isFinal = true): Uint8Array {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const maskKey = this.#role === 'client' ? newMaskKey() : undefined;
    return encodeFrame(bytes, { opcode, isFinal, maskKey });
  }

  #note({ opcode, isFinal, payload }: WholeFrame): void {
    this.frames.push({ opcode, isFinal, text: Buffer.from(payload).toString('latin1') });
  }
}

/** A client of the `ws` package that notes what comes. */
export class WsClient {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  refusal: { status: number; headers: IncomingMessage['headers']; body: string } | undefined;

  constructor(url: string, { protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {}) {
    this.socket = new WebSocket(url, protocols, options);
    const { socket } = this;
    socket.on('message', (data: Buffer) => this.texts.push(data.toString()));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.opened = new Promise((resolve) => {
      socket.once('open', () => resolve());
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => {
          this.refusal = { status: response.statusCode ?? 0, headers: response.headers, body };
          socket.terminate();
          resolve();
        });
      });
      socket.once('close', () => resolve());
    });
  }
}

/** Resolves once it holds; the test's own time limit is the bound. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(1);
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  // It listens on a host and port, so its address is one.
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
