import { timerMs } from '@kikitori/core';
import type { TransportError } from '@kikitori/transport';
import {
  CLOSE_CODE_ABSENT,
  type CloseInfo,
  decodeClosePayload,
  encodeRefusal,
  encodeUpgradeAnswer,
  type HandshakeRefusal,
  OPCODE,
  type Opcode,
} from '@kikitori/transport/frames';
import type { BridgeLimits } from '../limits.js';
import type { Slab } from '../wire/slab.js';
import type { Wire } from '../wire/wire.js';
import { Direction, type DirectionOwner } from './direction.js';
import {
  breachClose,
  CUT_SIDES,
  ENDINGS,
  type Ending,
  errorEvent,
  refusalClose,
  UNAVAILABLE,
} from './endings.js';
import { echoOf, Line } from './line.js';
import { isAlive } from './liveness.js';
import { type Reached, reachUpstream, type UpstreamRequest } from './reach.js';
import type { EndReason, SessionRecord } from './record.js';
import { refusalHeaders } from './request-headers.js';
import { TailWatch } from './tail-watch.js';

/** What a session is made of. */
export interface SessionOptions {
  readonly id: string;
  /** For the record. */
  readonly path: string;
  readonly limits: BridgeLimits;
  readonly slab: Slab;
  /** Binary messages stay binary. */
  readonly isBinary: boolean;
  readonly upstream: UpstreamRequest;
  /** `Sec-WebSocket-Key` of the client. */
  readonly key: string;
  readonly isUpstreamReady: () => Promise<boolean>;
  /** Whether a model server that is not up is being started. */
  readonly isModelLoading: () => boolean;
  /** Called once, when both lines are gone. */
  readonly onOver: (session: Session, record: SessionRecord) => void;
}

/**
 * - `reaching`: the upstream is being reached; `#isAccepted` says whether the client has its WebSocket already
 * - `open`: frames pass both ways
 * - `tail`: the client has closed, the transcript goes on to it; the upstream does not know yet
 * - `closing`: goodbyes are being said, bounded by a timer
 * - `over`: both lines are gone
 */
type Phase = 'reaching' | 'open' | 'tail' | 'closing' | 'over';

/**
 * One client and its model server, from the upgrade request to the last goodbye. Who ends it and what the other side is
 * told: docs/bridge.md and `endings.ts`.
 */
export class Session implements DirectionOwner {
  readonly #options: SessionOptions;
  readonly #clientWire: Wire;
  readonly #client: Line;
  readonly #upstream: Line;
  readonly #watch = new TailWatch();
  readonly #fromClient: Direction;
  readonly #fromUpstream: Direction;
  readonly #startedMs = performance.now();
  #reaching: AbortController | undefined = new AbortController();
  #phase: Phase = 'reaching';
  #isAccepted = false;
  /** The client has closed or ended its line; what it still has coming goes to it. */
  #isLeft = false;
  #isClientEnded = false;
  #reason: EndReason | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tailUntilMs = 0;
  #tailMessages = 0;
  /** What the upstream is to be told of the client's leaving. */
  #goodbye: CloseInfo = { code: CLOSE_CODE_ABSENT, reason: '' };
  #refusedStatus: number | undefined;
  #upstreamOpenMs: number | undefined;
  #firstMessageMs: number | undefined;

  constructor(client: Wire, options: SessionOptions) {
    const { limits, slab, isBinary } = options;
    this.#options = options;
    this.#clientWire = client;
    this.#client = new Line('client', limits);
    this.#upstream = new Line('upstream', limits);
    const shared = {
      slab,
      watch: this.#watch,
      owner: this,
      messageBytesMax: limits.messageBytesMax,
      isBinary,
    };
    this.#fromClient = new Direction({ ...shared, from: this.#client, to: this.#upstream });
    this.#fromUpstream = new Direction({ ...shared, from: this.#upstream, to: this.#client });
  }

  /** Bytes that wait for either peer to take them. */
  get waitingBytes(): number {
    return this.#client.waitingBytes + this.#upstream.waitingBytes;
  }

  /** Begins: `head` are bytes that came behind the upgrade request. */
  start(head: Buffer): void {
    const { limits, upstream, isUpstreamReady } = this.#options;
    const signal = this.#reaching?.signal;
    if (signal === undefined) return;
    this.#clientWire.listener = this.#fromClient;
    // A client that offered subprotocols has to be told the upstream's choice, so its answer is waited for.
    if (upstream.protocols.length === 0) this.#arm(limits.acceptWithinMs, () => this.#accept(undefined));
    reachUpstream(upstream, { limits, isUpstreamReady, signal }).then(
      (reached) => this.#onReached(reached),
      // Given up by us, and ended by whoever did.
      () => undefined,
    );
    if (head.length > 0) this.#fromClient.onBytes(head, head.length);
    if (!this.#client.isPaused) this.#clientWire.resume();
  }

  /** Time passes: notices peers that are gone without a word or take nothing. */
  tick(tickMs: number): void {
    const { stallMs, clientSilenceMsMax, untriedSilenceMsMax, upstreamSilenceMsMax } = this.#options.limits;
    const clientSilence = { silenceMsMax: clientSilenceMsMax, untriedMsMax: untriedSilenceMsMax };
    const upstreamSilence = { silenceMsMax: upstreamSilenceMsMax };
    if (this.#phase === 'closing' || this.#phase === 'over' || !this.#isAccepted) return;
    if (this.#client.tickStall(tickMs) >= stallMs) this.#end('client_stalled');
    else if (this.#upstream.tickStall(tickMs) >= stallMs) this.#end('upstream_stalled');
    // Who has closed sends nothing any more, not even an answer to a ping.
    else if (!this.#isLeft && !isAlive(this.#client, tickMs, clientSilence)) this.#end('client_silent');
    else if (this.#upstream.wire !== undefined && !isAlive(this.#upstream, tickMs, upstreamSilence)) {
      this.#end('upstream_silent');
    }
  }

  /** The bridge stops: both sides are told so. */
  drain(): void {
    if (this.#isAccepted) this.#end('drained');
    else this.#refuse('drained', { status: 503, body: 'The bridge is stopping; try again.' });
  }

  /** Ends both lines now. Idempotent. */
  destroy(): void {
    if (this.#phase === 'over') return;
    this.#reason ??= 'drained';
    this.#phase = 'closing';
    this.#giveUpReaching();
    this.#cutBoth();
  }

  // What the directions tell.

  onFirstMessage(): void {
    this.#firstMessageMs ??= performance.now() - this.#startedMs;
  }

  onDone(): void {
    if (this.#phase === 'tail' && this.#watch.tail === 'nothing') this.#passGoodbye();
  }

  onControl(from: Line, opcode: Opcode, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) from.sendPong(payload);
    if (opcode === OPCODE.pong) from.hasAnswered = true;
    if (opcode !== OPCODE.close) return;
    const info = decodeClosePayload(payload);
    from.closeReceived = info;
    if (from === this.#upstream) this.#onUpstreamClose(info);
    else if (this.#client.closeSent === undefined) this.#leave('client_closed', echoOf(info));
    else this.#clientWire.end();
  }

  onBreach(from: Line, error: TransportError): void {
    const [reason, key] =
      from === this.#client
        ? (['client_breach', 'toClient'] as const)
        : (['upstream_breach', 'toUpstream'] as const);
    if (this.#phase === 'closing') this.#cutBoth();
    else if (this.#isAccepted) {
      this.#end(reason, { ...ENDINGS[reason], [key]: breachClose(error) });
      // Its answer would not be understood.
      from.wire?.end();
    } else this.#refuse(reason, { status: 400, body: 'Frames were sent before the WebSocket was open.' });
  }

  onDrain(from: Line): void {
    from.flushPending();
    const isFree = !this.#client.isFull && !this.#upstream.isFull;
    if (isFree && this.#client.isPaused) this.#resume(this.#client, this.#clientWire);
    if (isFree && this.#upstream.isPaused) this.#resume(this.#upstream, this.#upstream.wire);
  }

  onEnd(from: Line): void {
    if (from === this.#upstream) {
      // Orderly or not, it says no more: `onGone` goes on.
      this.#upstream.wire?.destroy();
      return;
    }
    this.#isClientEnded = true;
    if (!this.#isAccepted || this.#client.closeSent !== undefined) this.#clientWire.end();
    if (this.#client.closeReceived === undefined) this.#leave('client_lost', goodbyeFor('client_lost'));
  }

  onGone(from: Line): void {
    if (from === this.#client) this.#onClientGone();
    else if (this.#upstream.closeReceived === undefined) this.#onUpstreamGone();
    this.#settle();
  }

  // Opening.

  #onReached(reached: Reached): void {
    this.#reaching = undefined;
    if (this.#phase !== 'reaching') {
      if (reached.kind === 'open') reached.wire.destroy();
      this.#settle();
    } else if (reached.kind === 'open') {
      this.#open(reached);
    } else if (reached.kind === 'unavailable') {
      const { close, body } = UNAVAILABLE[this.#options.isModelLoading() ? 'loading' : 'absent'];
      this.#refuseOrTell('upstream_unavailable', close, {
        status: 503,
        headers: { 'Retry-After': '5' },
        body,
      });
    } else {
      const { status, headers, body } = reached;
      this.#refuseOrTell('upstream_refused', refusalClose(status), {
        status,
        headers: refusalHeaders(headers),
        body,
      });
    }
  }

  #open({ wire, rest, protocol }: Extract<Reached, { kind: 'open' }>): void {
    this.#upstreamOpenMs = performance.now() - this.#startedMs;
    this.#phase = 'open';
    if (!this.#isAccepted) this.#accept(protocol);
    wire.listener = this.#fromUpstream;
    this.#upstream.attach(wire);
    if (rest.length > 0) this.#fromUpstream.onBytes(rest, rest.length);
    if (wire.isClosed) this.onGone(this.#upstream);
    else if (!this.#upstream.isPaused) wire.resume();
    if (this.#client.isPaused && !this.#upstream.isFull) this.#resume(this.#client, this.#clientWire);
    if (this.#isLeft && this.#phase === 'open') this.#beginTail();
  }

  #accept(protocol: string | undefined): void {
    this.#disarm();
    this.#isAccepted = true;
    this.#clientWire.write(encodeUpgradeAnswer(this.#options.key, { protocol }));
    this.#client.attach(this.#clientWire);
  }

  /** A client that has its WebSocket already hears an error event and a close code instead of a status. */
  #refuseOrTell(reason: EndReason, close: CloseInfo | undefined, refusal: HandshakeRefusal): void {
    if (!this.#isAccepted) {
      this.#refuse(reason, refusal);
      return;
    }
    this.#client.sendText(errorEvent(reason, close));
    this.#end(reason, { toClient: close, toUpstream: undefined });
  }

  #refuse(reason: EndReason, refusal: HandshakeRefusal): void {
    if (this.#phase === 'closing') return;
    this.#reason ??= reason;
    this.#refusedStatus = refusal.status;
    this.#phase = 'closing';
    this.#giveUpReaching();
    this.#clientWire.write(encodeRefusal(refusal));
    this.#clientWire.end();
    // What it sends meanwhile is read: a line with unread bytes would be reset, and the answer lost.
    if (this.#client.isPaused) this.#resume(this.#client, this.#clientWire);
    this.#arm(this.#options.limits.refusalTimeoutMs, () => this.#cutBoth());
  }

  // Ending.

  /** The client will send no more. It hears what it still has coming, then the upstream is told. */
  #leave(reason: EndReason, goodbye: CloseInfo): void {
    if (this.#isLeft || this.#phase === 'closing' || this.#phase === 'over') return;
    this.#isLeft = true;
    this.#reason ??= reason;
    this.#goodbye = goodbye;
    if (this.#phase === 'open') this.#beginTail();
    // What it said while the model server was not up is still worth an answer.
    else if (this.#fromClient.messages === 0 || !this.#isAccepted) this.#end(reason);
  }

  #beginTail(): void {
    if (this.#watch.tail === 'nothing') {
      this.#passGoodbye();
      return;
    }
    const { tailMs, tailQuietMs } = this.#options.limits;
    this.#phase = 'tail';
    this.#tailUntilMs = performance.now() + tailMs;
    this.#tailMessages = this.#fromUpstream.messages;
    this.#arm(tailQuietMs, () => this.#onTailQuiet());
  }

  #onTailQuiet(): void {
    const { tail } = this.#watch;
    const { messages } = this.#fromUpstream;
    const isQuiet = messages === this.#tailMessages;
    const isLate = performance.now() >= this.#tailUntilMs;
    if (isLate || tail === 'nothing' || (tail === 'words' && isQuiet)) {
      this.#passGoodbye();
      return;
    }
    this.#tailMessages = messages;
    this.#arm(this.#options.limits.tailQuietMs, () => this.#onTailQuiet());
  }

  /** The client's goodbye goes on to the upstream, whose answer ends the session. */
  #passGoodbye(): void {
    this.#phase = 'closing';
    const { wire } = this.#upstream;
    // In the middle of a frame nothing can be said, and its rest will not come.
    if (this.#upstream.isMidFrame) wire?.destroy();
    else this.#upstream.sendClose(this.#goodbye);
    this.#arm(this.#options.limits.closeTimeoutMs, () => wire?.destroy());
  }

  #onUpstreamClose(info: CloseInfo): void {
    if (this.#phase === 'open') this.#reason ??= 'upstream_closed';
    this.#upstream.sendClose(echoOf(info));
    const own = this.#client.closeReceived;
    this.#finishClient(info.code === CLOSE_CODE_ABSENT && own !== undefined ? echoOf(own) : info);
  }

  #onClientGone(): void {
    if (this.#phase === 'reaching') this.#end('client_lost');
    if (this.#phase !== 'open' && this.#phase !== 'tail') return;
    this.#reason ??= 'client_lost';
    if (!this.#isLeft) this.#goodbye = goodbyeFor('client_lost');
    this.#passGoodbye();
  }

  #onUpstreamGone(): void {
    if (this.#phase === 'open' || this.#phase === 'tail') this.#end('upstream_lost');
    else if (this.#phase === 'closing')
      this.#finishClient(echoOf(this.#client.closeReceived ?? this.#goodbye));
  }

  /** The upstream is done with: the last word to the client. */
  #finishClient(info: CloseInfo): void {
    this.#phase = 'closing';
    // In the middle of a frame whose rest will not come, the line can only be cut: the client sees 1006.
    if (this.#client.isMidFrame) this.#clientWire.destroy();
    this.#client.sendClose(info);
    if (this.#client.closeReceived !== undefined || this.#isClientEnded) this.#clientWire.end();
    this.#arm(this.#options.limits.closeTimeoutMs, () => this.#cutBoth());
  }

  /** Ends the session by a row of the table. */
  #end(reason: EndReason, { toClient, toUpstream }: Ending = ENDINGS[reason]): void {
    if (this.#phase === 'closing' || this.#phase === 'over') return;
    this.#reason ??= reason;
    this.#phase = 'closing';
    this.#giveUpReaching();
    const cut = CUT_SIDES[reason];
    this.#arm(this.#options.limits.closeTimeoutMs, () => this.#cutBoth());
    if (cut === 'client' || !this.#isAccepted) this.#clientWire.destroy();
    if (cut === 'upstream') this.#upstream.wire?.destroy();
    if (toUpstream !== undefined && cut !== 'upstream') {
      if (cut === 'client' && this.#upstream.isMidFrame) this.#upstream.wire?.destroy();
      else this.#upstream.sendClose(toUpstream);
    }
    const last = toClient ?? (this.#isLeft ? (this.#client.closeReceived ?? this.#goodbye) : undefined);
    if (last !== undefined && cut !== 'client') {
      if (cut === 'upstream' && this.#client.isMidFrame) this.#clientWire.destroy();
      this.#client.sendClose(last);
      if (this.#isLeft) this.#clientWire.end();
    }
    this.#settle();
  }

  #giveUpReaching(): void {
    this.#reaching?.abort();
    this.#reaching = undefined;
  }

  #cutBoth(): void {
    this.#disarm();
    this.#clientWire.destroy();
    this.#upstream.wire?.destroy();
  }

  #resume(line: Line, wire: Wire | undefined): void {
    line.isPaused = false;
    wire?.resume();
  }

  #arm(delayMs: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, timerMs(delayMs));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #settle(): void {
    const isUpstreamGone = this.#upstream.wire?.isClosed ?? this.#reaching === undefined;
    if (this.#phase === 'over' || !this.#clientWire.isClosed || !isUpstreamGone) return;
    this.#phase = 'over';
    this.#disarm();
    this.#options.onOver(this, this.#record());
  }

  #record(): SessionRecord {
    const { id, path } = this.#options;
    const passed = ({ messages, payloadBytes }: Direction) => ({ messages, payloadBytes });
    return {
      id,
      path,
      reason: this.#reason ?? 'client_lost',
      durationMs: performance.now() - this.#startedMs,
      upstreamOpenMs: this.#upstreamOpenMs,
      firstMessageMs: this.#firstMessageMs,
      refusedStatus: this.#refusedStatus,
      fromClient: passed(this.#fromClient),
      fromUpstream: passed(this.#fromUpstream),
      clientCloseCode: this.#client.closeReceived?.code,
      clientToldCode: this.#client.closeSent?.code,
      upstreamCloseCode: this.#upstream.closeReceived?.code,
      upstreamToldCode: this.#upstream.closeSent?.code,
    };
  }
}

function goodbyeFor(reason: EndReason): CloseInfo {
  return ENDINGS[reason].toUpstream ?? { code: CLOSE_CODE_ABSENT, reason: '' };
}
