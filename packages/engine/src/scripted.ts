import type { EngineInfo, SpeechEngine, SpeechStream, StreamOptions } from './engine.js';
import { EngineError, type EngineErrorCode } from './errors.js';
import { ScriptedStream } from './scripted-stream.js';
import type { ScriptedUtterance } from './scripted-timeline.js';

/**
 * Something that goes wrong at an exact point. `nth` counts the calls of that kind over the whole engine, from 1,
 * so that "let the Nth call fail, for N = 1, 2, 3 …" is one loop.
 * - `fail`: this stream fails (an `open` rejects) with `code`; the others live on
 * - `stall`: the engine decodes nothing from here on until `release()`; an `open` waits
 * - `lose_worker`: every open stream fails with `engine_worker_lost`; streams opened later work
 */
export type ScriptedFault =
  | {
      readonly call: 'open' | 'write' | 'flush';
      readonly nth: number;
      readonly effect: 'fail';
      readonly code: EngineErrorCode;
    }
  | {
      readonly call: 'open' | 'write' | 'flush';
      readonly nth: number;
      readonly effect: 'stall' | 'lose_worker';
    };

/** What the scripted engine was asked to do so far. Counts over all streams. */
export interface ScriptedCalls {
  readonly opens: number;
  /** Opens refused with `engine_busy`. */
  readonly refused: number;
  readonly writes: number;
  readonly samples: number;
  readonly flushes: number;
  /** Streams closed by their owner; closing twice counts once. */
  readonly closes: number;
  /** Streams that hold a slot now. */
  readonly streamsOpen: number;
}

export interface ScriptedEngineOptions {
  /** What is said: utterances in order of time, milliseconds from the first sample of a stream. May be empty. */
  readonly script: readonly ScriptedUtterance[];
  /** One more is refused with `engine_busy`. Default 4. */
  readonly streamsMax?: number;
  /** Default `scripted`. */
  readonly model?: string;
  /** Default `['en']`. */
  readonly languages?: readonly string[];
  /** A word comes once this much audio behind its end has been written. Milliseconds; default 0. */
  readonly lookAheadMs?: number;
  /** An utterance closes once this much audio behind its last word has been written. Default 600. */
  readonly pauseMs?: number;
  /** In silence `progress` comes once per so much audio. Default 500. */
  readonly progressMs?: number;
  /** After the script: silence for ever (default), or the script again. */
  readonly afterScript?: 'silence' | 'repeat';
  /** Length of one round when repeating, at least to the end of the last word. Default: that end plus `pauseMs`. */
  readonly roundMs?: number;
  /** While stalled, `write` waits once this much audio is not decoded. Milliseconds; default 30 000. */
  readonly backlogMsMax?: number;
  readonly faults?: readonly ScriptedFault[];
  /** Sees every block that is written, borrowed for the call. `stream` counts the opened streams from 0. */
  readonly onAudio?: (samples: Float32Array, stream: number) => void;
}

/** Defaults of {@link ScriptedEngineOptions}. */
export const SCRIPTED_DEFAULTS = {
  streamsMax: 4,
  lookAheadMs: 0,
  pauseMs: 600,
  progressMs: 500,
  backlogMsMax: 30_000,
} as const;

/** A {@link SpeechEngine} whose every move the test decides. */
export interface ScriptedEngine extends SpeechEngine {
  readonly calls: ScriptedCalls;
  /** Stops decoding: audio and flushes queue up, and `write` waits at the bound. Idempotent. */
  stall(): void;
  /** Decodes what has queued up and goes on. Idempotent. */
  release(): void;
  /** Every open stream fails with `engine_worker_lost`; the next `open` works. */
  loseWorker(): void;
}

const SAMPLE_RATE_HZ = 16_000;

/**
 * A deterministic engine for tests: it hears how much audio is written, not what is in it, and says the words of
 * its script when the audio reaches them. No timers and no threads: everything happens inside the calls, so the
 * same calls give the same hypotheses. Each stream starts the script from its beginning.
 *
 * `flushed.tokens` counts one token per word.
 *
 * @throws RangeError when the script is not in order of time, or an option is out of its range
 */
export function createScriptedEngine(options: ScriptedEngineOptions): ScriptedEngine {
  checkScript(options.script);
  for (const [name, value] of Object.entries(options)) {
    const floor = name === 'progressMs' || name === 'backlogMsMax' ? 1 : 0;
    if (typeof value === 'number' && !(value >= floor)) throw new RangeError(`${name} is out of range.`);
  }
  const lastMs = options.script.at(-1)?.words.at(-1)?.endMs ?? 0;
  if (options.roundMs !== undefined && options.roundMs < lastMs) {
    throw new RangeError('roundMs ends before the last word of the script.');
  }
  return new Engine(options);
}

function checkScript(script: readonly ScriptedUtterance[]): void {
  let reachedMs = 0;
  for (const { words } of script) {
    if (words.length === 0) throw new RangeError('An utterance of the script has no words.');
    for (const { startMs, endMs } of words) {
      if (!(startMs >= reachedMs && endMs > startMs)) {
        throw new RangeError('The words of the script overlap or are not in order of time.');
      }
      reachedMs = endMs;
    }
  }
}

class Engine implements ScriptedEngine {
  readonly info: EngineInfo;
  readonly #options: ScriptedEngineOptions;
  readonly #streams = new Set<ScriptedStream>();
  readonly #counts = { opens: 0, refused: 0, writes: 0, samples: 0, flushes: 0, closes: 0 };
  readonly #opening = new Set<() => void>();
  #opened = 0;
  #stalled = false;
  #closed = false;

  constructor(options: ScriptedEngineOptions) {
    this.#options = options;
    this.info = {
      model: options.model ?? 'scripted',
      languages: options.languages ?? ['en'],
      streamsMax: options.streamsMax ?? SCRIPTED_DEFAULTS.streamsMax,
      sampleRateHz: SAMPLE_RATE_HZ,
    };
  }

  get calls(): ScriptedCalls {
    return { ...this.#counts, streamsOpen: this.#streams.size };
  }

  async open(options: StreamOptions & { readonly signal?: AbortSignal } = {}): Promise<SpeechStream> {
    options.signal?.throwIfAborted();
    this.#counts.opens += 1;
    const failure = this.#strike('open', this.#counts.opens);
    if (failure !== undefined) throw failure;
    if (this.#stalled) await this.#released(options.signal);
    if (this.#closed) throw engineClosed();
    if (this.#streams.size >= this.info.streamsMax) {
      this.#counts.refused += 1;
      throw new EngineError('engine_busy', 'Every stream of the engine is taken. Try again later.');
    }
    return this.#start(options);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeOpening();
    for (const stream of [...this.#streams]) stream.fail(engineClosed());
  }

  stall(): void {
    this.#stalled = true;
  }

  release(): void {
    this.#stalled = false;
    this.#wakeOpening();
    for (const stream of [...this.#streams]) stream.decode();
  }

  loseWorker(): void {
    for (const stream of [...this.#streams]) stream.fail(workerLost());
  }

  #start({ partials = false, onsets = false }: StreamOptions): ScriptedStream {
    const { script, afterScript, onAudio } = this.#options;
    const { lookAheadMs, pauseMs, progressMs, backlogMsMax } = { ...SCRIPTED_DEFAULTS, ...this.#options };
    const lastMs = script.at(-1)?.words.at(-1)?.endMs ?? 0;
    const roundMs = this.#options.roundMs ?? lastMs + pauseMs;
    const index = this.#opened;
    this.#opened += 1;
    const stream = new ScriptedStream({
      timeline: {
        script,
        lookAheadMs,
        pauseMs,
        progressMs,
        periodMs: afterScript === 'repeat' ? roundMs : undefined,
        partials,
        onsets,
      },
      backlogMsMax,
      sampleRateHz: SAMPLE_RATE_HZ,
      isStalled: () => this.#stalled,
      onWrite: (samples) => {
        this.#counts.writes += 1;
        this.#counts.samples += samples.length;
        onAudio?.(samples, index);
        return this.#strike('write', this.#counts.writes);
      },
      onFlush: () => {
        this.#counts.flushes += 1;
        return this.#strike('flush', this.#counts.flushes);
      },
      onEnd: (byOwner) => {
        this.#streams.delete(stream);
        if (byOwner) this.#counts.closes += 1;
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Applies the fault planned for this call, if any; returns the error the calling stream is to fail with. */
  #strike(call: ScriptedFault['call'], nth: number): EngineError | undefined {
    const fault = this.#options.faults?.find((planned) => planned.call === call && planned.nth === nth);
    if (fault === undefined) return undefined;
    switch (fault.effect) {
      case 'fail':
        return new EngineError(fault.code, 'The scripted engine was told to fail here.');
      case 'stall':
        this.stall();
        return undefined;
      case 'lose_worker':
        this.loseWorker();
        return call === 'open' ? workerLost() : undefined;
      default:
        return fault satisfies never;
    }
  }

  /** Waits until `release`, `close` or the signal. */
  async #released(signal: AbortSignal | undefined): Promise<void> {
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#opening.add(wake);
    signal?.addEventListener('abort', wake);
    try {
      await woken;
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', wake);
      this.#opening.delete(wake);
    }
  }

  #wakeOpening(): void {
    for (const wake of this.#opening) wake();
  }
}

function engineClosed(): EngineError {
  return new EngineError('engine_closed', 'The engine was closed.');
}

function workerLost(): EngineError {
  return new EngineError('engine_worker_lost', 'The thread that decodes was lost. Open a new stream.');
}
