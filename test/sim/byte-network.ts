import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import type { Admission, Connect, Connection } from '@kikitori/transport';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { Flow } from './flow.js';
import type { Network, NetworkOptions } from './network.js';
import type { Cut } from './pieces.js';
import { sleep } from './virtual-time.js';
import { Wire } from './wire.js';

/** What a network of bytes needs besides. */
export interface ByteNetworkOptions extends NetworkOptions {
  /** In which pieces each write comes: messages are split anywhere. */
  readonly pieces: () => Cut;
}

/**
 * A network that passes bytes, under the real thing: `ws` with its handshake, frames, masks and pings on either side.
 * A cut falls inside of a frame, a message comes in pieces, a dead line is found by pings.
 */
export class ByteNetwork implements Network {
  readonly #options: ByteNetworkOptions;
  readonly #host: Server;
  readonly #wires = new Map<Wire, Flow>();
  readonly #flows: Flow[] = [];
  /** Tries that became connections. */
  readonly #served = new Set<number>();
  readonly #alive = new Set<Promise<unknown>>();
  #tries = 0;
  #connections = 0;
  #closedUntilMs = 0;

  constructor(options: ByteNetworkOptions) {
    this.#options = options;
    this.#host = createServer();
    attachWebSockets(this.#host, {
      admit: ({ query }) => this.#admit(Number(query)),
      onConnection: (connection, { query }) => this.#serve(connection, Number(query)),
    });
  }

  get connections(): number {
    return this.#connections;
  }

  get open(): number {
    return this.#wires.size;
  }

  get heldBytes(): number {
    return Math.max(0, ...[...this.#wires.values()].map(({ heldBytes }) => heldBytes));
  }

  readonly connect: Connect = async (options) => {
    const index = this.#tries;
    this.#tries += 1;
    const flow = new Flow();
    this.#flows[index] = flow;
    // Whoever is asked has to know which try this is.
    const connection = await connectWebSocket(
      { ...options, url: `ws://sim/v1/realtime?${index}` },
      { createConnection: () => this.#dial(index, flow) },
    );
    return flow.client(connection);
  };

  async ended(): Promise<void> {
    while (this.#alive.size > 0) await Promise.all(this.#alive);
  }

  kill(downMs: number): void {
    this.shut(downMs);
    for (const wire of [...this.#wires.keys()]) wire.cut();
  }

  shut(downMs: number): void {
    this.#closedUntilMs = performance.now() + downMs;
  }

  #dial(index: number, flow: Flow): Duplex {
    const { doorFaults, onFault } = this.#options;
    const fault = doorFaults[index];
    if (fault !== undefined) onFault(fault.type);
    if (fault?.type === 'unreachable' || performance.now() < this.#closedUntilMs) return unreachable();
    const { lineFaults, delayMs, pieces } = this.#options;
    const wire: Wire = new Wire({
      // What is refused is no connection: the faults wait for the next one.
      faults: fault?.type === 'refuse' ? [] : (lineFaults[this.#connections] ?? []),
      delayMs,
      pieces,
      onFault,
      opensAfterMs: fault?.type === 'slow' ? fault.ms : 0,
      onEnd: () => {
        this.#wires.delete(wire);
        // A host that listens ends a request that never comes (`headersTimeout`); this one does not listen.
        if (!this.#served.has(index)) wire.far.destroy();
      },
    });
    if (fault?.type !== 'refuse') this.#connections += 1;
    this.#wires.set(wire, flow);
    this.#alive.add(wire.gone);
    void wire.gone.then(() => this.#alive.delete(wire.gone));
    this.#host.emit('connection', wire.far);
    return wire.near;
  }

  #admit(index: number): Admission {
    const fault = this.#options.doorFaults[index];
    if (fault?.type !== 'refuse') return { accept: true };
    const { httpStatus: status, retryAfterMs } = fault;
    const headers = retryAfterMs === undefined ? {} : { 'Retry-After': String(retryAfterMs / 1_000) };
    return { accept: false, status, headers };
  }

  #serve(connection: Connection, index: number): void {
    this.#served.add(index);
    this.#options.serve(this.#flows[index]?.server(connection) ?? connection);
  }
}

/** A line to nowhere. */
function unreachable(): Duplex {
  const line = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  void sleep(1).then(() =>
    line.destroy(Object.assign(new Error('Nobody listens.'), { code: 'ECONNREFUSED' })),
  );
  return line;
}
