import { randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@kikitori/core';
import type { EndpointRule } from '@kikitori/engine';
import { ERRORS, encodeClientEvent, encodeServerEvent } from '@kikitori/protocol';
import { type Connect, type Connection, type Message, TransportError } from '@kikitori/transport';
import { RELAY_LIMITS, type SessionLimits } from '../limits.js';
import { firstSilenceMs } from '../session/deadlines.js';
import { Intake } from '../session/intake.js';
import { Outbox } from '../session/outbox.js';
import type { HostedSession } from '../session-host.js';
import {
  CLIENT_GONE,
  endingOfOpening,
  endingOfUpstream,
  failureCode,
  type RelayEnding,
  SLOW_READER,
} from './relay-ending.js';
import { UtteranceCutter } from './utterance-cutter.js';
import { UtteranceWatch } from './utterance-watch.js';

/** What a relayed session needs. */
export interface RelaySessionOptions {
  /** The client; belongs to the session from here on. */
  readonly connection: Connection;
  /** Opens the way to the other server. */
  readonly connect: Connect;
  readonly url: string;
  /** When an utterance of a model ends that ends none by itself. */
  readonly rules: readonly EndpointRule[];
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The other server was not reached or was lost; with the seam's code. */
  readonly onUpstreamFailure: (code: string) => void;
}

const FINAL = encodeClientEvent({ type: 'input_audio_buffer.commit', final: true });

/**
 * Carries one session to another Realtime server and back: messages in order and untouched, but for a client that asked
 * for words of a model that finds no utterances (`UtteranceCutter`); back-pressure in both directions, the close code of
 * either end told to the other. When the session is ended from here, begun speech is
 * finished first with `commit` and `final` and its answer awaited: some ways to a model (SageMaker's) end what they
 * still have to say as soon as their input ends.
 */
export function startRelaySession(options: RelaySessionOptions): HostedSession {
  const session = new RelaySession(options);
  return {
    ended: session.run(),
    // Nothing here knows which audio was answered.
    backlogMs: 0,
    drain: (deadlineMs) => session.drain(deadlineMs),
    destroy: () => session.destroy(),
  };
}

class RelaySession {
  /** Ours, since the other server names the session in its own words. */
  readonly #id = `sess-${randomBytes(8).toString('hex')}`;
  readonly #options: RelaySessionOptions;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  readonly #watch = new UtteranceWatch();
  readonly #cutter: UtteranceCutter;
  readonly #opening = new AbortController();
  #upstream: Connection | undefined;
  #ending: RelayEnding | undefined;
  #isClientGone = false;
  #sent = 0;
  #received = 0;
  #failure: string | undefined;
  #cancelIdle: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;
  #cancelLongest: (() => void) | undefined;
  #cancelFlush: (() => void) | undefined;
  #onQuiet: (() => void) | undefined;
  /** The next message goes up when the model has answered. */
  #onReleased: (() => void) | undefined;
  #cancelHold: (() => void) | undefined;

  constructor(options: RelaySessionOptions) {
    const { connection, clock, limits } = options;
    this.#options = options;
    this.#intake = new Intake({
      messages: connection.messages,
      waitingMax: limits.inputMessagesMax,
      waitingLengthMax: limits.inputLengthMax,
      onEnd: () => this.#onClientGone(),
    });
    this.#outbox = new Outbox({
      connection,
      clock,
      waitingCharsMax: limits.outputCharsMax,
      stallMs: limits.outputStallMs,
      onStalled: () => this.#end(SLOW_READER),
      onLost: () => this.#onClientGone(),
    });
    this.#cutter = new UtteranceCutter({
      rules: options.rules,
      clock,
      progressIntervalMs: limits.progressIntervalMs,
      tell: (message) => this.#outbox.push(message),
    });
  }

  /** Runs the session to its end; once. Never rejects. */
  async run(): Promise<{ readonly durationMs: number }> {
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    const intake = this.#intake.run();
    this.#watchLength();
    this.#watchIdleness();
    const upstream = await this.#open();
    const up = upstream === undefined ? undefined : this.#pumpUp(upstream);
    if (upstream !== undefined) await this.#pumpDown(upstream);
    this.#cancelIdle?.();
    this.#cancelPause?.();
    this.#cancelLongest?.();
    await this.#closeClient(this.#ending ?? CLIENT_GONE);
    await Promise.all([intake, up]);
    this.#cancelFlush?.();
    const durationMs = clock.nowMs() - startedMs;
    this.#log(durationMs);
    return { durationMs };
  }

  drain(deadlineMs: number): void {
    const closeReason = 'The server is going down; connect again.';
    this.#end({ closeCode: 1012, closeReason, ...this.#finishing(deadlineMs) });
  }

  destroy(): void {
    this.#options.connection.destroy();
    this.#end(CLIENT_GONE);
    this.#outbox.end();
    this.#upstream?.destroy();
  }

  async #open(): Promise<Connection | undefined> {
    const { connect, url, clock } = this.#options;
    const { signal } = this.#opening;
    const late = new TransportError('connect_timeout', 'The model did not answer in time.');
    const cancel = clock.after(RELAY_LIMITS.connectMs, () => this.#opening.abort(late));
    try {
      const upstream = await connect({ url, signal });
      if (!signal.aborted) {
        this.#upstream = upstream;
        return upstream;
      }
      upstream.destroy();
      throw signal.reason;
    } catch (error) {
      if (this.#ending === undefined) this.#fail(error, endingOfOpening(error));
      return undefined;
    } finally {
      cancel();
    }
  }

  /** What the client says, one message after another, each once the other server took the one before. */
  async #pumpUp(upstream: Connection): Promise<void> {
    // Not before: it waits for what the other server says first.
    this.#watchIdleness(firstSilenceMs(this.#options.limits));
    try {
      for (;;) {
        const message = await this.#intake.next();
        if (message === undefined) return;
        this.#watchIdleness();
        await this.#released(upstream);
        for (const each of this.#cutter.fromClient(message)) {
          if (this.#ending !== undefined) return;
          this.#watch.onClient(each);
          await this.#sendUp(upstream, each);
          await this.#released(upstream);
        }
        if (this.#ending !== undefined) return;
        this.#sent += 1;
        this.#watchIdleness();
        this.#watchPause(upstream);
      }
    } catch {
      // The other direction tells why: what the other server said before it went is delivered first.
    }
  }

  get #isHeld(): boolean {
    return this.#cutter.isHolding || this.#cutter.isTrying;
  }

  /**
   * Waits for the answer to an utterance that was ended, or for a sign of what the other server is; whatever the client
   * says meanwhile waits in its socket.
   */
  async #released(upstream: Connection): Promise<void> {
    if (!this.#isHeld || this.#ending !== undefined) return;
    const released = new Promise<void>((resolve) => {
      this.#onReleased = resolve;
    });
    this.#watchHold(upstream);
    await released;
    this.#cancelHold?.();
    this.#onReleased = undefined;
  }

  #watchHold(upstream: Connection): void {
    const { clock } = this.#options;
    this.#cancelHold?.();
    if (this.#cutter.isTrying) {
      this.#cancelHold = clock.after(RELAY_LIMITS.trialMs, () => {
        this.#cutter.endTrial();
        this.#onReleased?.();
      });
      return;
    }
    this.#cancelHold = clock.after(RELAY_LIMITS.answerMs, () => {
      const error = new TransportError('keepalive_timeout', 'The model does not answer any more.');
      if (this.#ending === undefined) this.#fail(error, endingOfUpstream(error));
      upstream.destroy();
    });
  }

  async #sendUp(upstream: Connection, message: Message): Promise<void> {
    const cancel = this.#options.clock.after(RELAY_LIMITS.stallMs, () => {
      const error = new TransportError('keepalive_timeout', 'The model takes nothing any more.');
      if (this.#ending === undefined) this.#fail(error, endingOfUpstream(error));
      upstream.destroy();
    });
    try {
      await upstream.send(message);
    } finally {
      cancel();
    }
  }

  /** What the other server says, as fast as the client reads it; ends with the way to it. */
  async #pumpDown(upstream: Connection): Promise<void> {
    try {
      for await (const message of upstream.messages) {
        this.#watch.onServer(message);
        this.#received += 1;
        this.#cutter.fromServer(message);
        if (!this.#isHeld) this.#onReleased?.();
        else if (this.#onReleased !== undefined) this.#watchHold(upstream);
        if (this.#watch.isQuiet) this.#onQuiet?.();
        await this.#outbox.room();
      }
      if (this.#ending === undefined) this.#ending = endingOfUpstream(undefined);
    } catch (error) {
      if (this.#ending === undefined) this.#fail(error, endingOfUpstream(error));
    }
    this.#intake.drop();
    this.#onReleased?.();
    this.#onQuiet?.();
  }

  #onClientGone(): void {
    this.#isClientGone = true;
    this.#outbox.end();
    this.#end(CLIENT_GONE);
  }

  #fail(error: unknown, ending: RelayEnding): void {
    this.#failure = failureCode(error);
    this.#ending = ending;
    this.#options.onUpstreamFailure(this.#failure);
  }

  #endBecause(error: 'idle_timeout' | 'session_expired'): void {
    const { finishMs } = this.#options.limits;
    // Whoever was silent for so long is not in the middle of a word.
    const finishing = error === 'idle_timeout' ? { finishMs } : this.#finishing(finishMs);
    this.#end({ closeCode: 1000, closeReason: ERRORS[error].text, error, ...finishing });
  }

  /** To answer what was begun would cut the word that is being spoken: not where the client can send it again. */
  #finishing(finishMs: number): { readonly finishMs?: number } {
    if (!this.#cutter.canLeave) return { finishMs };
    this.#cutter.leave();
    return {};
  }

  /** Ends the session from this side; the first reason counts. */
  #end(ending: RelayEnding): void {
    if (this.#ending !== undefined) {
      // Somebody who is gone waits for no answer.
      if (this.#isClientGone) this.#onQuiet?.();
      return;
    }
    this.#ending = ending;
    this.#intake.drop();
    this.#onReleased?.();
    // Whoever does not read holds up neither the answer nor the end.
    const { clock, limits } = this.#options;
    const flushMs = (ending.finishMs ?? 0) + limits.closeFlushMs;
    this.#cancelFlush = clock.after(flushMs, () => this.#outbox.end());
    this.#opening.abort(new TransportError('closed', 'The session was ended.'));
    if (this.#upstream !== undefined) void this.#endUpstream(this.#upstream, ending);
  }

  /** Finishes what was begun and waits for its answer, within the bound; then ends the input of the other server. */
  async #endUpstream(upstream: Connection, { finishMs }: RelayEnding): Promise<void> {
    try {
      if (finishMs !== undefined) {
        this.#cutter.finish();
        if (!this.#watch.isQuiet) await this.#finish(upstream, finishMs);
      }
      await upstream.close();
    } catch {
      upstream.destroy();
    }
  }

  async #finish(upstream: Connection, finishMs: number): Promise<void> {
    const quiet = new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
    const cancel = this.#options.clock.after(finishMs, () => this.#onQuiet?.());
    if (this.#watch.isBegun) {
      this.#watch.onClient(FINAL);
      // Not awaited: a server that takes nothing any more is given up at the deadline.
      upstream.send(FINAL).catch(() => this.#onQuiet?.());
    }
    await quiet;
    cancel();
  }

  #watchPause(upstream: Connection): void {
    this.#cancelPause?.();
    this.#cancelPause = this.#options.clock.after(RELAY_LIMITS.pauseMs, () => {
      const message = this.#ending === undefined ? this.#cutter.pause() : undefined;
      if (message === undefined) return;
      this.#watch.onClient(message);
      // What goes wrong is told by the other direction.
      this.#sendUp(upstream, message).catch(() => undefined);
    });
  }

  #watchLength(): void {
    const { clock, limits } = this.#options;
    if (limits.sessionMsMax === 0) return;
    this.#cancelLongest = clock.after(limits.sessionMsMax, () => this.#endBecause('session_expired'));
  }

  #watchIdleness(silenceMs = this.#options.limits.idleTimeoutMs): void {
    this.#cancelIdle?.();
    if (silenceMs === 0 || this.#ending !== undefined) return;
    this.#cancelIdle = this.#options.clock.after(silenceMs, () => this.#endBecause('idle_timeout'));
  }

  /** What was said is delivered first, as far as the client reads it within a bound. */
  async #closeClient({ closeCode, closeReason, error }: RelayEnding): Promise<void> {
    const { clock, connection, limits } = this.#options;
    this.#intake.drop();
    if (error !== undefined) {
      this.#outbox.push(encodeServerEvent({ type: 'error', error: ERRORS[error].text, code: error }));
    }
    const cancel = clock.after(limits.closeFlushMs, () => this.#outbox.end());
    await this.#outbox.empty();
    cancel();
    this.#outbox.end();
    await connection.close(closeCode, closeReason).catch(() => connection.destroy());
  }

  #log(durationMs: number): void {
    this.#options.logger.info('Relayed session ended.', {
      session: this.#id,
      durationS: Math.round(durationMs) / 1000,
      sent: this.#sent,
      received: this.#received,
      closeCode: this.#ending?.closeCode,
      upstream: this.#failure,
    });
  }
}
