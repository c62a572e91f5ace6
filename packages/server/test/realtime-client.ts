/** A Realtime client for tests: sends what it is told, keeps what it gets. */

import { encodeBase64 } from '@kikitori/audio';
import { type Connection, type Message, TransportError } from '@kikitori/transport';
import { connectWebSocket } from '@kikitori/transport/ws';

/** An event as it came or goes, with the members that tests look at. */
export interface Event {
  readonly type: string;
  readonly id?: string;
  readonly delta?: string;
  readonly text?: string;
  readonly error?: string;
  readonly code?: string;
  readonly audio?: string;
  readonly audio_ms?: number;
  readonly received_ms?: number;
  readonly model?: string;
  readonly final?: boolean;
  readonly kikitori?: unknown;
  readonly usage?: unknown;
  readonly data?: { readonly text?: string };
}

export class RealtimeClient {
  readonly connection: Connection;
  readonly raw: string[] = [];
  /** The close code once the connection ended: 1000 for a clean end, 1006 for none. */
  closeCode: number | undefined;
  closeReason: string | undefined;
  readonly #messages: AsyncIterator<Message>;

  constructor(connection: Connection) {
    this.connection = connection;
    this.#messages = connection.messages[Symbol.asyncIterator]();
  }

  static async connect(
    url: string,
    options: { readonly headers?: Record<string, string>; readonly messageBytesMax?: number } = {},
  ): Promise<RealtimeClient> {
    const { headers = {}, ...tuning } = options;
    return new RealtimeClient(await connectWebSocket({ url: url.replace(/^http/, 'ws'), headers }, tuning));
  }

  /** The next event; undefined when the connection ended. */
  async next(): Promise<Event | undefined> {
    try {
      const { value, done } = await this.#messages.next();
      if (done === true) {
        this.closeCode ??= 1000;
        return undefined;
      }
      const text = String(value);
      this.raw.push(text);
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.closeCode ??= error.closeCode ?? 1006;
      this.closeReason ??= error.closeReason;
      return undefined;
    }
  }

  /** Everything up to and with the first event of that type, or to the end of the connection. */
  async until(...types: string[]): Promise<Event[]> {
    const events: Event[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined) return events;
      events.push(event);
      if (types.includes(event.type)) return events;
    }
  }

  /** Everything to the end of the connection. */
  rest(): Promise<Event[]> {
    return this.until();
  }

  async send(...events: readonly (Event | string)[]): Promise<void> {
    for (const event of events) {
      await this.connection.send(typeof event === 'string' ? event : JSON.stringify(event));
    }
  }
}

export const update = (model: string, kikitori?: Record<string, unknown>): Event => ({
  type: 'session.update',
  model,
  ...(kikitori === undefined ? {} : { kikitori }),
});
export const commit: Event = { type: 'input_audio_buffer.commit' };
export const final: Event = { type: 'input_audio_buffer.commit', final: true };
/** Silence of that length; the scripted engine counts samples and does not listen. */
export const append = (lengthMs: number): Event => ({
  type: 'input_audio_buffer.append',
  audio: encodeBase64(new Uint8Array(lengthMs * 32)),
});

/** Silence cut into appends. */
export function appends(lengthMs: number, chunkMs: number): Event[] {
  const chunks: Event[] = [];
  for (let atMs = 0; atMs < lengthMs; atMs += chunkMs)
    chunks.push(append(Math.min(chunkMs, lengthMs - atMs)));
  return chunks;
}

export function deltasOf(events: readonly Event[]): string {
  return events.map((event) => (event.type === 'transcription.delta' ? (event.delta ?? '') : '')).join('');
}

/** Everything that a peer says, and the close code in the end; `news` settles with the next message. */
export function listenTo(connection: Connection): {
  readonly told: Message[];
  readonly closed: Promise<number>;
  news(): Promise<void>;
} {
  const told: Message[] = [];
  let onNews: () => void = () => undefined;
  const closed = (async () => {
    try {
      for await (const message of connection.messages) {
        told.push(message);
        onNews();
      }
      return 1000;
    } catch (error) {
      return error instanceof TransportError ? (error.closeCode ?? 1006) : 1006;
    }
  })();
  const news = (): Promise<void> =>
    new Promise((resolve) => {
      onNews = resolve;
    });
  return { told, closed, news };
}
