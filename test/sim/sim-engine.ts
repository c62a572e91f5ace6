import {
  createScriptedEngine,
  EngineError,
  type EngineInfo,
  type Hypothesis,
  type ScriptedUtterance,
  type SpeechEngine,
  type SpeechStream,
  type StreamOptions,
  type Word,
} from '@kikitori/engine';
import { heardFrom, Listener } from './hearing.js';
import { sleep } from './virtual-time.js';

/** How the recogniser is. */
export interface SimEngineOptions {
  readonly script: readonly ScriptedUtterance[];
  readonly lookAheadMs: number;
  /** Time it takes for a second of audio, in seconds. */
  readonly realTimeFactor: number;
  /** Heard again from another place, a word may lie elsewhere by this much. */
  readonly shiftMs: (word: Word) => number;
  /** Told what must not happen. */
  readonly onFlaw: (what: string) => void;
}

/** A recogniser that hears what is in the audio: the words of the script, from wherever a stream begins. */
export class SimEngine implements SpeechEngine {
  readonly info: EngineInfo = { model: 'sim', languages: ['en'], streamsMax: 64, sampleRateHz: 16_000 };
  readonly #options: SimEngineOptions;
  readonly #streams = new Set<SimStream>();

  constructor(options: SimEngineOptions) {
    this.#options = options;
  }

  open(options: StreamOptions = {}): Promise<SpeechStream> {
    const stream = new SimStream(this.#options, options, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    return Promise.resolve(stream);
  }

  /** Fails every stream that is open; later ones work. */
  crash(): void {
    for (const stream of [...this.#streams]) stream.crash();
  }

  async close(): Promise<void> {
    for (const stream of [...this.#streams]) await stream.close();
  }
}

class SimStream implements SpeechStream {
  readonly #options: SimEngineOptions;
  readonly #streamOptions: StreamOptions;
  readonly #listener: Listener;
  readonly #onEnd: () => void;
  #inner: Promise<SpeechStream> | undefined;
  #begin: (inner: SpeechStream | undefined) => void = () => undefined;
  readonly #begun = new Promise<SpeechStream | undefined>((resolve) => {
    this.#begin = resolve;
  });
  #failure: EngineError | undefined;

  constructor(options: SimEngineOptions, streamOptions: StreamOptions, onEnd: () => void) {
    this.#options = options;
    this.#streamOptions = streamOptions;
    this.#listener = new Listener(options.onFlaw);
    this.#onEnd = onEnd;
  }

  get hypotheses(): AsyncIterable<Hypothesis> {
    return this.#hypotheses();
  }

  async write(samples: Float32Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#listener.hear(samples, 32_768);
    this.#inner ??= this.#open();
    const inner = await this.#inner;
    const { realTimeFactor } = this.#options;
    if (realTimeFactor > 0) await sleep((samples.length / 16) * realTimeFactor);
    if (this.#failure !== undefined) throw this.#failure;
    await inner.write(samples);
  }

  flush(marker: number): void {
    void this.#inner?.then((inner) => inner.flush(marker));
  }

  crash(): void {
    this.#failure = new EngineError('engine_worker_lost', 'The recogniser crashed.');
    void this.#end();
  }

  async close(): Promise<void> {
    this.#failure ??= new EngineError('engine_closed', 'The stream was closed.');
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#onEnd();
    this.#begin(undefined);
    await (await this.#inner)?.close();
  }

  async #open(): Promise<SpeechStream> {
    const { script, lookAheadMs, shiftMs } = this.#options;
    const startMs = this.#listener.startMs ?? 0;
    const heard = heardFrom(script, startMs, startMs === 0 ? undefined : shiftMs);
    const inner = await createScriptedEngine({ script: heard, lookAheadMs }).open(this.#streamOptions);
    this.#begin(inner);
    return inner;
  }

  async *#hypotheses(): AsyncGenerator<Hypothesis, void, undefined> {
    const inner = await this.#begun;
    if (inner !== undefined) yield* inner.hypotheses;
    if (this.#failure?.code === 'engine_worker_lost') throw this.#failure;
  }
}
