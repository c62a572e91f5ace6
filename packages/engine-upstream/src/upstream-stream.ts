import { float32ToInt16 } from '@kikitori/audio';
import type { Session, SessionEvent } from '@kikitori/client';
import type { Clock } from '@kikitori/core';
import { EngineError, type Hypothesis, HypothesisQueue, type SpeechStream } from '@kikitori/engine';
import { failureOf } from './failures.js';
import { UPSTREAM_LIMITS } from './limits.js';
import { SessionTeller } from './session-teller.js';
import type { Teller } from './teller.js';
import { TextTeller } from './text-teller.js';
import type { TurnJudge } from './turns/turn-judge.js';

const SAMPLES_PER_MS = 16;
/** At the very beginning it takes so long to tell speech from silence. */
const FIRST_LISTEN_MS = 1_000;
/** No word is longer. */
const WORD_MS_MAX = 2_000;
const FLUSH = 'flush';
/** What the end of an utterance is called that the other server found. */
const PAUSE = 'pause';
/** The caller brought no audio for long. */
const IDLE = 'idle';

/** How the other server is known to be: what one stream found out is good for the next one. */
export interface UpstreamManner {
  timing: Session['timing'];
}

/** What a stream needs. */
export interface UpstreamStreamOptions {
  /** Belongs to the stream from here on. */
  readonly session: Session;
  /** Finds the ends of utterances; without it the session runs on, and begins anew by itself in time. */
  readonly judge: TurnJudge | undefined;
  readonly manner: UpstreamManner;
  /** Words and utterances are wanted; else text as it is written. */
  readonly words: boolean;
  readonly partials: boolean;
  readonly onsets: boolean;
  /** The session begins anew by itself before an utterance of the other server gets too long. */
  readonly rollsOver: boolean;
  readonly clock: Clock;
  /** Told once: the slot is free. `closed` resolves when nothing of the session is left. */
  readonly onEnd: (closed: Promise<void>) => void;
  /** A connection was lost, with the error that ended it. */
  readonly onLoss: (error: Error) => void;
  /** The other server finds no ends of utterances. May be told again. */
  readonly onNoTurns: () => void;
}

/** An end of an utterance that was asked for and is not answered. */
interface AskedEnd {
  readonly atMs: number;
  readonly rule: string;
  /** Flushes that it answers. */
  readonly markers: number[];
  isConfirmed: boolean;
}

/**
 * One listener behind another server: a session of the client, whose connections come and go. Audio is given to it in order,
 * one thing after the other, and what it says is told as it comes.
 */
export class UpstreamStream implements SpeechStream {
  readonly #options: UpstreamStreamOptions;
  readonly #queue: HypothesisQueue;
  readonly #teller: Teller;
  #tail: Promise<void> = Promise.resolve();
  #sentSamples = 0;
  #endedSamples = 0;
  readonly #ends: AskedEnd[] = [];
  #flushesPending = 0;
  #isTrialOver = false;
  #onsetMs: number | undefined;
  #over: EngineError | undefined;
  #cancelPause: (() => void) | undefined;
  /** Called whenever something may have changed for whoever waits here. */
  #waiting: (() => void)[] = [];

  constructor(options: UpstreamStreamOptions) {
    this.#options = options;
    this.#queue = new HypothesisQueue(
      () => this.#wake(),
      () => void this.close(),
    );
    const { words, partials, onsets } = options;
    const tell = (hypothesis: Hypothesis): void => this.#queue.push(hypothesis);
    this.#teller = words ? new SessionTeller({ partials, onsets, tell }) : new TextTeller(tell);
    void this.#read();
  }

  get hypotheses(): AsyncIterable<Hypothesis> {
    return this.#queue;
  }

  async write(samples: Float32Array): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    if (samples.length > 0) {
      this.#cancelPause?.();
      await this.#enqueue(this.#giving(samples));
    }
    while (this.#over === undefined && this.#isFull) await this.#change();
    if (this.#over !== undefined) throw this.#over;
  }

  flush(marker: number): void {
    if (this.#over !== undefined) return;
    if (this.#flushesPending >= UPSTREAM_LIMITS.flushesPendingMax) {
      this.fail(new EngineError('engine_internal', 'Too many flushes wait for their answer.'));
      return;
    }
    this.#flushesPending += 1;
    void this.#enqueue(() => this.#flush(marker));
  }

  async close(): Promise<void> {
    this.#end(new EngineError('engine_closed', 'The stream was closed.'), () => this.#queue.end());
  }

  /** Ends the stream with an error that its reader sees; what was said before stays readable. */
  fail(error: EngineError): void {
    this.#end(error, () => this.#queue.fail(error));
  }

  #end(error: EngineError, tell: () => void): void {
    if (this.#over !== undefined) {
      // A reader that leaves after a failure wants nothing more of what was said before.
      if (error.code === 'engine_closed') this.#queue.end();
      return;
    }
    this.#over = error;
    this.#cancelPause?.();
    tell();
    this.#options.onEnd(this.#options.session.close());
    this.#wake();
  }

  /** One thing after the other; what goes wrong ends the stream. Never rejects. */
  #enqueue(run: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      if (this.#over !== undefined) return;
      try {
        await run();
      } catch (error) {
        this.#lose(error);
      }
    });
    return this.#tail;
  }

  #lose(error: unknown): void {
    if (this.#over === undefined) this.fail(failureOf(error));
  }

  get #timing(): Session['timing'] {
    return this.#options.session.timing ?? this.#options.manner.timing;
  }

  get #sentMs(): number {
    return this.#sentSamples / SAMPLES_PER_MS;
  }

  /** Too much is under way, where that is known, or nobody reads what is said. */
  get #isFull(): boolean {
    const unsettledMs = this.#sentMs - this.#teller.settledMs;
    const isBehind =
      this.#options.session.timing !== undefined && unsettledMs > UPSTREAM_LIMITS.unsettledMsMax;
    return isBehind || this.#isUnread;
  }

  get #isUnread(): boolean {
    return this.#queue.size >= UPSTREAM_LIMITS.hypothesesUnreadMax;
  }

  /** What gives a copy of the audio to the session. */
  #giving(samples: Float32Array): () => Promise<void> {
    const { judge } = this.#options;
    if (judge === undefined) {
      // At once what goes over the wire.
      const audio = float32ToInt16(samples);
      return () => this.#send(audio);
    }
    const audio = samples.slice();
    return () => this.#give(audio, judge);
  }

  async #give(audio: Float32Array, judge: TurnJudge): Promise<void> {
    if (this.#timing === 'told') {
      await this.#send(judge.finish());
      judge.skip(audio.length);
      await this.#send(audio);
      return;
    }
    for await (const { samples, rule, isInWord } of judge.judge(audio)) {
      await this.#send(samples);
      this.#noteOnset(judge.onsetMs);
      if (rule === undefined || !(await this.#endsTurns())) continue;
      // The client ends such a one elsewhere, with what comes before once more, so that no word is cut.
      if (isInWord && this.#options.rollsOver && this.#timing === 'counted') this.#teller.cut(rule);
      else this.#endTurn(rule);
    }
    this.#watchPause();
  }

  /** Once for each utterance of the judge. */
  #noteOnset(startMs: number | undefined): void {
    if (startMs === this.#onsetMs) return;
    this.#onsetMs = startMs;
    if (startMs !== undefined) this.#teller.begins(startMs);
  }

  async #send(samples: Float32Array | Int16Array): Promise<void> {
    if (samples.length === 0 || this.#over !== undefined) return;
    // Before it is sent: a quick server answers before that has resolved.
    this.#sentSamples += samples.length;
    await this.#options.session.send(samples);
  }

  /** Whether ends of utterances are ours to find. The first one waits until the other server has shown what it is. */
  async #endsTurns(): Promise<boolean> {
    if (this.#timing === undefined && !this.#isTrialOver) {
      const cancel = this.#options.clock.after(UPSTREAM_LIMITS.trialMs, () => {
        this.#isTrialOver = true;
        this.#wake();
      });
      while (this.#timing === undefined && !this.#isTrialOver && this.#over === undefined) {
        await this.#change();
      }
      cancel();
    }
    if (this.#timing === 'told') return false;
    this.#options.onNoTurns();
    return true;
  }

  async #flush(marker: number): Promise<void> {
    this.#cancelPause?.();
    const { judge } = this.#options;
    if (judge !== undefined) await this.#send(judge.finish());
    if (this.#sentSamples > this.#endedSamples) {
      this.#endTurn(FLUSH, marker);
      return;
    }
    const last = this.#ends.at(-1);
    if (last === undefined) this.#tellFlushed(marker);
    else last.markers.push(marker);
  }

  #endTurn(rule: string, ...markers: number[]): void {
    if (this.#sentSamples === this.#endedSamples) return;
    this.#endedSamples = this.#sentSamples;
    const end: AskedEnd = { atMs: this.#sentMs, rule, markers, isConfirmed: false };
    this.#ends.push(end);
    this.#options.session.endUtterance().then(
      () => this.#confirm(end),
      (error: unknown) => this.#lose(error),
    );
  }

  /** Mostly its `done` has said so already; an end that had nothing in front of it is told none. */
  #confirm(end: AskedEnd): void {
    end.isConfirmed = true;
    // What was said before is on its way to the reader.
    setImmediate(() => this.#answerConfirmed());
  }

  #answerConfirmed(): void {
    if (this.#options.session.held.events > 0) return;
    while (this.#ends[0]?.isConfirmed === true) this.#answer();
  }

  #answer(): void {
    const end = this.#ends.shift();
    if (end === undefined || this.#over !== undefined) return;
    this.#teller.answered(end.atMs, end.rule);
    for (const marker of end.markers) this.#tellFlushed(marker);
    this.#wake();
  }

  #tellFlushed(marker: number): void {
    this.#flushesPending -= 1;
    this.#teller.flushed(marker);
  }

  /** Nobody brings audio: the utterance is ended, and goes on with what comes next. */
  #watchPause(): void {
    this.#cancelPause?.();
    const { judge, clock } = this.#options;
    const isOpen = this.#sentSamples > this.#endedSamples && this.#timing !== 'told';
    if (judge === undefined || this.#over !== undefined || !isOpen) return;
    this.#cancelPause = clock.after(UPSTREAM_LIMITS.pauseMs, () => {
      void this.#enqueue(async () => {
        // In the middle of a word the client begins anew, which knows how to do that without losing it.
        if (this.#timing === 'told' || !judge.isQuiet) return;
        judge.restart();
        this.#endTurn(IDLE);
      });
    });
  }

  async #read(): Promise<void> {
    const { session } = this.#options;
    try {
      for await (const event of session) {
        if (this.#over !== undefined) return;
        this.#hear(event);
        while (this.#isUnread && this.#over === undefined) await this.#change();
      }
      this.#lose(new EngineError('engine_internal', 'The session ended without being closed.'));
    } catch (error) {
      this.#lose(error);
    }
  }

  #hear(event: SessionEvent): void {
    const { session, judge, manner, onLoss } = this.#options;
    manner.timing = session.timing ?? manner.timing;
    if (session.timing === 'counted' && judge !== undefined) this.#options.onNoTurns();
    if (event.type === 'disconnect') onLoss(event.error);
    const settledMsMax = event.type === 'progress' ? this.#heldBackMs(event.settledMs) : 0;
    this.#teller.hear(event, {
      sentMs: this.#sentMs,
      settledMsMax,
      rule: this.#ends[0]?.rule ?? PAUSE,
    });
    if (event.type === 'done') this.#answer();
    this.#answerConfirmed();
    this.#wake();
  }

  /**
   * Somebody has begun to speak and no word has come of it: whoever sends again from what is settled must not begin in
   * the middle of the first one. A server that tells places itself knows that.
   */
  #heldBackMs(settledMs: number): number {
    const { judge } = this.#options;
    // Who wants text alone sends nothing again.
    if (judge === undefined) return settledMs;
    const atStart = this.#sentMs < FIRST_LISTEN_MS ? 0 : undefined;
    const beganMs = judge.stretchStartMs ?? atStart;
    if (this.#timing === 'told' || beganMs === undefined || this.#teller.wordEndMs > beganMs) {
      return settledMs;
    }
    return Math.max(beganMs, settledMs - WORD_MS_MAX);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
