/** An engine of local models: streams on one side, decoders on the other, and the loop that brings them together. */
import type { Decoder, Vocabulary, VoiceDetector } from '../decoder.js';
import { ENDPOINT_RULES, findEndpoint } from '../endpointing.js';
import type { EngineInfo, SpeechEngine, StreamOptions } from '../engine.js';
import { EngineError } from '../errors.js';
import type { DoubtRule } from './doubt.js';
import { type EngineClock, machineClock } from './engine-clock.js';
import { RECOGNITION_LIMITS } from './limits.js';
import { LocalStream } from './local-stream.js';
import { policyOf, type StreamPolicy } from './policy.js';
import type { DecodePlan } from './recogniser.js';
import { type Candidate, nextTurn, type WaitersShare } from './scheduler.js';

/** What an engine is made of. It belongs to the engine from then on: closing it closes these. */
export interface LocalEngineParts {
  /** Served name, such as `moonshine-base`. */
  readonly model: string;
  /** BCP 47. */
  readonly languages: readonly string[];
  readonly vocabulary: Vocabulary;
  /** All of one model; one at least. */
  readonly decoders: readonly Decoder[];
  readonly voice: VoiceDetector;
  /** When an utterance does not sound like these languages. Default never. */
  readonly doubt?: DoubtRule | undefined;
  /** Streams that may be open at once. */
  readonly streamsMax: number;
  /** How long words wait in streams that do not say it themselves, milliseconds. */
  readonly delayMs?: number | undefined;
  readonly policy?: Partial<StreamPolicy> | undefined;
  /** By which it is decided whose turn it is. Default: the machine's. */
  readonly clock?: EngineClock | undefined;
}

/** Behind a turn that speakers had to wait for, they have the decoders for so many times as long. */
const WAITERS_REST = 9;

export class LocalEngine implements SpeechEngine {
  readonly info: EngineInfo;
  readonly #parts: LocalEngineParts;
  readonly #clock: EngineClock;
  /** Open streams and when each was last decoded. */
  readonly #streams = new Map<LocalStream, number>();
  /** When a decode for a speaker last began, when one for the others ended, and how long that took. */
  #speakerAt = Number.NEGATIVE_INFINITY;
  #waiterAt = Number.NEGATIVE_INFINITY;
  #waiterTookMs = 0;
  /** Who is being decoded, and whether as one who waits: a file, or a stream that is ahead of real time. */
  readonly #decoding = new Map<LocalStream, boolean>();
  #scheduled = false;
  #closed = false;

  constructor(parts: LocalEngineParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? machineClock;
    this.info = {
      model: parts.model,
      languages: parts.languages,
      streamsMax: parts.streamsMax,
      sampleRateHz: 16_000,
    };
  }

  async open(options: StreamOptions & { readonly signal?: AbortSignal } = {}): Promise<LocalStream> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw new EngineError('engine_closed', 'The engine was closed.');
    if (this.#streams.size >= this.info.streamsMax) {
      throw new EngineError(
        'engine_busy',
        'Every place of the recogniser is taken; try again when a speaker has finished.',
      );
    }
    const stream = new LocalStream(
      {
        policy: policyOf(this.#parts.policy, options.delayMs ?? this.#parts.delayMs),
        vocabulary: this.#parts.vocabulary,
        mode: options.mode ?? 'live',
        partials: options.partials ?? false,
        onsets: options.onsets ?? false,
        endpoint: endpointRule,
        doubt: this.#parts.doubt,
        isBusy: () => this.#isBusy,
      },
      {
        clock: this.#clock,
        beginVoice: () => this.#parts.voice.begin(),
        hasSpeakers: () => this.#hasSpeakers,
        wake: () => this.#wake(),
        released: (gone) => {
          this.#streams.delete(gone);
          this.#wake();
        },
      },
    );
    this.#streams.set(stream, this.#clock.nowMs());
    return stream;
  }

  /** Two live speakers a core leave it time for long windows; more do not. */
  get #isBusy(): boolean {
    const speakers = [...this.#streams.keys()].filter(({ isWaiter }) => !isWaiter);
    return speakers.length > 2 * this.#parts.decoders.length;
  }

  /** Somebody speaks, or did so just now: the others leave a thread free, and are never long on it. */
  get #hasSpeakers(): boolean {
    return this.#clock.nowMs() - this.#speakerAt < RECOGNITION_LIMITS.speakerMsMin;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of [...this.#streams.keys()])
      stream.fail(new EngineError('engine_closed', 'The engine was closed.'));
    const { voice, decoders } = this.#parts;
    await Promise.all([voice, ...decoders].map((each) => each.close()));
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
    // even while no decoder is free.
    let candidates = this.#candidates();
    const { decoders } = this.#parts;
    const isOneLeft = decoders.some(({ isGivenUp }) => !isGivenUp);
    for (const decoder of decoders) {
      if (decoder.pending > 0 || (isOneLeft && decoder.isGivenUp)) continue;
      const next = nextTurn(candidates, this.#shareOf(candidates));
      if (next === undefined) return;
      void this.#decode(decoder, next);
      candidates = candidates.filter(({ stream }) => stream !== next.stream);
    }
  }

  /**
   * What those who wait may have. Threads may have less than a core each (a quota, other programs): then the free ones cost
   * a speaker as much as a turn, so nobody begins while one is late.
   */
  #shareOf(candidates: readonly Candidate<LocalStream>[]): WaitersShare {
    const threads = this.#parts.decoders.length;
    const most = this.#hasSpeakers ? Math.max(1, threads - 1) : threads;
    const speaking = [...this.#decoding].flatMap(([stream, isWaiter]) => (isWaiter ? [] : [stream]));
    const due = candidates.flatMap(({ stream, isWaiter }) => (isWaiter ? [] : [stream]));
    const isLate = [...speaking, ...due].some(({ backlogMs }) => backlogMs > RECOGNITION_LIMITS.lateMsMin);
    const waiting = this.#decoding.size - speaking.length;
    const restMs = Math.max(RECOGNITION_LIMITS.waiterMsMax, WAITERS_REST * this.#waiterTookMs);
    const isDue = waiting === 0 && this.#clock.nowMs() - this.#waiterAt >= restMs;
    return { isOpen: !isLate && waiting < most, isDue };
  }

  #candidates(): Candidate<LocalStream>[] {
    const now = this.#clock.nowMs();
    return [...this.#streams].flatMap(([stream, decodedAt]) => {
      const plan = planOf(stream);
      if (plan === undefined) return [];
      const { isWaiter, backlogMs } = stream;
      return [{ stream, plan, isWaiter, backlogMs, idleMs: now - decodedAt }];
    });
  }

  async #listen(stream: LocalStream): Promise<void> {
    try {
      const request = stream.nextVoice();
      if (request === undefined) return;
      stream.heard(await this.#parts.voice.listen(request));
    } catch (error) {
      stream.listenFailed(asEngineError(error));
    }
    this.#wake();
  }

  async #decode(decoder: Decoder, { stream, plan, isWaiter }: Candidate<LocalStream>): Promise<void> {
    const now = this.#clock.nowMs();
    this.#streams.set(stream, now);
    if (!isWaiter) this.#speakerAt = now;
    this.#decoding.set(stream, isWaiter);
    try {
      stream.decoded(await decoder.decode(stream.begin(plan)));
    } catch (error) {
      stream.decodeFailed(asEngineError(error));
    }
    this.#decoding.delete(stream);
    if (isWaiter) {
      this.#waiterAt = this.#clock.nowMs();
      this.#waiterTookMs = this.#waiterAt - now;
    }
    this.#wake();
  }
}

/** A bug in one stream's thinking ends that stream; the others live on. */
function planOf(stream: LocalStream): DecodePlan | undefined {
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
