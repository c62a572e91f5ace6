/** The embedded engine: streams on one side, threads on the other, and the loop that brings them together. */
import {
  ENDPOINT_RULES,
  EngineError,
  type EngineInfo,
  findEndpoint,
  type SpeechEngine,
  type StreamOptions,
} from '@kikitori/engine';
import { ENGINE_LIMITS } from './limits.js';
import type { MoonshineFiles } from './model/moonshine.js';
import type { Vocabulary } from './model/token-text.js';
import { type Candidate, nextTurn, type WaitersShare } from './scheduler.js';
import type { DoubtRule } from './stream/doubt.js';
import { MoonshineStream } from './stream/moonshine-stream.js';
import { policyOf, type StreamPolicy } from './stream/policy.js';
import type { DecodePlan } from './stream/recogniser.js';
import { Thread } from './worker/thread.js';

/** What an engine is made of once its model was found on disk. */
export interface MoonshineParts {
  /** Served name, such as `moonshine-base`. */
  readonly model: string;
  readonly files: MoonshineFiles;
  readonly vocabulary: Vocabulary;
  readonly vadFile: string;
  /** Whether the files are still what they should be: asked before a thread is replaced. Default: not asked. */
  readonly check?: (() => Promise<unknown>) | undefined;
  /** BCP 47. */
  readonly languages: readonly string[];
  /** When an utterance does not sound like these languages. Default never. */
  readonly doubt?: DoubtRule | undefined;
  /** Decoding threads, each with its own copy of the model; one at least. */
  readonly threads: number;
  /** Streams that may be open at once. Default: what the threads can carry live, by measurement. */
  readonly streamsMax: number;
  /** Of streams that do not say it themselves. */
  readonly delayMs?: number | undefined;
  readonly policy?: Partial<StreamPolicy> | undefined;
}

/** Starts the threads and loads the model into each. Rejects with `EngineError`; nothing is left running then. */
export async function startEngine(parts: MoonshineParts, signal?: AbortSignal): Promise<MoonshineEngine> {
  signal?.throwIfAborted();
  const decoders = Array.from({ length: parts.threads }, () => {
    return new Thread({ type: 'decoder', files: parts.files }, parts.check);
  });
  const vad = new Thread({ type: 'vad', file: parts.vadFile }, parts.check);
  const threads = [vad, ...decoders];
  // All of them, also when one has failed or nobody waits any more: the runtime brings the process down when one of
  // its threads ends while another loads.
  const starts = await Promise.allSettled(threads.map((thread) => thread.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed === undefined && signal?.aborted !== true) return new MoonshineEngine(parts, decoders, vad);
  await Promise.all(threads.map((thread) => thread.close()));
  signal?.throwIfAborted();
  throw failed?.reason;
}

/** Behind a turn that speakers had to wait for, they have the threads for so many times as long. */
const WAITERS_REST = 9;

/** A thread as the engine uses it. */
export type EngineThread = Pick<Thread, 'pending' | 'isGivenUp' | 'decode' | 'listen' | 'close'>;

export class MoonshineEngine implements SpeechEngine {
  readonly info: EngineInfo;
  readonly #parts: MoonshineParts;
  readonly #decoders: readonly EngineThread[];
  readonly #vad: EngineThread;
  /** Open streams and when each was last decoded. */
  readonly #streams = new Map<MoonshineStream, number>();
  /** When a decode for a speaker last began, when one for the others ended, and how long that took. */
  #speakerAt = Number.NEGATIVE_INFINITY;
  #waiterAt = Number.NEGATIVE_INFINITY;
  #waiterTookMs = 0;
  /** Who is being decoded, and whether as one who waits: a file, or a stream that is ahead of real time. */
  readonly #decoding = new Map<MoonshineStream, boolean>();
  #scheduled = false;
  #closed = false;

  /** Use `startEngine`. */
  constructor(parts: MoonshineParts, decoders: readonly EngineThread[], vad: EngineThread) {
    this.#parts = parts;
    this.#decoders = decoders;
    this.#vad = vad;
    this.info = {
      model: parts.model,
      languages: parts.languages,
      streamsMax: parts.streamsMax,
      sampleRateHz: 16_000,
    };
  }

  async open(options: StreamOptions & { readonly signal?: AbortSignal } = {}): Promise<MoonshineStream> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw new EngineError('engine_closed', 'The engine was closed.');
    if (this.#streams.size >= this.info.streamsMax) {
      throw new EngineError(
        'engine_busy',
        'Every place of the recogniser is taken; try again when a speaker has finished.',
      );
    }
    const stream = new MoonshineStream(
      {
        policy: policyOf(this.#parts.policy, options.delayMs ?? this.#parts.delayMs),
        vocabulary: this.#parts.vocabulary,
        mode: options.mode ?? 'live',
        partials: options.partials ?? false,
        endpoint: endpointRule,
        doubt: this.#parts.doubt,
        isBusy: () => this.#isBusy,
      },
      {
        hasSpeakers: () => this.#hasSpeakers,
        wake: () => this.#wake(),
        released: (gone) => {
          this.#streams.delete(gone);
          this.#wake();
        },
      },
    );
    this.#streams.set(stream, performance.now());
    return stream;
  }

  /** Two live speakers a core leave it time for long windows; more do not. */
  get #isBusy(): boolean {
    const speakers = [...this.#streams.keys()].filter(({ isWaiter }) => !isWaiter);
    return speakers.length > 2 * this.#decoders.length;
  }

  /** Somebody speaks, or did so just now: the others leave a thread free, and are never long on it. */
  get #hasSpeakers(): boolean {
    return performance.now() - this.#speakerAt < ENGINE_LIMITS.speakerMsMin;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of [...this.#streams.keys()])
      stream.fail(new EngineError('engine_closed', 'The engine was closed.'));
    await Promise.all([this.#vad, ...this.#decoders].map((thread) => thread.close()));
  }

  /** Many things wake the engine in one turn of the event loop; it looks around once for all of them. */
  #wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#assign();
    });
  }

  #assign(): void {
    if (this.#closed) return;
    for (const stream of this.#streams.keys()) void this.#listen(stream);
    // Planning also says what needs no decode (the end of an utterance, answers to flushes), so every stream plans,
    // even while no thread is free.
    let candidates = this.#candidates();
    const isOneLeft = this.#decoders.some((thread) => !thread.isGivenUp);
    for (const thread of this.#decoders) {
      if (thread.pending > 0 || (isOneLeft && thread.isGivenUp)) continue;
      const next = nextTurn(candidates, this.#shareOf(candidates));
      if (next === undefined) return;
      void this.#decode(thread, next);
      candidates = candidates.filter(({ stream }) => stream !== next.stream);
    }
  }

  /**
   * What those who wait may have. Threads may have less than a core each (a quota, other programs): then the free ones cost
   * a speaker as much as a turn, so nobody begins while one is late.
   */
  #shareOf(candidates: readonly Candidate<MoonshineStream>[]): WaitersShare {
    const threads = this.#decoders.length;
    const most = this.#hasSpeakers ? Math.max(1, threads - 1) : threads;
    const speaking = [...this.#decoding].flatMap(([stream, isWaiter]) => (isWaiter ? [] : [stream]));
    const due = candidates.flatMap(({ stream, isWaiter }) => (isWaiter ? [] : [stream]));
    const isLate = [...speaking, ...due].some(({ backlogMs }) => backlogMs > ENGINE_LIMITS.lateMsMin);
    const waiting = this.#decoding.size - speaking.length;
    const restMs = Math.max(ENGINE_LIMITS.waiterMsMax, WAITERS_REST * this.#waiterTookMs);
    const isDue = waiting === 0 && performance.now() - this.#waiterAt >= restMs;
    return { isOpen: !isLate && waiting < most, isDue };
  }

  #candidates(): Candidate<MoonshineStream>[] {
    const now = performance.now();
    return [...this.#streams].flatMap(([stream, decodedAt]) => {
      const plan = planOf(stream);
      if (plan === undefined) return [];
      const { isWaiter, backlogMs } = stream;
      return [{ stream, plan, isWaiter, backlogMs, idleMs: now - decodedAt }];
    });
  }

  async #listen(stream: MoonshineStream): Promise<void> {
    try {
      const request = stream.nextVad();
      if (request === undefined) return;
      stream.heard(await this.#vad.listen(request));
    } catch (error) {
      stream.listenFailed(asEngineError(error));
    }
    this.#wake();
  }

  async #decode(thread: EngineThread, { stream, plan, isWaiter }: Candidate<MoonshineStream>): Promise<void> {
    const now = performance.now();
    this.#streams.set(stream, now);
    if (!isWaiter) this.#speakerAt = now;
    this.#decoding.set(stream, isWaiter);
    try {
      stream.decoded(await thread.decode(stream.begin(plan)));
    } catch (error) {
      stream.decodeFailed(asEngineError(error));
    }
    this.#decoding.delete(stream);
    if (isWaiter) {
      this.#waiterAt = performance.now();
      this.#waiterTookMs = this.#waiterAt - now;
    }
    this.#wake();
  }
}

/** A bug in one stream's thinking ends that stream; the others live on. */
function planOf(stream: MoonshineStream): DecodePlan | undefined {
  try {
    return stream.plan();
  } catch (error) {
    stream.fail(asEngineError(error));
    return undefined;
  }
}

/** Only asked of utterances that have words, so there was speech, however short. */
function endpointRule(utteranceMs: number, trailingSilenceMs: number): string | undefined {
  return findEndpoint(ENDPOINT_RULES, { speechMs: Math.max(1, utteranceMs), trailingSilenceMs, utteranceMs })
    ?.name;
}

function asEngineError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  return new EngineError('engine_internal', 'The recogniser failed on this stream.', { cause });
}
