import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '@kikitori/core';
import { listenError } from '../listen-error.js';
import { Call, type CallOptions } from './call.js';
import { eventFrame } from './event-frame.js';
import { WYOMING_LIMITS, type WyomingLimits } from './limits.js';

/** Where to listen, and for whom. */
export interface ListenWyomingOptions extends Pick<CallOptions, 'handlers' | 'describe' | 'key'> {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Bounds that differ from `WYOMING_LIMITS`. */
  readonly limits?: Partial<WyomingLimits>;
  readonly clock: Clock;
}

/** A listener for calls. */
export interface WyomingListener {
  /** The port that was really taken. */
  readonly port: number;
  /** Takes no more calls, and ends those without a session; those with one end with it. Settles when none is left. Idempotent. */
  close(): Promise<void>;
  /** Ends every call now. */
  destroy(): void;
}

const FULL = { text: 'As many calls as there may be are open. Try again in a moment.', code: 'busy' };

/**
 * Listens for Home Assistant and others that speak Wyoming: plain TCP, without a key, made for a network that is trusted.
 *
 * @throws ServerError `port_in_use`, `port_forbidden`, `address_unavailable`, `listen_failed`, `invalid_option`
 */
export async function listenWyoming(options: ListenWyomingOptions): Promise<WyomingListener> {
  const { host, port } = options;
  const limits = { ...WYOMING_LIMITS, ...options.limits };
  const calls = new Set<Call>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (calls.size >= limits.callsMax) {
      refuse(socket);
      return;
    }
    const call = new Call(socket, { ...options, limits });
    calls.add(call);
    void call.run().then(() => calls.delete(call));
  });
  await listen(server, { host, port });
  return {
    port: portOf(server),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const call of calls) call.hangUp();
      await closed;
    },
    destroy: () => {
      for (const call of calls) call.destroy();
    },
  };
}

function refuse(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.end(eventFrame('error', FULL), () => socket.destroy());
}

async function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { ...at, option: '--wyoming' })));
    server.listen({ ...at, host: at.host.replace(/^\[(.*)\]$/, '$1') }, resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
