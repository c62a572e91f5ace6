import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** How a test's proxy behaves. */
export interface ProxyServerOptions {
  /** Names that nobody else knows, and the port of this machine that each leads to. */
  readonly names?: Readonly<Record<string, number>>;
  /** Answered instead of a tunnel. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** `NAME:PASSWORD`; without it the answer is 407. */
  readonly login?: string;
  /** Takes the request and says nothing. */
  readonly isSilent?: boolean;
}

/** A proxy on loopback that leads everything to loopback, and remembers what it was asked for. */
export class ProxyServer {
  /** `host:port` of each tunnel that was asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: ProxyServerOptions;

  private constructor(options: ProxyServerOptions) {
    this.#options = options;
    this.#server = createServer((_request, response) => response.writeHead(405).end());
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('connect', (request, socket) => this.#lead(request, socket as Socket));
  }

  static async start(options: ProxyServerOptions = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    // It listens on TCP.
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #lead({ url = '', headers }: IncomingMessage, socket: Socket): void {
    const { names = {}, status, headers: told = {}, login, isSilent = false } = this.#options;
    this.asked.push(url);
    if (isSilent) return;
    const shown = `Basic ${Buffer.from(login ?? '').toString('base64')}`;
    const isKnown = login === undefined || headers['proxy-authorization'] === shown;
    const refused = status ?? (isKnown ? undefined : 407);
    if (refused !== undefined) {
      const lines = Object.entries(told).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${refused} No\r\n${lines.join('')}content-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const far = connect({ host: '127.0.0.1', port: names[hostname] ?? Number(port) }, () => {
      // As many of them do: an answer of HTTP/1.0.
      socket.write('HTTP/1.0 200 Connection established\r\n\r\n');
      socket.pipe(far).pipe(socket);
    });
    this.#keep(far);
    far.once('close', () => socket.destroy());
    socket.once('close', () => far.destroy());
  }
}
