import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { PROXY_LIMITS } from './limits.js';
import type { Proxies } from './proxies.js';
import { openTunnel } from './tunnel.js';

/** What `node:http` and `node:https` open their connections with. Whoever makes them destroys them. */
export interface ProxyAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

type OnConnection = (error: Error | null, stream: Duplex) => void;

const OPTIONS = { keepAlive: true, maxSockets: PROXY_LIMITS.socketsMax };

/** Agents for requests over HTTP: they go through the proxy that leads to their host, straight where there is none. */
export function proxyAgents(proxies: Proxies): ProxyAgents {
  return { httpAgent: new ProxiedHttpAgent(proxies), httpsAgent: new ProxiedHttpsAgent(proxies) };
}

class ProxiedHttpAgent extends HttpAgent {
  readonly #proxies: Proxies;

  constructor(proxies: Proxies) {
    super(OPTIONS);
    this.#proxies = proxies;
  }

  override createConnection(options: ClientRequestArgs, onConnection?: OnConnection): undefined {
    const opening = tunnelTo(this.#proxies, options, false);
    hand(
      opening.then((tunnel) => tunnel ?? super.createConnection(options)),
      onConnection,
    );
  }
}

class ProxiedHttpsAgent extends HttpsAgent {
  readonly #proxies: Proxies;

  constructor(proxies: Proxies) {
    super(OPTIONS);
    this.#proxies = proxies;
  }

  override createConnection(options: RequestOptions, onConnection?: OnConnection): undefined {
    const opening = tunnelTo(this.#proxies, options, true);
    hand(
      opening.then((socket) => {
        // TLS over the tunnel, as over a connection of its own.
        const over = { ...options, socket };
        return super.createConnection(socket === undefined ? options : over);
      }),
      onConnection,
    );
  }
}

/** undefined: straight. */
async function tunnelTo(
  proxies: Proxies,
  { host, port }: ClientRequestArgs,
  isTls: boolean,
): Promise<Duplex | undefined> {
  const destination = { isTls, host: host ?? 'localhost', port: Number(port ?? (isTls ? 443 : 80)) };
  const proxy = proxies.towards(destination);
  return proxy === undefined ? undefined : await openTunnel(proxy, destination);
}

function hand(opening: Promise<Duplex | null | undefined>, onConnection: OnConnection | undefined): void {
  opening.then(
    (stream) => {
      if (stream) onConnection?.(null, stream);
    },
    // With an error no stream is looked at.
    (error: Error) => (onConnection as ((error: Error) => void) | undefined)?.(error),
  );
}
