/** A WebSocket and nothing of ours, so that what the checks see is the wire. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** An event as it came, and what was said with it. */
export type WireEvent = Readonly<Record<string, unknown>>;

/** How a connection ended. */
export interface WireClose {
  readonly code: number;
  readonly reason: string;
}

/** An utterance's answer. */
export interface Answer {
  readonly deltas: readonly string[];
  /** What came behind them: `transcription.done`, or an error. */
  readonly end: WireEvent;
}

export const COMMIT = { type: 'input_audio_buffer.commit' } as const;
export const FINAL = { type: 'input_audio_buffer.commit', final: true } as const;

/** `samples` of silence, with an audible click at its start. */
export function audio(samples: number): WireEvent {
  const pcm = Buffer.alloc(samples * 2);
  if (samples > 0) pcm.writeInt16LE(8_000, 0);
  return { type: 'input_audio_buffer.append', audio: pcm.toString('base64') };
}

/** A handshake that is answered with HTTP: status, headers, body. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface OpenOptions {
  readonly key?: string | undefined;
  readonly protocols?: readonly string[];
}

export class RawClient {
  readonly socket: WebSocket;
  /** Resolves once. */
  readonly closed: Promise<WireClose>;
  readonly #inbox: string[] = [];
  #wake: () => void = () => undefined;
  #close: WireClose | undefined;
  #syncs = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      this.#inbox.push(isBinary ? 'a binary frame' : String(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#close = { code, reason: String(reason) };
        this.#wake();
        resolve(this.#close);
      });
    });
  }

  /** Connects; `session.created` is the first event. */
  static async open(url: string, { key, protocols = [] }: OpenOptions = {}): Promise<RawClient> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const socket = new WebSocket(url, [...protocols], { headers });
    const client = new RawClient(socket);
    await once(socket, 'open');
    // What is wrong from now on is told by its close.
    socket.on('error', () => undefined);
    return client;
  }

  /** Knocks where the answer is no. */
  static async refused(url: string, { key }: OpenOptions = {}): Promise<Refusal> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const socket = new WebSocket(url, { headers });
    return await new Promise((resolve, reject) => {
      socket.on('open', () => reject(new Error('The handshake was accepted.')));
      socket.on('error', reject);
      socket.on('unexpected-response', (_, response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
    });
  }

  /** Objects as JSON, everything else as it is. */
  send(...messages: readonly (string | Uint8Array | WireEvent)[]): void {
    for (const message of messages) {
      const isAsItIs = typeof message === 'string' || message instanceof Uint8Array;
      this.socket.send(isAsItIs ? message : JSON.stringify(message));
    }
  }

  /** The next event, which has to be JSON as Python's servers write it: compact, and no escapes beyond what must be. */
  async next(): Promise<WireEvent> {
    while (this.#inbox.length === 0 && this.#close === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#inbox.shift();
    if (text === undefined) throw new Error(`It is closed: ${JSON.stringify(this.#close)}`);
    const event = JSON.parse(text);
    if (JSON.stringify(event) !== text) throw new Error(`Not compact: ${text}`);
    return event;
  }

  /** That many deltas, and nothing else. */
  async deltas(count: number): Promise<string[]> {
    const texts: string[] = [];
    for (let at = 0; at < count; at += 1) texts.push(deltaOf(await this.next()));
    return texts;
  }

  /** Deltas, up to what is none. */
  async answer(): Promise<Answer> {
    const deltas: string[] = [];
    for (;;) {
      const event = await this.next();
      if (event['type'] !== 'transcription.delta') return { deltas, end: event };
      deltas.push(deltaOf(event));
    }
  }

  /**
   * Sends what crosses the answer that is under way. The server reads it when it gets to that, sometimes half a second late:
   * `wasRead` says that it surely did before it sent the answer's end.
   */
  async cross(...messages: readonly WireEvent[]): Promise<Answer & { readonly wasRead: boolean }> {
    const type = this.#nextSync();
    this.send(...messages, { type });
    const first = await this.answer();
    const wasRead = first.end['error'] === `Unknown event type: ${type}`;
    if (!wasRead) {
      const { error } = await this.next();
      if (error !== `Unknown event type: ${type}`) throw new Error(`Crossed by ${error}`);
      return { ...first, wasRead };
    }
    const { deltas, end } = await this.answer();
    return { deltas: [...first.deltas, ...deltas], end, wasRead };
  }

  /** Everything that was sent before has been read, and nothing of it was answered. */
  async quiet(): Promise<void> {
    const type = this.#nextSync();
    this.send({ type });
    const event = await this.next();
    if (event['error'] !== `Unknown event type: ${type}`)
      throw new Error(`Not quiet: ${JSON.stringify(event)}`);
  }

  #nextSync(): string {
    this.#syncs += 1;
    return `sync-${this.#syncs}`;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

function deltaOf(event: WireEvent): string {
  const { type, delta, ...more } = event;
  if (type !== 'transcription.delta' || typeof delta !== 'string' || Object.keys(more).length > 0) {
    throw new Error(`No delta: ${JSON.stringify(event)}`);
  }
  return delta;
}
