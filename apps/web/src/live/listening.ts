import { ClientError, connect, pace, type Session, type SessionEvent } from '@kikitori/client';
import type { Connect } from '@kikitori/transport';
import { WEB_LIMITS } from './limits.js';

/** What a session needs. */
export interface ListeningOptions {
  readonly connect: Connect;
  readonly model: string;
  readonly onEvent: (event: SessionEvent, session: Session) => void;
  /** The first greeting has come. */
  readonly onOpen: () => void;
  /** It ended, and not because somebody asked for it. */
  readonly onFailure: (error: unknown) => void;
}

/** One session with the server. Sound may come at once: it is kept until there is a connection. */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #stop = new AbortController();
  readonly #kept: Float32Array[] = [];
  readonly #opening: Promise<Session | undefined>;
  #session: Session | undefined;
  #keptSamples = 0;
  #heardSamples = 0;
  #heardAtMs = 0;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#opening = this.#open();
  }

  /** Sound that came in so far. */
  get heardMs(): number {
    return this.#heardSamples / 16;
  }

  /** Sound that waits for a connection. */
  get keptMs(): number {
    return this.#keptSamples / 16;
  }

  /** How much has been spoken by now: what came in, and what is being said since. */
  positionMs(nowMs: number): number {
    return this.#heardSamples === 0 ? 0 : this.heardMs + Math.min(250, Math.max(0, nowMs - this.#heardAtMs));
  }

  /** Live sound. Never waits. */
  push(samples: Float32Array): void {
    this.#note(samples);
    if (this.#session === undefined) this.#keep(samples);
    else this.#session.send(samples).catch(() => undefined);
  }

  /** A whole recording, at the pace of speech or as fast as the server takes it. Rejects as the session does. */
  async read(samples: Float32Array, rate: 'realtime' | 'max', onProgress: () => void): Promise<void> {
    const session = await this.#opening;
    if (session === undefined) return;
    const signal = AbortSignal.any([this.#stop.signal, session.ended]);
    const pieces = rate === 'max' ? slices(samples) : samples;
    for await (const piece of pace(pieces, { rate, signal })) {
      if (!(piece instanceof Float32Array)) continue;
      this.#note(piece);
      await session.send(piece, { signal });
      onProgress();
    }
  }

  /** Waits for the last words and ends the session. */
  async finish(): Promise<void> {
    const session = await this.#opening;
    await session?.finish();
  }

  destroy(): void {
    this.#stop.abort();
    this.#session?.destroy();
  }

  #note(samples: Float32Array): void {
    this.#heardSamples += samples.length;
    this.#heardAtMs = performance.now();
  }

  #keep(samples: Float32Array): void {
    this.#kept.push(samples);
    this.#keptSamples += samples.length;
    while (this.#keptSamples > WEB_LIMITS.keepMs * 16) {
      this.#keptSamples -= this.#kept.shift()?.length ?? this.#keptSamples;
    }
  }

  async #open(): Promise<Session | undefined> {
    const { connect: open, model, onOpen, onFailure } = this.#options;
    const { signal } = this.#stop;
    try {
      const session = await connect(
        { connect: open, url: location.origin, model, words: true, partials: true },
        { signal },
      );
      this.#follow(session);
      for (const samples of this.#kept) session.send(samples).catch(() => undefined);
      this.#kept.length = 0;
      this.#keptSamples = 0;
      this.#session = session;
      onOpen();
      return session;
    } catch (error) {
      if (!signal.aborted) onFailure(error);
      return undefined;
    }
  }

  #follow(session: Session): void {
    const read = async (): Promise<void> => {
      for await (const event of session) this.#options.onEvent(event, session);
    };
    read().catch((error: unknown) => {
      const isAsked = error instanceof ClientError && error.code === 'closed' && this.#stop.signal.aborted;
      if (!isAsked) this.#options.onFailure(error);
    });
  }
}

/** So large that messages are few, so small that the bar moves. */
function* slices(samples: Float32Array): Generator<Float32Array> {
  const size = 16_000;
  for (let from = 0; from < samples.length; from += size) yield samples.subarray(from, from + size);
}
