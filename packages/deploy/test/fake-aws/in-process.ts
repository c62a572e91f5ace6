/** What AWS's clients ask, signed and written as for the wire, carried to a stand-in in this process: all of HTTP but the sockets. */
import type { WireRequest, WireResponse } from './wire.js';

/** A request as AWS's clients hand it over. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface Received {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

interface Server {
  serve(request: WireRequest, response: WireResponse): Promise<void>;
}

export function carriedTo(server: Server) {
  return {
    handle: async (sent: Sent, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) => {
      // A turn of the loop, as a socket would take: who waits by the clock keeps getting at it.
      await new Promise((resolve) => setImmediate(resolve));
      return { response: await carry(server, sent, abortSignal) };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

function carry(server: Server, sent: Sent, signal: AbortSignal | undefined): Promise<Received> {
  return new Promise((resolve, reject) => {
    const settle = () => signal?.removeEventListener('abort', abort);
    const fail = (error: object) => {
      settle();
      reject(error);
    };
    // Whoever breaks off a call does not take back what has arrived.
    const abort = () => fail(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    const cut = () => fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    const arrived = (response: Received) => {
      settle();
      resolve(response);
    };
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort);
    server.serve(requestOf(sent, cut), new Answer(arrived)).catch(cut);
  });
}

function requestOf({ method, path, query = {}, headers, body }: Sent, cut: () => void): WireRequest {
  const search = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  );
  return {
    method,
    url: search.length === 0 ? path : `${path}?${search.join('&')}`,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    socket: { destroy: cut },
    async *[Symbol.asyncIterator]() {
      if (body === undefined) return;
      // Not `Buffer.from(body)`: the clients' bytes play a string as well, and complain about it.
      yield typeof body === 'string'
        ? Buffer.from(body)
        : Buffer.from(body.buffer, body.byteOffset, body.length);
    },
  };
}

class Answer implements WireResponse {
  readonly #arrived: (response: Received) => void;
  #status = 200;
  #headers: Record<string, string> = {};

  constructor(arrived: (response: Received) => void) {
    this.#arrived = arrived;
  }

  writeHead(status: number, headers: Record<string, string | number> = {}): this {
    this.#status = status;
    this.#headers = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    return this;
  }

  end(body: string | Buffer = ''): void {
    this.#arrived({ statusCode: this.#status, headers: this.#headers, body: Buffer.from(body) });
  }
}
