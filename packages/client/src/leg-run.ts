import { encodeBase64 } from '@kikitori/audio';
import { type Clock, sleep, whenAborted } from '@kikitori/core';
import { encodeClientEvent, type TranscriptionDone } from '@kikitori/protocol';
import { Gate } from '@kikitori/transport';
import { ClientError, serverError } from './errors.js';
import type { SessionEvent } from './events.js';
import type { Leg, WireEvent } from './leg.js';
import {
  FRAME_SAMPLES,
  HANDOVER_MS_MAX,
  KEEP_BEHIND_MS,
  PAUSE_MS,
  PAUSE_SEARCH_MS,
  SILENT_CALLER_MS,
  TRIAL_WAIT_MS,
} from './limits.js';
import { type AudioRing, BYTES_PER_MS } from './replay/audio-ring.js';
import type { Ledger } from './replay/ledger.js';
import { pauseBehind } from './replay/quiet.js';
import { rest } from './rest.js';
import { Trial } from './trial.js';
import { TurnEnd } from './turn-end.js';
import type { TurnLimit } from './turn-limit.js';
import { type Step, Turns } from './turns.js';

/** What one connection works with: the session's own memory, and whom to tell. */
export interface LegRunParts {
  readonly leg: Leg;
  readonly ring: AudioRing;
  readonly ledger: Ledger;
  /** Ends that the caller asked for and that are not answered, positions in order. Answered ones are taken off. */
  readonly ends: number[];
  /** Where in the ring this connection begins. */
  readonly start: number;
  readonly clock: Clock;
  readonly finishTimeoutMs: number;
  /** Of the model behind the server. */
  readonly limit: TurnLimit;
  /** Longest life of a connection, in time and in audio. */
  readonly lifeMsMax: number | undefined;
  /** Opens the connection that is to take over. */
  readonly openNext: (signal: AbortSignal) => Promise<Leg>;
  /** Waits as long as the caller reads too slowly. */
  readonly tell: (events: readonly SessionEvent[]) => Promise<void>;
  /** Everything up to `endMs` is answered; the answer is the last of the events. */
  readonly onAnswer: (events: readonly SessionEvent[], endMs: number) => void;
  /** Something was sent, or what was kept has become less. */
  readonly onMove: () => void;
}

/** Sends over one connection what the session keeps, hears what comes back, and hands over when it gets old. */
export class LegRun {
  readonly turns: Turns;
  readonly startedAtMs: number;
  readonly #parts: LegRunParts;
  readonly #turnEnd: TurnEnd;
  readonly #trial: Trial;
  readonly #wake = new Gate();
  readonly #tasks: Promise<void>[] = [];
  #isWriting = false;
  #isOpeningNext = false;
  /** The server has said something on this connection that tells about audio. */
  #hasSign = false;
  /** What it said waits for a slow reader: it may be silent for that. */
  #isTelling = false;
  /** Since when no audio can be sent because there is none. */
  #silentSinceMs: number | undefined;
  #next: Leg | undefined;
  /** How old this connection was when the next one was found. */
  #nextAgeMs: number | undefined;

  constructor(parts: LegRunParts) {
    const { ring, ends, start, clock } = parts;
    this.#parts = parts;
    this.startedAtMs = clock.nowMs();
    whenAborted(parts.leg.over, () => this.wake());
    this.turns = new Turns(ring, ends, start, this.startedAtMs);
    this.#turnEnd = new TurnEnd({ ...parts, turns: this.turns });
    this.#trial = new Trial({
      ...parts,
      turns: this.turns,
      patience: () => this.#after(TRIAL_WAIT_MS),
      onOver: () => this.wake(),
    });
  }

  get leg(): Leg {
    return this.#parts.leg;
  }

  /** Audio goes out as it comes in. */
  get isFlowing(): boolean {
    const { state, position, caughtUpAt } = this.turns;
    return !this.leg.over.aborted && state !== 'ending' && position >= caughtUpAt;
  }

  /** What can be sent was taken by the connection. */
  get isSent(): boolean {
    return !this.#isWriting && this.#parts.ring.end - this.turns.position < FRAME_SAMPLES * 2;
  }

  /** There is more audio, or another end. */
  wake(): void {
    this.#wake.open();
  }

  /** Until the connection ends, or another takes over: that one, opened and greeted. Never rejects. */
  async run(): Promise<{ readonly next: Leg | undefined; readonly isPlanned: boolean }> {
    const { leg, lifeMsMax } = this.#parts;
    const reading = leg.read((event) => this.#hear(event));
    if (lifeMsMax !== undefined) {
      for (const ms of [lookAheadMs(lifeMsMax), lifeMsMax]) {
        this.#tasks.push(this.#after(ms).then(() => this.wake()));
      }
    }
    const isPlanned = await this.#pump();
    // Not awaited: a line that is dead takes its time to be closed, and the next one must not wait for that.
    this.#tasks.push(leg.close(), reading);
    return { next: this.#next, isPlanned };
  }

  /** Resolves when nothing of the connection is left. */
  async settled(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  /** Answers true when another connection takes over, false when this one has ended. */
  async #pump(): Promise<boolean> {
    const { leg, ring, clock } = this.#parts;
    while (!leg.over.aborted) {
      if (this.turns.position < ring.start) {
        leg.end(
          new ClientError('timeout', 'The connection is too slow: audio that waited had to be given up.'),
        );
      } else if (this.#isHandover()) {
        return true;
      } else {
        this.#turnEnd.look();
        // Some vLLM say nothing more after a minute without audio, and all keep memory for the turn.
        if (this.#silenceLeftMs(clock.nowMs()) === 0) this.turns.roll(this.turns.position);
        const waitMs = this.turns.waitMs(clock.nowMs());
        const step =
          waitMs > 0 || this.#trial.isHolding() ? undefined : this.turns.next(this.#turnEnd.bytesMax);
        if (step !== undefined) await this.#perform(step);
        else await this.#rest(waitMs);
      }
    }
    return false;
  }

  /** There is nothing to send for so long; 0: until there is. */
  async #rest(waitMs: number): Promise<void> {
    const { clock } = this.#parts;
    if (waitMs === 0) this.#silentSinceMs ??= clock.nowMs();
    const ms = waitMs > 0 ? waitMs : this.#silenceLeftMs(clock.nowMs());
    await rest(this.#wake, { clock, ms });
  }

  /** How much longer a caller may give no audio until the turn is ended; undefined: as long as he likes. */
  #silenceLeftMs(nowMs: number): number | undefined {
    const isBound = this.turns.state === 'open' && this.#parts.ledger.timing === 'counted';
    if (!isBound || this.turns.hasEnd || this.#silentSinceMs === undefined) return undefined;
    return Math.max(0, this.#silentSinceMs + SILENT_CALLER_MS - nowMs);
  }

  async #perform(step: Step): Promise<void> {
    const { leg, ring, ends, ledger, finishTimeoutMs, onAnswer, onMove } = this.#parts;
    if (step.type === 'final') this.#turnEnd.end();
    this.turns.take(step);
    this.#isWriting = true;
    this.#silentSinceMs = undefined;
    switch (step.type) {
      case 'commit':
        await leg.write(encodeClientEvent({ type: 'input_audio_buffer.commit', final: false }));
        break;
      case 'append': {
        const audio = encodeBase64(ring.slice(step.start, step.end));
        // Before the write: one that a dead line does not take must end too.
        if (this.#hasSign && !this.#isTelling) leg.expectSign((step.end - step.start) / BYTES_PER_MS);
        await leg.write(encodeClientEvent({ type: 'input_audio_buffer.append', audio }));
        break;
      }
      case 'final':
        await leg.write(encodeClientEvent({ type: 'input_audio_buffer.commit', final: true }));
        // A quick server has answered already.
        if (this.turns.state === 'ending') leg.expect(finishTimeoutMs + this.turns.turnMs);
        break;
      case 'answered': {
        const endMs = (ends.shift() ?? 0) / BYTES_PER_MS;
        onAnswer(ledger.finish(undefined, endMs, true), endMs);
        break;
      }
    }
    this.#isWriting = false;
    onMove();
  }

  async #hear(event: WireEvent): Promise<void> {
    const { leg, ring, ledger, tell } = this.#parts;
    switch (event.type) {
      case 'invalid':
        leg.end(
          new ClientError('protocol_error', 'The server sent something that is not an event.', {
            cause: event.error,
          }),
        );
        return;
      case 'error':
        leg.end(serverError(event));
        return;
      case 'session.created':
        return;
      case 'transcription.done':
        this.#answered(event);
        break;
      default: {
        const sent = { takenMs: ring.end / BYTES_PER_MS, sentMs: this.turns.position / BYTES_PER_MS };
        const told = tell(ledger.take(event, sent));
        this.#hasSign ||= event.type === 'kikitori.progress' || ledger.timing === 'counted';
        this.#letGo();
        this.wake();
        this.#isTelling = true;
        await told;
        this.#isTelling = false;
        return;
      }
    }
    this.#letGo();
    this.wake();
    await tell([]);
  }

  #answered(done: TranscriptionDone): void {
    const { leg, ends, ledger, onAnswer } = this.#parts;
    const { position, isRolling } = this.turns;
    if (this.#turnEnd.isCutShort(done)) {
      // What it queued meanwhile would be heard in the next turn: another connection begins where this one got to.
      leg.end(
        new ClientError('limit_reached', 'The model bears no longer utterance; the rest is sent again.'),
      );
      return;
    }
    const wasAsked = this.turns.state === 'ending';
    if (wasAsked) leg.relax();
    // Behind a cut words were left to the next turn, also where the caller has asked for an end just there meanwhile.
    const isOwn = isRolling || this.#turnEnd.isCut;
    const backMs = wasAsked && isOwn ? this.#turnEnd.backMs() : undefined;
    if (wasAsked && !isOwn) ends.shift();
    const endMs = position / BYTES_PER_MS;
    if (backMs === undefined) {
      this.turns.answered();
      onAnswer(ledger.finish(done, endMs, !isOwn), endMs);
    } else {
      this.turns.answered(backMs * BYTES_PER_MS);
      onAnswer(ledger.rollOver(done, endMs, backMs), endMs);
    }
  }

  /** Keeps what a replay would need, and what was not sent. */
  #letGo(): void {
    const { ring, ledger, onMove } = this.#parts;
    const neededMs = ledger.replaySpan().startMs - KEEP_BEHIND_MS;
    ring.trim(Math.min(Math.floor(neededMs) * BYTES_PER_MS, this.turns.position));
    onMove();
  }

  /** Whether the next connection takes over now; opens it ahead of that time. */
  #isHandover(): boolean {
    const { ring, ledger, lifeMsMax, clock } = this.#parts;
    if (lifeMsMax === undefined) return false;
    const { state, position, start } = this.turns;
    // Audio that is not settled goes to the next one too: only what is done counts, where that is known.
    const doneMs = ledger.settledMs ?? position / BYTES_PER_MS;
    const ageMs = Math.max(clock.nowMs() - this.startedAtMs, doneMs - start / BYTES_PER_MS);
    if (ageMs < lookAheadMs(lifeMsMax)) return false;
    if (!this.#isOpeningNext) this.#tasks.push(this.#openNext());
    this.#isOpeningNext = true;
    if (this.#next === undefined || state === 'ending') return false;
    this.#nextAgeMs ??= ageMs;
    if (state === 'idle') return true;
    if (ledger.isPositional) return ageMs >= lifeMsMax || ledger.isPause;
    // Without positions nothing can be sent twice: the utterance is ended, and the next one goes elsewhere. A long
    // pause is best; the less time is left, the shorter it may be.
    const leftMs = Math.max(lifeMsMax, this.#nextAgeMs + PAUSE_SEARCH_MS) - ageMs;
    const share = Math.max(0, leftMs / (leftMs + ageMs - this.#nextAgeMs));
    const at = pauseBehind(ring, position, PAUSE_MS * share);
    if (at !== undefined) this.turns.roll(at);
    return false;
  }

  async #openNext(): Promise<void> {
    const { leg, openNext } = this.#parts;
    try {
      const next = await openNext(leg.over);
      if (leg.over.aborted) next.destroy();
      else this.#next = next;
      this.wake();
    } catch {
      // Then this connection lives on until it is ended, and what follows is a loss like any other.
    }
  }

  /** Or as long as the connection lives. */
  async #after(ms: number): Promise<void> {
    const { clock, leg } = this.#parts;
    await sleep(clock, ms, { signal: leg.over }).catch(() => undefined);
  }
}

/** From when on the next connection is opened and a pause looked for. */
function lookAheadMs(lifeMsMax: number): number {
  return Math.max(lifeMsMax * 0.8, lifeMsMax - HANDOVER_MS_MAX);
}
