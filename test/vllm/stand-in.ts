/**
 * vLLM's `/v1/realtime` with Voxtral Realtime behind it, exact as far as a client can see, without a model. `conformance.ts` holds it and
 * the real server to the same checks.
 *
 *     const vllm = new VllmStandIn({ age: '0.32', maxModelLen: 128 });
 *     void vllm.serve(connection);            // one session; over `createMemoryPair()`, in virtual time, …
 *     const served = await serveStandIn(vllm) // … or over real sockets, with HTTP beside it (`stand-in-host.ts`)
 *
 * It has no timers but those of its clock, and none at all unless `stepMs` is set or its engine dies.
 */
import { type Clock, systemClock } from '@kikitori/core';
import type { Connection } from '@kikitori/transport';
import type { Speaker } from './generation.js';
import { StandInSession } from './stand-in-session.js';

/**
 * What differs by age: `0.17.1` believes any model name, breaks on keys, goes deaf after a minute without audio; it and `0.31` die for everybody
 * at `max_model_len`; `0.32` ends the utterance there, and answers an empty one at once. `usage` has a fifth member from `0.31` on.
 */
export type VllmAge = '0.17.1' | '0.31' | '0.32';

/** How such a server is; nothing is needed. */
export interface StandInOptions {
  /** Default: `0.32`. */
  readonly age?: VllmAge;
  /** Tokens of an utterance, those of its prompt included. Default: 131,072. */
  readonly maxModelLen?: number;
  /** The model's delay, a multiple of 80. Default: 480. */
  readonly delayMs?: number;
  /** Names it is served under. Default: `voxtral-toy`. */
  readonly models?: readonly string[];
  /** `--api-key`. Default: none. Only `stand-in-host.ts` asks for it: a `Connection` is let in already. */
  readonly apiKeys?: readonly string[];
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** What a step takes, which stands for 80 ms of audio: above 80 it falls behind. Default: 0, no timers. */
  readonly stepMs?: number;
  /** Who decides the words of the next utterance. Default: a few fixed ones, with empty deltas in between. */
  readonly openSpeaker?: () => Speaker;
  /** Told what a correct client never does, though vLLM bears it. */
  readonly onFlaw?: (what: string) => void;
  /** Told when an utterance ends, or the engine dies, because `max_model_len` was reached. */
  readonly onLimit?: () => void;
}

/** The same, decided. */
export type StandInTraits = Required<StandInOptions>;

/** From the death of the engine to the end of the server: 0.1 to 4 s were met, since somebody looks every five. */
const AGONY_MS = 3_400;
const ENGINE_DEAD = 'EngineCore encountered an issue. See stack trace (above) for the root cause.';

/** One server: an engine, and the sessions that share it. */
export class VllmStandIn {
  readonly traits: StandInTraits;
  readonly #sessions = new Set<StandInSession>();
  #isEngineDead = false;
  #isGone = false;
  #whenGone: (() => void)[] = [];

  constructor(options: StandInOptions = {}) {
    this.traits = {
      age: '0.32',
      maxModelLen: 131_072,
      delayMs: 480,
      models: ['voxtral-toy'],
      apiKeys: [],
      clock: systemClock,
      stepMs: 0,
      openSpeaker: fewWords,
      onFlaw: () => undefined,
      onLimit: () => undefined,
      ...options,
    };
  }

  /** What `/health` tells: the engine lives. */
  get isHealthy(): boolean {
    return !this.#isEngineDead;
  }

  /** The process has ended: there is nobody to connect to. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** `vllm:num_requests_running`: utterances of which a step is being computed. */
  get running(): number {
    return [...this.#sessions].filter(({ load }) => load === 'running').length;
  }

  /** `vllm:num_requests_waiting`: utterances that wait for audio, which is no measure of load. */
  get waiting(): number {
    return [...this.#sessions].filter(({ load }) => load === 'waiting').length;
  }

  /** Converses until the connection or the server ends; never rejects. */
  async serve(connection: Connection): Promise<void> {
    if (this.#isGone) {
      connection.destroy();
      return;
    }
    const session = new StandInSession(connection, this.traits, {
      whyDead: () => (this.#isEngineDead ? ENGINE_DEAD : undefined),
      onLimit: () => this.#reachLimit(),
    });
    this.#sessions.add(session);
    try {
      await session.run();
    } finally {
      this.#sessions.delete(session);
    }
  }

  /** EngineCore is killed: utterances fail at once, everybody is closed with 1012 some seconds later, and the server is gone. */
  killEngine(): void {
    if (this.#isEngineDead) return;
    this.#isEngineDead = true;
    this.failUtterances(ENGINE_DEAD);
    this.traits.clock.after(AGONY_MS, () => void this.stop());
  }

  /** The running utterances fail, and nobody else: an exception in the engine, which mostly has no text. */
  failUtterances(text = ''): void {
    for (const session of this.#sessions) session.failUtterance(text);
  }

  /** SIGTERM, and the end of `killEngine`: every session is closed with 1012, and the server is gone. */
  async stop(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const tell of this.#whenGone) tell();
    await Promise.all([...this.#sessions].map((session) => session.close(1012)));
  }

  /** SIGKILL: connections break off. */
  kill(): void {
    this.#isGone = true;
    for (const tell of this.#whenGone) tell();
    for (const session of this.#sessions) session.destroy();
  }

  /** Calls once when the server is gone. */
  onGone(tell: () => void): void {
    this.#whenGone.push(tell);
  }

  #reachLimit(): void {
    this.traits.onLimit();
    if (this.traits.age !== '0.32') this.killEngine();
  }
}

/** Deltas of which most are empty, as with the real model. */
function fewWords(): Speaker {
  const words = [' One', '', ' word', 's', ' and', '', '', ' then', ' another', '.'];
  return {
    speak: ({ index }) => (index % 5 === 2 ? (words[Math.floor(index / 5) % words.length] ?? '') : ''),
  };
}
