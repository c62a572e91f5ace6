import type { SpeechEngine, SpeechStream } from '../engine.js';

/** One engine for test after test: to load a model takes longer than to hear a sentence. */
export class SharedEngine {
  readonly #create: () => Promise<SpeechEngine>;
  #engine: SpeechEngine | undefined;

  constructor(create: () => Promise<SpeechEngine>) {
    this.#create = create;
  }

  /** Lends it, all of its slots free, and closes what was opened. The next test gets a fresh one where it was closed or the body failed. */
  async lend(body: (engine: SpeechEngine) => Promise<void>): Promise<void> {
    const engine = this.#engine ?? (await this.#create());
    this.#engine = undefined;
    const streams: SpeechStream[] = [];
    let isClosed = false;
    const lent: SpeechEngine = {
      info: engine.info,
      open: async (options) => {
        const stream = await engine.open(options);
        streams.push(stream);
        return stream;
      },
      close: () => {
        isClosed = true;
        return engine.close();
      },
    };
    try {
      await body(lent);
      await Promise.all(streams.map((stream) => stream.close()));
      if (!isClosed) this.#engine = engine;
    } finally {
      if (this.#engine === undefined) await engine.close();
    }
  }

  async close(): Promise<void> {
    await this.#engine?.close();
  }
}
