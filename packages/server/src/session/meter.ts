import type { Clock } from '@kikitori/core';
import type { Hypothesis } from '@kikitori/engine';
import type { ServerMetrics } from '../metrics.js';
import { LagSummary } from './lag-summary.js';
import type { Effect, Input } from './state.js';

const SAMPLES_PER_MS = 16;
const BYTES_PER_SAMPLE = 2;
/** Arrivals closer than this are one. */
const ARRIVAL_MS_MIN = 20;
/** Arrivals remembered: almost three minutes without any word. At the bound the oldest half is forgotten. */
const ARRIVALS_MAX = 8192;

const WORD_BEGINS = /\s\S/g;

/** Audio up to `audioMs` of the session's timeline was there at `atMs`. */
interface Arrival {
  audioMs: number;
  atMs: number;
}

/** What a session came to; nothing of what was said. */
export interface SessionSummary {
  readonly durationMs: number;
  readonly audioMs: number;
  readonly words: number;
  readonly utterances: number;
  /** undefined when no word was said. */
  readonly lagP95Ms: number | undefined;
}

/** What the lanes of a session came to together: the audio of all, and the slowest of their words. */
export function sumOf(lanes: readonly SessionSummary[]): SessionSummary {
  const sum = (of: (lane: SessionSummary) => number): number =>
    lanes.reduce((total, lane) => total + of(lane), 0);
  const lags = lanes.flatMap(({ lagP95Ms }) => lagP95Ms ?? []);
  return {
    durationMs: Math.max(...lanes.map(({ durationMs }) => durationMs)),
    audioMs: sum(({ audioMs }) => audioMs),
    words: sum(({ words }) => words),
    utterances: sum(({ utterances }) => utterances),
    lagP95Ms: lags.length === 0 ? undefined : Math.max(...lags),
  };
}

/** Watches one lane of a session from outside, and measures. */
export class SessionMeter {
  readonly #metrics: ServerMetrics | undefined;
  readonly #startedAtMs: number;
  readonly #lags = new LagSummary();
  #arrivals: Arrival[] = [];
  #receivedMs = 0;
  #writtenMs = 0;
  #originMs = 0;
  #settledMs = 0;
  #words = 0;
  #utterances = 0;
  /** When the running utterance got its first audio, and where that lies. */
  #begun: { readonly atMs: number; readonly audioMs: number } | undefined;
  #hasDelta = false;
  #flushedAtMs: number | undefined;

  constructor(clock: Clock, metrics: ServerMetrics | undefined) {
    this.#metrics = metrics;
    this.#startedAtMs = clock.nowMs();
  }

  /** Audio received whose words were not all sent, milliseconds. Audio between utterances does not count. */
  get backlogMs(): number {
    return this.#begun === undefined ? 0 : Math.max(0, this.#receivedMs - this.#settledMs);
  }

  /** One step of the session: what came in and what it led to. */
  observe(input: Input, effects: readonly Effect[], nowMs: number): void {
    if (input.type === 'append' && !effects.some(({ type }) => type === 'drop'))
      this.#received(input.pcm, nowMs);
    if (input.type === 'engine-lost') this.#endUtterance();
    // Before the effects: what a stream says counts from its own beginning, and they may open the next one.
    if (input.type === 'hypothesis') this.#heard(input.hypothesis, nowMs);
    for (const effect of effects) this.#effect(effect, nowMs);
  }

  /** To be asked once, at the end. */
  summary(nowMs: number): SessionSummary {
    return {
      durationMs: nowMs - this.#startedAtMs,
      audioMs: this.#receivedMs,
      words: this.#words,
      utterances: this.#utterances,
      lagP95Ms: this.#lags.quantile(0.95),
    };
  }

  #heard(hypothesis: Hypothesis, nowMs: number): void {
    if (hypothesis.type === 'words') {
      this.#words += hypothesis.words.length;
      this.#metrics?.words.inc({ source: 'realtime' }, hypothesis.words.length);
      for (const word of hypothesis.words) this.#lag(this.#originMs + word.endMs, nowMs);
    }
    if (hypothesis.type === 'text') this.#wrote(hypothesis.text, this.#originMs + hypothesis.endMs, nowMs);
    this.#settledMs = Math.max(this.#settledMs, this.#originMs + hypothesis.settledMs);
    this.#forget();
  }

  /** Words are what spaces part; writing without spaces is one. */
  #wrote(text: string, endMs: number, nowMs: number): void {
    const words = text.match(WORD_BEGINS)?.length ?? 0;
    if (words === 0) return;
    this.#words += words;
    this.#metrics?.words.inc({ source: 'realtime' }, words);
    this.#lag(endMs, nowMs);
  }

  #received(pcm: Uint8Array, nowMs: number): void {
    const addedMs = pcm.length / BYTES_PER_SAMPLE / SAMPLES_PER_MS;
    this.#receivedMs += addedMs;
    this.#metrics?.audioS.inc({ source: 'realtime' }, addedMs / 1000);
    const last = this.#arrivals.at(-1);
    // Joined arrivals count from the first of them: a lag is measured too long by that little, never too short.
    if (last !== undefined && nowMs - last.atMs < ARRIVAL_MS_MIN) last.audioMs = this.#receivedMs;
    else this.#arrivals.push({ audioMs: this.#receivedMs, atMs: nowMs });
    if (this.#arrivals.length > ARRIVALS_MAX) this.#arrivals = this.#arrivals.slice(ARRIVALS_MAX / 2);
  }

  #effect(effect: Effect, nowMs: number): void {
    switch (effect.type) {
      case 'open':
        this.#originMs = this.#writtenMs;
        break;
      case 'write':
        this.#begun ??= { atMs: nowMs, audioMs: this.#writtenMs };
        this.#writtenMs += effect.pcm.length / BYTES_PER_SAMPLE / SAMPLES_PER_MS;
        break;
      case 'flush':
        this.#flushedAtMs = nowMs;
        break;
      case 'send':
        if (effect.notice.type === 'delta') this.#delta(nowMs);
        else if (effect.notice.type === 'done') this.#done(nowMs);
        else if (effect.notice.type === 'fault') this.#metrics?.errors.inc({ code: effect.notice.fault });
        else if (effect.notice.type === 'invalid')
          this.#metrics?.errors.inc({ code: effect.notice.problem.code });
        break;
      default:
    }
  }

  #delta(nowMs: number): void {
    if (this.#hasDelta || this.#begun === undefined) return;
    this.#hasDelta = true;
    this.#metrics?.firstDeltaS.observe((nowMs - this.#begun.atMs) / 1000);
  }

  #done(nowMs: number): void {
    this.#utterances += 1;
    if (this.#flushedAtMs !== undefined) {
      this.#metrics?.finalS.observe((nowMs - this.#flushedAtMs) / 1000);
    }
    if (this.#begun !== undefined) {
      const audioMs = this.#writtenMs - this.#begun.audioMs;
      const factor = (nowMs - this.#begun.atMs) / audioMs;
      this.#metrics?.realTimeFactor.observe({ source: 'realtime' }, factor);
    }
    this.#endUtterance();
  }

  #endUtterance(): void {
    this.#begun = undefined;
    this.#hasDelta = false;
    this.#flushedAtMs = undefined;
    this.#settledMs = Math.max(this.#settledMs, this.#writtenMs);
  }

  #lag(endMs: number, nowMs: number): void {
    const arrival = this.#arrivals.find(({ audioMs }) => audioMs >= endMs - 1) ?? this.#arrivals.at(-1);
    if (arrival === undefined) return;
    const lagMs = nowMs - arrival.atMs;
    this.#lags.add(lagMs);
    this.#metrics?.wordLagS.observe(lagMs / 1000);
  }

  /** Arrivals that no word will ask for any more; one is kept for words that end where all is settled. */
  #forget(): void {
    const first = this.#arrivals.findIndex(({ audioMs }) => audioMs >= this.#settledMs);
    if (first > 0) this.#arrivals.splice(0, first);
  }
}
