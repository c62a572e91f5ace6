import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Connect } from '../connection.js';
import { connectWebSocket } from '../ws/node-connect.js';
import { destinationOf, type Proxies } from './proxies.js';
import { openTunnel } from './tunnel.js';

/** `connectWebSocket`, through the proxy that leads to the address where there is one. Rejects with `ProxyError`, too. */
export function connectThrough(proxies: Proxies): Connect {
  return async (options) => {
    // What is no address is refused by whoever connects.
    if (!URL.canParse(options.url)) return await connectWebSocket(options);
    const destination = destinationOf(new URL(options.url));
    const proxy = proxies.towards(destination);
    if (proxy === undefined) return await connectWebSocket(options);
    const { isTls, host } = destination;
    const tunnel = await openTunnel(proxy, destination, { signal: options.signal });
    return await connectWebSocket(options, {
      createConnection: () => (isTls ? tlsOver(tunnel, host) : tunnel),
    });
  };
}

/** A server name is a name, never an address (RFC 6066 section 3). */
function tlsOver(socket: Duplex, host: string): Duplex {
  return connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
}
