import { ClientError, openSession, pace, type Session, type SessionEvent } from '@kikitori/client';
import { connectWebSocket } from '@kikitori/transport/ws';
import { serverAddress } from '../shared/server-address.js';
import { WEB_LIMITS } from './limits.js';

/** What a session needs. */
export interface ListeningOptions {
  /** For each connection; undefined where none is needed. */
  readonly token: () => Promise<string | undefined>;
  readonly model: string;
  /** Time without a good connection, ms. */
  readonly giveUpAfterMs: number;
  readonly onEvent: (event: SessionEvent, session: Session) => void;
  /** A connection was opened: the first one, or one more. */
  readonly onOpen: () => void;
  /** It ended, and not because somebody asked for it. */
  readonly onFailure: (error: unknown) => void;
}

/** Samples in a piece of a file: so large that messages are few, so small that the bar moves. */
const PIECE_SAMPLES = 16_000;

/** One session with the server, over as many connections as it takes. Sound may come at once: it is kept until there is one. */
export class Listening {
  readonly #session: Session;
  #isDestroyed = false;
  #isFinishing = false;
  #reading: Promise<void> | undefined;
  #heardSamples = 0;
  #heardAtMs = 0;

  constructor(options: ListeningOptions) {
    this.#session = openSession({
      connect: async (request) => {
        const connection = await connectWebSocket(request);
        options.onOpen();
        return connection;
      },
      token: options.token,
      url: serverAddress(),
      model: options.model,
      words: true,
      partials: true,
      reconnect: { keepMs: WEB_LIMITS.keepMs, giveUpAfterMs: options.giveUpAfterMs },
    });
    this.#follow(options);
  }

  /** Sound that came in so far. */
  get heardMs(): number {
    return this.#heardSamples / 16;
  }

  /** How much has been spoken by now: what came in, and what is being said since. */
  positionMs(nowMs: number): number {
    return this.#heardSamples === 0 ? 0 : this.heardMs + Math.min(250, Math.max(0, nowMs - this.#heardAtMs));
  }

  /** Live sound. Never waits. */
  push(samples: Float32Array): void {
    this.#note(samples);
    // What goes wrong is told by the events.
    this.#session.send(samples).catch(() => undefined);
  }

  /**
   * A whole recording, at the pace of speech or as fast as the server takes it; up to where it is when `finish` is called.
   * Rejects as the session does.
   */
  async read(samples: Float32Array, rate: 'realtime' | 'max', onProgress: () => void): Promise<void> {
    this.#reading = this.#read(samples, rate, onProgress);
    await this.#reading;
  }

  async #read(samples: Float32Array, rate: 'realtime' | 'max', onProgress: () => void): Promise<void> {
    const signal = this.#session.ended;
    for await (const piece of pace(rate === 'max' ? pieces(samples) : samples, { rate, signal })) {
      if (this.#isFinishing) return;
      this.#note(piece);
      await this.#session.send(piece, { signal });
      onProgress();
    }
  }

  /** Waits for the last words and ends the session. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    // A piece that is on its way goes first. Its failure is told to whoever reads.
    await this.#reading?.catch(() => undefined);
    await this.#session.finish();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#session.destroy();
  }

  #note(samples: { readonly length: number }): void {
    this.#heardSamples += samples.length;
    this.#heardAtMs = performance.now();
  }

  #follow({ onEvent, onFailure }: ListeningOptions): void {
    const read = async (): Promise<void> => {
      for await (const event of this.#session) onEvent(event, this.#session);
    };
    read().catch((error: unknown) => {
      const isAsked = this.#isDestroyed && error instanceof ClientError && error.code === 'closed';
      if (!isAsked) onFailure(error);
    });
  }
}

function* pieces(samples: Float32Array): Generator<Float32Array> {
  for (let from = 0; from < samples.length; from += PIECE_SAMPLES) {
    yield samples.subarray(from, from + PIECE_SAMPLES);
  }
}
