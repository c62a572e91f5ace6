import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { shareNameOf, TrustedProxies } from './client-address.js';

/** Bounds of the TCP connections of one listener. */
export interface ConnectionShareLimits {
  /** In all, WebSockets included. At the bound one that waits without a request is ended; where none does, the new one. */
  readonly connectionsMax: number;
  /** Of one address (IPv6: of a /64). At the bound the same, among its own. */
  readonly connectionsPerAddressMax: number;
  /** Of one address, without a request that is being answered. At the bound the one that waited longest is ended. */
  readonly waitingPerAddressMax: number;
}

/** What one address has. */
interface Share {
  readonly name: string;
  /** Many clients are behind it: its connections count towards the whole, its requests towards each client's share. */
  readonly isProxy: boolean;
  count: number;
  /** Connections without a request, by when they began to wait, the longest first. */
  readonly waiting: Set<Line>;
}

/** One TCP connection. */
interface Line {
  readonly name: string;
  readonly socket: Socket;
  readonly share: Share;
  requests: number;
  /** Whose request a proxy is passing on. */
  client: Share | undefined;
}

/**
 * Shares the connections of an HTTP server among those who connect. Who asks for something at once gets through however
 * many others hold connections and say nothing: it is always one of those, the longest silent, that makes room.
 */
export class ConnectionShares {
  readonly #limits: ConnectionShareLimits;
  readonly #proxies: TrustedProxies;
  readonly #shares = new Map<string, Share>();
  /** By addresses and ports of both ends: with TLS a request knows another socket than the one that was accepted. */
  readonly #lines = new Map<string, Line>();

  constructor(limits: ConnectionShareLimits, proxies: TrustedProxies = new TrustedProxies()) {
    this.#limits = limits;
    this.#proxies = proxies;
  }

  /** Watches a server; to be called before it listens. */
  attach(server: Server): void {
    server.on('connection', (socket) => this.#onConnection(socket));
    server.prependListener('request', (request, response) => this.#onRequest(request, response));
    // Whoever is refused is cut soon; whoever is let in stays for as long as the session.
    server.prependListener('upgrade', (request: IncomingMessage) => this.#begin(request));
  }

  #onConnection(socket: Socket): void {
    const { remoteAddress } = socket;
    const share = remoteAddress === undefined ? undefined : this.#shareOf(remoteAddress);
    if (share === undefined || !this.#makeRoom(share)) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    const line: Line = { name, socket, share, requests: 0, client: undefined };
    this.#lines.set(name, line);
    this.#count(share, 1);
    share.waiting.add(line);
    socket.once('close', () => this.#forget(line));
  }

  /** False: there is none. */
  #makeRoom(share: Share): boolean {
    const { connectionsMax, connectionsPerAddressMax, waitingPerAddressMax } = this.#limits;
    if (!share.isProxy) {
      if (share.waiting.size >= waitingPerAddressMax) return this.#endLongestOf(share);
      if (share.count >= connectionsPerAddressMax) return this.#endLongestOf(share);
    }
    return this.#lines.size < connectionsMax || this.#endLongestOf(this.#largest());
  }

  /** Where most wait; a proxy only when nobody else has any, since its connections serve many. */
  #largest(): Share | undefined {
    let largest: Share | undefined;
    for (const share of this.#shares.values()) {
      if (share.waiting.size === 0) continue;
      const isMore =
        largest === undefined ||
        (largest.isProxy && !share.isProxy) ||
        (largest.isProxy === share.isProxy && share.waiting.size > largest.waiting.size);
      if (isMore) largest = share;
    }
    return largest;
  }

  #endLongestOf(share: Share | undefined): boolean {
    const [line] = share?.waiting ?? [];
    if (line === undefined) return false;
    // Its `close` comes later; the place is free now.
    this.#forget(line);
    line.socket.destroy();
    return true;
  }

  #forget(line: Line): void {
    if (this.#lines.get(line.name) !== line) return;
    this.#lines.delete(line.name);
    line.share.waiting.delete(line);
    this.#count(line.share, -1);
    this.#leaveClient(line);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const line = this.#begin(request);
    if (line === undefined) return;
    response.once('close', () => {
      line.requests -= 1;
      if (line.requests > 0 || this.#lines.get(line.name) !== line) return;
      this.#leaveClient(line);
      line.share.waiting.add(line);
    });
  }

  #begin({ socket, headers }: IncomingMessage): Line | undefined {
    const line = this.#lines.get(nameOf(socket));
    if (line === undefined) return undefined;
    line.requests += 1;
    line.share.waiting.delete(line);
    if (line.share.isProxy && line.client === undefined) {
      const forwardedFor = String(headers['x-forwarded-for'] ?? '');
      const client = this.#shareOf(this.#proxies.clientOf(socket.remoteAddress ?? '', forwardedFor));
      if (!client.isProxy && client.count >= this.#limits.connectionsPerAddressMax) socket.destroy();
      line.client = client;
      this.#count(client, 1);
    }
    return line;
  }

  #leaveClient(line: Line): void {
    if (line.client !== undefined) this.#count(line.client, -1);
    line.client = undefined;
  }

  #shareOf(address: string): Share {
    const name = shareNameOf(address);
    return (
      this.#shares.get(name) ?? { name, isProxy: this.#proxies.has(address), count: 0, waiting: new Set() }
    );
  }

  /** Only shares that have something are kept. */
  #count(share: Share, change: 1 | -1): void {
    share.count += change;
    if (share.count === 0) this.#shares.delete(share.name);
    else this.#shares.set(share.name, share);
  }
}

function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
