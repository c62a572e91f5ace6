/** A way to a server that can be slow, and cut: bytes pass as they are. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class SlowDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** WebSockets reach the server once this is settled. */
  socketsMayPass: Promise<void> = Promise.resolve();
  /** While true nobody is let in. */
  isShut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Opens it on a free port, in front of `port`. */
  static async open(port: number): Promise<SlowDoor> {
    const server = createServer();
    const door = new SlowDoor(server);
    server.on('connection', (socket) => door.#pass(socket, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return door;
  }

  get url(): string {
    // A TCP server that listens has an address of this kind.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Cuts everything that passes now, as a cable that is pulled. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(socket: Socket, port: number): void {
    this.#watch(socket);
    if (this.isShut) {
      socket.destroy();
      return;
    }
    socket.once('data', (head: Buffer) => {
      socket.pause();
      const isSocket = head.includes('GET /v1/realtime');
      void (isSocket ? this.socketsMayPass : Promise.resolve()).then(() => this.#join(socket, port, head));
    });
  }

  #join(socket: Socket, port: number, head: Buffer): void {
    if (socket.destroyed) return;
    const onward = connect(port, '127.0.0.1');
    this.#watch(onward);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
