import { parseServerEvent } from '@kikitori/protocol';
import { BoundedQueue, type Connection, type Message } from '@kikitori/transport';
import type { WaitOptions } from './abortable.js';
import type { Pcm } from './audio-intake.js';
import { AudioSender } from './audio-sender.js';
import { ClientError, fromConnectionEnd } from './errors.js';
import { type SessionEvent, toSessionEvent } from './events.js';
import { CLIENT_LIMITS } from './limits.js';
import { type Transcript, TranscriptBuilder } from './transcript.js';

/**
 * An open conversation with a Realtime server: audio goes in, events come out.
 *
 * It ends once, in one of three ways: `finish` (everything transcribed), `close` or `destroy` (the caller had enough),
 * or a failure. After a failure every call rejects with that failure, and a loop over the events throws it.
 */
export interface Session extends AsyncIterable<SessionEvent>, AsyncDisposable {
  /** The server's name for the session; safe to log. */
  readonly id: string;
  /** What was said so far; also there after the end and after a failure. */
  readonly transcript: Transcript;
  /** Fires when the session has ended, however. Its reason is the failure, or `ClientError` `closed`. */
  readonly ended: AbortSignal;

  /**
   * Sends mono audio at the rate given to `connect`. Resolves once it is on its way, or kept for the next utterance
   * while the last one is being finished: a caller that awaits it cannot fill memory. `pcm` is borrowed until then.
   * An aborted call may have sent a part.
   */
  send(pcm: Pcm, options?: WaitOptions): Promise<void>;

  /**
   * Says that the speaker has come to an end (a released button, a pause that the caller heard) and resolves when
   * all text so far has arrived. The session goes on: audio sent from now on is kept until then. Our server finds
   * ends of utterance itself; vLLM does not.
   */
  endUtterance(options?: WaitOptions): Promise<void>;

  /** Waits for the text of everything sent, ends the session, and resolves with all of it. */
  finish(options?: WaitOptions): Promise<Transcript>;

  /** Ends the session without waiting for text. Resolves when the server knows, or after a few seconds. */
  close(): Promise<void>;

  /** Ends the session now. A loop over the events throws the reason. */
  destroy(reason?: Error): void;
}

/** What a session is made of. */
export interface SessionParts {
  readonly id: string;
  readonly connection: Connection;
  /** The connection's one consumer; the greeting has been taken from it. */
  readonly incoming: AsyncIterator<Message>;
  readonly sampleRateHz: number;
  readonly finishTimeoutMs: number;
}

/** The session over one connection. `run` must be called once, right after construction. */
export class RealtimeSession implements Session {
  readonly id: string;
  readonly #connection: Connection;
  readonly #incoming: AsyncIterator<Message>;
  readonly #sender: AudioSender;
  readonly #builder = new TranscriptBuilder();
  readonly #events: BoundedQueue<SessionEvent>;
  readonly #ended = new AbortController();
  /** Fires when nobody may be waited for any more: the caller asked for the end. */
  readonly #hurry = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #isIterated = false;
  #didDropEvents = false;
  #failure: ClientError | undefined;
  #finishing: Promise<Transcript> | undefined;
  #closing: Promise<void> | undefined;

  constructor({ id, connection, incoming, sampleRateHz, finishTimeoutMs }: SessionParts) {
    this.id = id;
    this.#connection = connection;
    this.#incoming = incoming;
    this.#events = new BoundedQueue<SessionEvent>({
      highWaterBytes: Number.POSITIVE_INFINITY,
      highWaterCount: CLIENT_LIMITS.eventsHighWater,
      maxBytes: Number.POSITIVE_INFINITY,
      maxCount: CLIENT_LIMITS.eventsMax,
    });
    this.#sender = new AudioSender({
      connection,
      sampleRateHz,
      finishTimeoutMs,
      onFailure: (error) => this.#fail(fromConnectionEnd(error)),
    });
  }

  get transcript(): Transcript {
    return this.#builder.snapshot();
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Begins to read. Nothing rejects: what goes wrong ends the session. */
  run(): void {
    this.#reading = this.#read();
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
    return this.#sender.send(pcm, options);
  }

  endUtterance(options?: WaitOptions): Promise<void> {
    return this.#sender.endUtterance(options);
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
      return this.#closeConnection();
    });
    return this.#closing ?? Promise.resolve();
  }

  destroy(reason?: Error): void {
    const error = new ClientError('closed', 'The session was destroyed.', { cause: reason });
    this.#end(error, () => {
      this.#events.destroy(reason ?? error);
      return Promise.resolve();
    });
    this.#connection.destroy(reason ?? error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(options: WaitOptions | undefined): Promise<Transcript> {
    // A loop that waits for this very call cannot read on: from here on events are kept, not held back.
    this.#hurry.abort();
    await this.#sender.endUtterance(options);
    if (this.#failure !== undefined) throw this.#failure;
    await this.close();
    return this.transcript;
  }

  async #read(): Promise<void> {
    try {
      for (let next = await this.#incoming.next(); next.done !== true; next = await this.#incoming.next()) {
        this.#onMessage(next.value);
        if (this.#isIterated) {
          // Aborted: the wait is over, or never begins, and that is all.
          await this.#events.room({ signal: this.#hurry.signal }).catch(() => undefined);
        }
      }
      this.#fail(fromConnectionEnd(undefined));
    } catch (error) {
      this.#fail(fromConnectionEnd(error));
    }
  }

  #onMessage(message: Message): void {
    if (this.#ended.signal.aborted) return;
    // SageMaker's runtime hands text on as bytes.
    const wire = parseServerEvent(typeof message === 'string' ? message : new TextDecoder().decode(message));
    this.#sender.noteEvent();
    switch (wire.type) {
      case 'invalid':
        this.#fail(
          new ClientError('protocol_error', 'The server sent something that is not an event.', {
            cause: wire.error,
          }),
        );
        return;
      case 'error':
        this.#fail(serverError(wire));
        return;
      case 'session.created':
        return;
      default:
        this.#tell(toSessionEvent(wire));
    }
  }

  #tell(event: SessionEvent): void {
    this.#builder.add(event, this.#sender.span);
    if (!this.#didDropEvents && !this.#events.offer(event, 0) && !this.#events.isEnded) this.#dropEvents();
    if (event.type !== 'done') return;
    this.#sender.noteDone();
    // Here and not after `finish` has woken up: what goes wrong from now on is no failure any more.
    if (this.#finishing !== undefined && this.#sender.isDrained) void this.close();
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
      return this.#closeConnection();
    });
  }

  /** The one place where a session ends. */
  #end(error: ClientError, finishUp: () => Promise<void>): void {
    if (this.#ended.signal.aborted) return;
    this.#hurry.abort();
    this.#sender.stop(error);
    this.#ended.abort(error);
    // A transport whose `close` rejects is destroyed all the same.
    this.#closing = finishUp()
      .catch(() => undefined)
      .then(() => this.#reading);
  }

  async #closeConnection(): Promise<void> {
    try {
      await this.#connection.close();
    } finally {
      // What the peer still says is of no interest, and a reader that hangs is released.
      this.#connection.destroy();
    }
  }
}

/** For an error event. The session does not outlive it: audio or text is missing from here on. */
export function serverError(event: { readonly error: string; readonly code: string | null }): ClientError {
  return new ClientError('server_error', 'The server reported an error; its code says which.', {
    serverCode: event.code,
    serverText: event.error,
  });
}
