/** A TCP line between a client and a server that breaks as lines do. */
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

export class Line implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  /** Those that carry. */
  readonly #sockets: Socket[] = [];
  /** Those that were silenced: open at both ends, and nothing passes. */
  readonly #silenced: Socket[] = [];
  #target: number;
  #isOpen = true;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (near) => this.#carry(near));
    // A TCP server that listens has an address object.
    this.port = (server.address() as AddressInfo).port;
  }

  /** Carries to that port of this machine. */
  static async to(target: number): Promise<Line> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Line(server, target);
  }

  /** New connections go to another port; those there are stay where they are. */
  redirect(target: number): void {
    this.#target = target;
  }

  /** Every connection is reset, in the middle of whatever was passing. */
  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.resetAndDestroy();
  }

  /** Nothing passes any more on the connections there are, and no end is said: a cable was pulled. New ones pass. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
    this.#silenced.push(...this.#sockets.splice(0));
  }

  /** The connections that were silenced are gone for good, as the patience of both ends would have it in time. */
  cutSilenced(): void {
    for (const socket of this.#silenced.splice(0)) socket.destroy();
  }

  /** Nothing passes for so long, then everything that waited does. */
  async stall(durationMs: number): Promise<void> {
    const stalled = [...this.#sockets];
    for (const socket of stalled) socket.pause();
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    for (const socket of stalled) socket.resume();
  }

  /** No connection gets through until `open`. */
  shut(): void {
    this.#isOpen = false;
    this.cut();
  }

  open(): void {
    this.#isOpen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.cutSilenced();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(near: Socket): void {
    if (!this.#isOpen) {
      near.destroy();
      return;
    }
    const far = dial(this.#target, '127.0.0.1');
    this.#sockets.push(near, far);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => undefined);
      socket.once('close', () => other.destroy());
      socket.pipe(other);
    }
  }
}
