import { openSession, type Session } from '@kikitori/client';
import { type Clock, systemClock } from '@kikitori/core';
import {
  type EndpointRule,
  EngineError,
  type EngineInfo,
  type SpeechEngine,
  type SpeechStream,
  type StreamOptions,
  type VoiceDetector,
} from '@kikitori/engine';
import type { Connect } from '@kikitori/transport';
import { failureOf, lossCode } from './failures.js';
import { UPSTREAM_LIMITS } from './limits.js';
import { LoudnessEar } from './turns/loudness-ear.js';
import { TurnJudge } from './turns/turn-judge.js';
import { RELAY_ENDPOINT_RULES } from './turns/turn-rules.js';
import { VoiceEar } from './turns/voice-ear.js';
import { type UpstreamManner, UpstreamStream } from './upstream-stream.js';

/** Another Realtime server, and how to speak to it. */
export interface UpstreamEngineOptions {
  /** What it serves, as people are to be told. */
  readonly info: Omit<EngineInfo, 'sampleRateHz'>;
  /** Opens the way to it; asked once for each connection. */
  readonly connect: Connect;
  /** Where to, for a `connect` that has to be told. */
  readonly url?: string;
  readonly apiKey?: string;
  /** The model's name there. Default: the empty one, which servers take for their only model. */
  readonly model?: string;
  /** Tokens that one utterance may take there; before that another one is begun. Default: no bound. */
  readonly maxModelLen?: number;
  /** How long a session waits for a server that is away or loads. Default `UPSTREAM_LIMITS.waitMs`. */
  readonly waitMs?: number;
  /** Longest life of one connection, where something limits it. Default: none. */
  readonly sessionMsMax?: number;
  /** Tells speech from everything else; closed with the engine. Default: loudness does. */
  readonly voice?: VoiceDetector;
  /** Brings one as soon as the other server turns out to find no utterances: streams that are opened later have it. */
  readonly loadVoice?: () => Promise<VoiceDetector>;
  /** When an utterance ends, for a model that ends none by itself. Default `RELAY_ENDPOINT_RULES`. */
  readonly endpointRules?: readonly EndpointRule[];
  /** Told what ended a connection, in a word that is safe for logs. */
  readonly onLoss?: (code: string) => void;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: 0…1, as `Math.random`. */
  readonly random?: () => number;
}

/**
 * An engine whose words come from another server. Nothing is connected before a stream is opened, and then in the
 * background: a stream of a server that is away keeps its audio until it comes, for as long as it may wait.
 *
 * @throws RangeError for rules that cannot do their work
 */
export function createUpstreamEngine(options: UpstreamEngineOptions): SpeechEngine {
  return new UpstreamEngine(options);
}

class UpstreamEngine implements SpeechEngine {
  readonly info: EngineInfo;
  readonly #options: UpstreamEngineOptions;
  readonly #streams = new Set<UpstreamStream>();
  /** Sessions that are being closed: their slots are free. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #manner: UpstreamManner = { timing: undefined };
  #voice: VoiceDetector | undefined;
  #loadingVoice: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: UpstreamEngineOptions) {
    this.#options = options;
    this.#voice = options.voice;
    this.info = { ...options.info, sampleRateHz: 16_000 };
    this.#judge();
  }

  async open(options: StreamOptions & { readonly signal?: AbortSignal } = {}): Promise<SpeechStream> {
    options.signal?.throwIfAborted();
    if (this.#closing !== undefined) throw closedError();
    if (this.#streams.size >= this.info.streamsMax) {
      throw new EngineError('engine_busy', 'Every place of the model server is taken.');
    }
    const { clock = systemClock, onLoss } = this.#options;
    const { words = true, partials = false, onsets = false } = options;
    const rollsOver = this.#options.maxModelLen !== undefined;
    const stream: UpstreamStream = new UpstreamStream({
      session: this.#open(options),
      judge: words || !rollsOver ? this.#judge() : undefined,
      manner: this.#manner,
      words,
      partials,
      onsets: words && onsets,
      rollsOver,
      clock,
      onEnd: (closed) => this.#leave(stream, closed),
      onLoss: (error) => onLoss?.(lossCode(error)),
      onNoTurns: () => this.#wantVoice(),
    });
    this.#streams.add(stream);
    return stream;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const stream of [...this.#streams]) stream.fail(closedError());
    await Promise.all(this.#leaving);
    await this.#loadingVoice;
    await this.#voice?.close();
  }

  #wantVoice(): void {
    const { loadVoice } = this.#options;
    if (loadVoice === undefined || this.#voice !== undefined || this.#closing !== undefined) return;
    this.#loadingVoice ??= loadVoice().then(
      (voice) => {
        this.#voice = voice;
      },
      () => {
        // Whoever loads it says so; loudness has to do.
      },
    );
  }

  #judge(): TurnJudge {
    const { endpointRules = RELAY_ENDPOINT_RULES } = this.#options;
    const voice = this.#voice;
    return new TurnJudge(voice === undefined ? new LoudnessEar() : new VoiceEar(voice), endpointRules);
  }

  #open({ partials = false, onsets = false, delayMs }: StreamOptions): Session {
    const { connect, url, apiKey, model, maxModelLen, sessionMsMax, clock, random } = this.#options;
    const { waitMs = UPSTREAM_LIMITS.waitMs } = this.#options;
    try {
      return openSession({
        connect,
        words: true,
        partials,
        onsets,
        connectTimeoutMs: UPSTREAM_LIMITS.connectMs,
        finishTimeoutMs: UPSTREAM_LIMITS.answerMs,
        reconnect: { keepMs: UPSTREAM_LIMITS.keepMs, giveUpAfterMs: waitMs },
        waitMs,
        ...(url === undefined ? {} : { url }),
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(model === undefined ? {} : { model }),
        ...(delayMs === undefined ? {} : { delayMs }),
        ...(maxModelLen === undefined
          ? {}
          : { maxModelLen: Math.min(maxModelLen, UPSTREAM_LIMITS.turnTokensMax) }),
        ...(sessionMsMax === undefined ? {} : { sessionMsMax }),
        ...(clock === undefined ? {} : { clock }),
        ...(random === undefined ? {} : { random }),
      });
    } catch (error) {
      throw failureOf(error);
    }
  }

  #leave(stream: UpstreamStream, closed: Promise<void>): void {
    this.#streams.delete(stream);
    const left = closed.catch(() => undefined);
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
  }
}

function closedError(): EngineError {
  return new EngineError('engine_closed', 'The engine was closed.');
}
