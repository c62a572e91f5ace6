import { type Clock, systemClock } from '@kikitori/core';
import { SAMPLE_RATE_HZ } from '@kikitori/protocol';
import { BoundedQueue, Gate } from '@kikitori/transport';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import { AudioInlet } from './audio-inlet.js';
import type { Pcm } from './audio-intake.js';
import type { ConnectOptions } from './connect-options.js';
import { ClientError, fromConnectionEnd } from './errors.js';
import type { SessionEvent } from './events.js';
import type { Leg } from './leg.js';
import { LegRun } from './leg-run.js';
import {
  AHEAD_MS_MAX,
  APPEND_SAMPLES_MAX,
  EVENTS_HIGH_WATER,
  EVENTS_MAX,
  FINISH_TIMEOUT_MS,
  GIVE_UP_AFTER_MS,
  HELD_BYTES_MAX,
  KEEP_MS,
  KEEP_MS_MIN,
  PROVEN_MS,
} from './limits.js';
import { AudioRing, BYTES_PER_MS } from './replay/audio-ring.js';
import { Ledger, type Span } from './replay/ledger.js';
import { PaceMeter } from './replay/pace-meter.js';
import { quietestMs } from './replay/quiet.js';
import { verdictOf } from './replay/verdict.js';
import { rest } from './rest.js';
import { Seeker } from './seeker.js';
import type { Continuity, Held, Session } from './session.js';
import { type Transcript, TranscriptBuilder } from './transcript.js';
import type { TurnLimit } from './turn-limit.js';

const APPEND_BYTES_MAX = APPEND_SAMPLES_MAX * 2;

/** The session over one connection after the other. `run` must be called once, right after construction. */
export class RealtimeSession implements Session {
  /** False: the loss of a connection is the end of the session. */
  readonly #isLasting: boolean;
  readonly #finishTimeoutMs: number;
  readonly #lifeMsMax: number | undefined;
  readonly #clock: Clock;
  readonly #ring: AudioRing;
  readonly #ledger: Ledger;
  readonly #inlet: AudioInlet;
  readonly #limit: TurnLimit;
  readonly #seeker: Seeker;
  readonly #pace = new PaceMeter();
  readonly #builder = new TranscriptBuilder();
  readonly #events: BoundedQueue<SessionEvent>;
  readonly #ended = new AbortController();
  /** Fires when nobody may be waited for any more: the caller asked for the end. */
  readonly #hurry = new AbortController();
  /** Opened whenever something was taken, sent, answered, lost or found. */
  readonly #moved = new Gate();
  /** Ends that the caller asked for and that are not answered: positions in the ring, in order. */
  readonly #ends: number[] = [];
  readonly #gaps: Span[] = [];
  readonly #leftovers = new Set<Promise<void>>();
  #run: LegRun | undefined;
  #running: Promise<void> = Promise.resolve();
  #id = '';
  #sentBytes = 0;
  #lastEnd = 0;
  #answeredMs = 0;
  #provenMs = 0;
  #reconnects = 0;
  #handovers = 0;
  #isIterated = false;
  #didDropEvents = false;
  #failure: ClientError | undefined;
  #finishing: Promise<Transcript> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * `open`: one try to connect and to be greeted; it rejects with `ClientError`. `limit`: of the model behind the server.
   */
  constructor(options: ConnectOptions, open: (signal: AbortSignal) => Promise<Leg>, limit: TurnLimit) {
    const { words = false, partials = false, sampleRateHz = SAMPLE_RATE_HZ, reconnect = true } = options;
    const { clock = systemClock, random = Math.random, sessionMsMax } = options;
    const bounds = typeof reconnect === 'object' ? reconnect : {};
    const { keepMs = KEEP_MS, giveUpAfterMs = Math.max(GIVE_UP_AFTER_MS, options.waitMs ?? 0) } = bounds;
    if (!(keepMs >= KEEP_MS_MIN && giveUpAfterMs >= 0 && (sessionMsMax ?? 1) > 0)) {
      throw new ClientError(
        'invalid_argument',
        'keepMs must be at least 5000, giveUpAfterMs not negative, and sessionMsMax above 0.',
      );
    }
    this.#isLasting = reconnect !== false;
    this.#limit = limit;
    this.#finishTimeoutMs = options.finishTimeoutMs ?? FINISH_TIMEOUT_MS;
    this.#lifeMsMax = sessionMsMax;
    this.#clock = clock;
    this.#ring = new AudioRing(Math.floor(keepMs) * BYTES_PER_MS);
    this.#ledger = new Ledger({ words, partials });
    this.#events = new BoundedQueue<SessionEvent>({
      highWaterBytes: Number.POSITIVE_INFINITY,
      highWaterCount: EVENTS_HIGH_WATER,
      maxBytes: Number.POSITIVE_INFINITY,
      maxCount: EVENTS_MAX,
    });
    this.#inlet = new AudioInlet({
      sampleRateHz,
      ring: this.#ring,
      room: ({ signal }) => this.#room(signal),
      onAudio: (bytes) => {
        this.#pace.note(bytes / BYTES_PER_MS, clock.nowMs());
        this.#wake();
      },
    });
    this.#seeker = new Seeker({
      open,
      clock,
      random,
      giveUpAfterMs,
      isNeeded: () => !this.#isAnswered,
      change: () => rest(this.#moved, { clock }),
    });
  }

  get id(): string {
    return this.#id;
  }

  get transcript(): Transcript {
    return this.#builder.snapshot();
  }

  get continuity(): Continuity {
    const { count: rollovers } = this.#limit;
    return { reconnects: this.#reconnects, handovers: this.#handovers, rollovers, gaps: [...this.#gaps] };
  }

  get timing(): 'told' | 'counted' | undefined {
    return this.#ledger.timing;
  }

  get held(): Held {
    const { heldBytes: audioBytes } = this.#ring;
    return { audioBytes, waitingBytes: this.#inlet.waitingBytes, events: this.#events.count };
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Begins, over a connection that stands or by seeking one. Nothing rejects: what goes wrong ends the session. */
  run(first: Leg | undefined): void {
    this.#running = this.#live(first);
  }

  [Symbol.asyncIterator](): AsyncIterator<SessionEvent, undefined> {
    if (this.#isIterated) {
      throw new ClientError('already_read', 'The events are already being read; one loop reads them, once.');
    }
    if (this.#didDropEvents) {
      throw new ClientError('already_read', 'Too many events passed unread; begin the loop before sending.');
    }
    this.#isIterated = true;
    return this.#events[Symbol.asyncIterator]();
  }

  send(pcm: Pcm, options?: WaitOptions): Promise<void> {
    if (this.#finishing !== undefined) {
      return Promise.reject(new ClientError('closed', 'The session is being finished; send before that.'));
    }
    return this.#inlet.send(pcm, options);
  }

  async endUtterance({ signal }: WaitOptions = {}): Promise<void> {
    let end = 0;
    const taking = this.#inlet.end((position) => {
      end = position;
      if (end <= this.#lastEnd) return;
      this.#lastEnd = end;
      this.#ends.push(end);
      this.#wake();
    });
    await abortable(taking, signal);
    while (this.#ends.some((asked) => asked <= end)) {
      // Whoever ended the session, nothing more is answered.
      if (this.#ended.signal.aborted) throw this.#failure ?? this.#ended.signal.reason;
      await abortable(this.#moved.wait(), signal);
    }
  }

  finish(options?: WaitOptions): Promise<Transcript> {
    this.#finishing ??= this.#finish(options).catch((error: unknown) => {
      // Only the wait was given up: the session lives on and may be finished again.
      if (!this.#ended.signal.aborted) this.#finishing = undefined;
      throw error;
    });
    return this.#finishing;
  }

  close(): Promise<void> {
    this.#end(new ClientError('closed', 'The session was closed.'), () => {
      this.#events.end();
      return this.#run?.leg.close() ?? Promise.resolve();
    });
    return this.#closing ?? Promise.resolve();
  }

  destroy(reason?: Error): void {
    const error = new ClientError('closed', 'The session was destroyed.', { cause: reason });
    this.#end(error, () => {
      this.#events.destroy(reason ?? error);
      return Promise.resolve();
    });
    this.#run?.leg.destroy(reason ?? error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(options: WaitOptions | undefined): Promise<Transcript> {
    // A loop that waits for this very call cannot read on: from here on events are kept, not held back.
    this.#hurry.abort();
    await this.endUtterance(options);
    if (this.#failure !== undefined) throw this.#failure;
    await this.close();
    return this.transcript;
  }

  /** One connection after the other, until the session ends. */
  async #live(first: Leg | undefined): Promise<void> {
    const { signal } = this.#ended;
    try {
      let leg = first ?? (await this.#seeker.seek(undefined, signal));
      let takeover: 'first' | 'lost' | 'planned' = 'first';
      while (!signal.aborted) {
        const run = this.#begin(leg, takeover);
        const { next, isPlanned } = await run.run();
        this.#leave(run);
        if (signal.aborted) {
          next?.destroy();
          return;
        }
        takeover = isPlanned ? 'planned' : 'lost';
        const lost = run.leg.failure;
        if (!isPlanned && lost !== undefined) this.#mend(lost);
        leg = next ?? (await this.#seeker.seek(lost, signal));
      }
      leg.destroy();
    } catch (error) {
      this.#fail(fromConnectionEnd(error));
    } finally {
      await Promise.all(this.#leftovers);
    }
  }

  /** Throws what no other connection can mend; otherwise says that there is none for now. */
  #mend(lost: ClientError): void {
    if (!this.#isLasting || verdictOf(lost, this.#isAnswered) === 'never') throw lost;
    this.#say([{ type: 'disconnect', error: lost }]);
  }

  /** Decides from where on a connection gets the audio, and says what that means. */
  #begin(leg: Leg, takeover: 'first' | 'lost' | 'planned'): LegRun {
    const { startMs, endMs } = this.#ledger.replaySpan(takeover === 'planned');
    const sentMs = this.#sentBytes / BYTES_PER_MS;
    const missingMs = Math.round(this.#ledger.missingFromMs(sentMs));
    const fromMs = this.#ledger.align(quietestMs(this.#ring, startMs, endMs));
    const isGap = this.#ring.start > missingMs * BYTES_PER_MS && fromMs > missingMs;
    if (isGap) this.#ledger.skip(fromMs);
    this.#ledger.begin(fromMs, sentMs);
    this.#id = leg.id;
    if (takeover !== 'first') {
      const isPlanned = takeover === 'planned';
      if (isPlanned) this.#handovers += 1;
      else this.#reconnects += 1;
      this.#say([{ type: 'reconnect', isPlanned, fromMs }]);
    }
    if (isGap) {
      const gap = { startMs: missingMs, endMs: fromMs };
      this.#gaps.push(gap);
      this.#say([{ type: 'gap', ...gap }]);
    }
    this.#run = new LegRun({
      leg,
      ring: this.#ring,
      ledger: this.#ledger,
      ends: this.#ends,
      start: fromMs * BYTES_PER_MS,
      clock: this.#clock,
      finishTimeoutMs: this.#finishTimeoutMs,
      limit: this.#limit,
      lifeMsMax: this.#lifeMsMax,
      openNext: (signal) => this.#seeker.seek(undefined, signal),
      tell: (events) => this.#tell(events),
      onAnswer: (events, atMs) => this.#onAnswer(events, atMs),
      onMove: () => this.#moved.open(),
    });
    this.#moved.open();
    return this.#run;
  }

  #leave(run: LegRun): void {
    this.#sentBytes = Math.max(this.#sentBytes, run.turns.position);
    if (this.#clock.nowMs() - run.startedAtMs >= PROVEN_MS) this.#seeker.proved();
    const left = run.settled();
    this.#leftovers.add(left);
    void left.then(() => this.#leftovers.delete(left));
    this.#moved.open();
  }

  /** Nothing waits to be taken, sent or answered. */
  get #isAnswered(): boolean {
    const turns = this.#run?.turns;
    const isSent = (turns?.position ?? 0) >= this.#ring.end;
    return this.#inlet.isEmpty && this.#ends.length === 0 && isSent && (turns?.state ?? 'idle') === 'idle';
  }

  #wake(): void {
    this.#run?.wake();
    this.#moved.open();
  }

  /** See `AudioInletParts.room`. */
  async #room(signal: AbortSignal | undefined): Promise<void> {
    const ended = this.#ended.signal;
    for (;;) {
      if (ended.aborted) throw ended.reason;
      throwIfAborted(signal);
      const ms = this.#roomInMs();
      if (ms === 0) return;
      await abortable(rest(this.#moved, { clock: this.#clock, ms }), signal);
    }
  }

  /** 0: there is room. Otherwise when to look again, if nothing has moved before. */
  #roomInMs(): number {
    const { end, bytesMax } = this.#ring;
    const run = this.#run;
    const position = run?.turns.position ?? 0;
    if (run !== undefined && !run.leg.over.aborted && position >= run.turns.caughtUpAt) {
      const isHeld = run.turns.state === 'ending';
      if (isHeld ? end - position > HELD_BYTES_MAX : !run.isSent) return Number.POSITIVE_INFINITY;
    }
    const { settledMs } = this.#ledger;
    const neededFrom = settledMs === undefined ? position : settledMs * BYTES_PER_MS;
    if (end - neededFrom + APPEND_BYTES_MAX <= bytesMax) return 0;
    // Full. Who sends faster than people speak can wait; a microphone cannot, and the oldest audio goes.
    return Math.ceil(Math.max(0, this.#pace.aheadMs(this.#clock.nowMs()) - AHEAD_MS_MAX));
  }

  #onAnswer(events: readonly SessionEvent[], endMs: number): void {
    const isTold = events.at(-1)?.type === 'done';
    this.#say(events, endMs);
    if (isTold) {
      this.#answeredMs = endMs;
      this.#lastEnd = Math.max(this.#lastEnd, endMs * BYTES_PER_MS);
    }
    this.#wake();
    // Here and not after `finish` has woken up: what goes wrong from now on is no failure any more.
    if (this.#finishing !== undefined && this.#isAnswered) void this.close();
  }

  async #tell(events: readonly SessionEvent[]): Promise<void> {
    this.#say(events);
    // Aborted: the wait is over, or never begins, and that is all.
    if (this.#isIterated) await this.#events.room({ signal: this.#hurry.signal }).catch(() => undefined);
  }

  #say(events: readonly SessionEvent[], endMs = this.#answeredMs): void {
    if (this.#ended.signal.aborted) return;
    const span = { startMs: Math.round(this.#answeredMs), endMs: Math.round(endMs) };
    const settledMs = this.#ledger.settledMs ?? 0;
    const isNews = settledMs > this.#provenMs || events.some((event) => event.type === 'delta');
    this.#provenMs = Math.max(this.#provenMs, settledMs);
    if (isNews) this.#seeker.proved();
    for (const event of events) {
      this.#builder.add(event, span);
      if (!this.#didDropEvents && !this.#events.offer(event, 0) && !this.#events.isEnded) this.#dropEvents();
    }
  }

  /** Nobody reads, or the one who does waits for `finish` inside his loop: events are lost, the transcript is not. */
  #dropEvents(): void {
    this.#didDropEvents = true;
    this.#events.destroy(
      new ClientError(
        'already_read',
        'Too many events passed unread; read them faster, or use the transcript.',
      ),
    );
  }

  #fail(error: ClientError): void {
    this.#end(error, () => {
      this.#failure = error;
      this.#events.fail(error);
      return Promise.resolve();
    });
  }

  /** The one place where a session ends. */
  #end(error: ClientError, finishUp: () => Promise<void>): void {
    if (this.#ended.signal.aborted) return;
    this.#hurry.abort();
    this.#inlet.stop(error);
    this.#ended.abort(error);
    this.#closing = finishUp().then(() => this.#running);
    this.#ring.trim(this.#ring.end);
    this.#moved.open();
  }
}
