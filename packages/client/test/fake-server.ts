import { decodeBase64, pcm16ToInt16 } from '@kikitori/audio';
import { type ClientEvent, encodeServerEvent, parseClientEvent, type ServerEvent } from '@kikitori/protocol';
import {
  attachMemory,
  type Connect,
  type Connection,
  createMemoryHost,
  type Handshake,
} from '@kikitori/transport';

export const FRAME_SAMPLES = 1280;

/** Audio in which every sample of frame n has the value n, so that a transcript tells which frames arrived. */
export function frames(first: number, count: number): Int16Array {
  const audio = new Int16Array(FRAME_SAMPLES * count);
  for (let index = 0; index < count; index += 1) {
    audio.fill(first + index, index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES);
  }
  return audio;
}

/** What a server makes of `frames(first, count)`. */
export function textOf(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => ` ${first + index}`).join('');
}

/** One client's visit, as the server sees it. */
export interface Visit {
  readonly connection: Connection;
  readonly handshake: Handshake;
  /** Everything the client said, audio as the list of its frame numbers. */
  readonly log: string[];
  /** Samples that arrived where vLLM drops them: between `final` and `done`. */
  lostSamples: number;
  receivedSamples: number;
  /** Settles when the client's messages have ended; the error or undefined. */
  readonly ended: Promise<unknown>;
  tell(event: ServerEvent): Promise<void>;
  /** Ends the running generation with its `done`. */
  finishUtterance(): Promise<void>;
}

/** How a fake server behaves; the default is vLLM as documented. */
export interface FakeServerOptions {
  /** False: the greeting is left to the test. */
  readonly greets?: boolean;
  /** Awaited before the next message is read. */
  readonly beforeRead?: () => Promise<void>;
  /** True: `done` is left to the test (`visit.finishUtterance`). */
  readonly holdsDone?: boolean;
  /** True: deltas come together with `done` instead of as the audio arrives. */
  readonly isLate?: boolean;
  /** Called after each event of the client was handled. */
  readonly onEvent?: (visit: Visit, event: ClientEvent) => Promise<void> | void;
}

/** A server of the vLLM dialect over the memory transport, frame by frame. */
export interface FakeServer {
  readonly connect: Connect;
  readonly visits: Visit[];
  /** The next visit that begins, or the one that has. */
  visit(): Promise<Visit>;
}

export function fakeServer(options: FakeServerOptions = {}): FakeServer {
  const host = createMemoryHost({
    near: { receiveHighWaterBytes: 4096 },
    far: { receiveHighWaterBytes: 4096 },
  });
  const visits: Visit[] = [];
  const waiting: ((visit: Visit) => void)[] = [];
  attachMemory(host, {
    admit: () => ({ accept: true }),
    onConnection: (connection, handshake) => {
      const visit = serve(connection, handshake, options);
      visits.push(visit);
      for (const resolve of waiting.splice(0)) resolve(visit);
    },
  });
  return {
    connect: host.connect,
    visits,
    visit: async () => visits[0] ?? (await new Promise<Visit>((resolve) => waiting.push(resolve))),
  };
}

/** Serves one connection of any transport. */
export function serve(connection: Connection, handshake: Handshake, options: FakeServerOptions): Visit {
  const generation = new Generation(connection, options.isLate === true);
  const visit: Visit = {
    connection,
    handshake,
    log: [],
    lostSamples: 0,
    receivedSamples: 0,
    ended: Promise.resolve().then(() => listen()),
    tell: (event) => connection.send(encodeServerEvent(event)),
    finishUtterance: () => generation.finish(visit),
  };
  const listen = async (): Promise<unknown> => {
    try {
      if (options.greets !== false) {
        await visit.tell({ type: 'session.created', id: 'sess-fake', created: 1 });
      }
      for await (const message of connection.messages) {
        await options.beforeRead?.();
        const event = parseClientEvent(String(message));
        if (event.type === 'invalid') throw event.error;
        await generation.take(visit, event, options.holdsDone === true);
        await options.onEvent?.(visit, event);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return visit;
}

class Generation {
  readonly #connection: Connection;
  readonly #isLate: boolean;
  #isRunning = false;
  #isEnding = false;
  #text = '';
  #samples: number[] = [];

  constructor(connection: Connection, isLate: boolean) {
    this.#connection = connection;
    this.#isLate = isLate;
  }

  async take(visit: Visit, event: ClientEvent, holdsDone: boolean): Promise<void> {
    switch (event.type) {
      case 'session.update':
        visit.log.push(JSON.stringify(event));
        return;
      case 'input_audio_buffer.append':
        await this.#append(visit, pcm16ToInt16(decodeBase64(event.audio)));
        return;
      case 'input_audio_buffer.commit':
        visit.log.push(event.final ? 'final' : 'commit');
        if (!event.final) this.#isRunning = true;
        else this.#isEnding = true;
        if (event.final && !holdsDone) await this.finish(visit);
    }
  }

  async finish(visit: Visit): Promise<void> {
    // A remainder below one frame is heard too, as a frame of its own.
    await this.#hear(this.#samples.length > 0 ? 1 : 0);
    if (this.#isLate) await this.#tell({ type: 'transcription.delta', delta: this.#text });
    const text = this.#text;
    this.#isRunning = false;
    this.#isEnding = false;
    this.#text = '';
    this.#samples = [];
    visit.log.push('done');
    const usage = { prompt_tokens: 1, total_tokens: 3, completion_tokens: 2, prompt_tokens_details: null };
    await this.#tell({ type: 'transcription.done', text, usage });
  }

  async #append(visit: Visit, samples: Int16Array): Promise<void> {
    visit.receivedSamples += samples.length;
    const names = new Set(samples);
    visit.log.push(`append ${[...names].join(' ')}`);
    if (this.#isEnding || !this.#isRunning) visit.lostSamples += samples.length;
    if (this.#isEnding) return;
    this.#samples.push(...samples);
    await this.#hear(Math.floor(this.#samples.length / FRAME_SAMPLES));
  }

  async #hear(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const [first = 0] = this.#samples.splice(0, FRAME_SAMPLES);
      this.#text += ` ${first}`;
      if (!this.#isLate) await this.#tell({ type: 'transcription.delta', delta: ` ${first}` });
    }
  }

  async #tell(event: ServerEvent): Promise<void> {
    await this.#connection.send(encodeServerEvent(event));
  }
}
