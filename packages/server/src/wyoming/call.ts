import type { Socket } from 'node:net';
import type { Clock } from '@kikitori/core';
import { type Connection, createMemoryPair, type ListenHandlers, type Message } from '@kikitori/transport';
import { type Members, membersOf, objectOf } from '../dialects/json-object.js';
import { END_OF_INPUT } from '../dialects/wyoming/conversation.js';
import { WYOMING_PATH } from '../dialects/wyoming/wyoming.js';
import { eventFrame } from './event-frame.js';
import { BrokenFrameError, EventReader, type WyomingEvent } from './event-reader.js';
import type { WyomingLimits } from './limits.js';

/** What every call needs. */
export interface CallOptions {
  /** Lets in whoever wants a transcript. */
  readonly handlers: ListenHandlers;
  /** The data of an `info` event; undefined: the model is not there yet. */
  readonly describe: () => Members | undefined;
  /** What is shown at the door for clients, who cannot show anything. */
  readonly key: string | undefined;
  readonly limits: WyomingLimits;
  readonly clock: Clock;
}

/** What asks for a transcript. Anything else that is not answered here is no reason to take a place. */
const ASKS_FOR_TRANSCRIPT: ReadonlySet<string> = new Set([
  'transcribe',
  'audio-start',
  'audio-chunk',
  'audio-stop',
]);
const NOT_YET = { text: 'The model is still loading. Try again in a moment.', code: 'loading' };

/**
 * One TCP connection. Who only asks what is served, or whether somebody is there, is answered here; with the first event that asks
 * for a transcript a session begins, over a connection that never leaves the process, and what it says is framed.
 */
export class Call {
  readonly #socket: Socket;
  readonly #options: CallOptions;
  readonly #reader: EventReader;
  /** Our end of the session's connection. */
  #link: Connection | undefined;
  #noteTold: () => void = () => undefined;
  /** The session said its last. */
  readonly #told = new Promise<void>((resolve) => {
    this.#noteTold = resolve;
  });

  constructor(socket: Socket, options: CallOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new EventReader(options.limits);
  }

  /** Serves until nothing is left of it. Never rejects. */
  async run(): Promise<void> {
    const { idleMs, closeMs } = this.#options.limits;
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.setTimeout(idleMs, () => socket.destroy());
    // The reader hears of it too.
    socket.on('error', () => undefined);
    const heard = this.#hear();
    await Promise.race([heard, this.#told]);
    if (this.#link !== undefined) await this.#told;
    socket.end();
    // Not at once: what was said last would be lost to a client that is still sending.
    const cancel = this.#options.clock.after(closeMs, () => socket.destroy());
    await heard;
    socket.resume();
    await closed;
    cancel();
  }

  /** Ends it, with what a session has to say first, where one runs. */
  hangUp(): void {
    if (this.#link === undefined) this.#socket.destroy();
  }

  /** Ends it now. */
  destroy(): void {
    this.#link?.destroy();
    this.#socket.destroy();
  }

  /** Sends one event, as soon as the client reads. */
  async tell(type: string, data?: Members): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(eventFrame(type, data))) return;
    const cancel = this.#options.clock.after(this.#options.limits.unreadMs, () => socket.destroy());
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
      if (socket.destroyed) done();
    });
    cancel();
  }

  async #hear(): Promise<void> {
    try {
      await this.#listen();
    } catch (error) {
      if (error instanceof BrokenFrameError) await this.tell('error', { text: error.message, code: 'frame' });
      this.#link?.destroy();
    }
  }

  /** Until the client has said everything, or is sent away. */
  async #listen(): Promise<void> {
    for await (const bytes of this.#socket.iterator({ destroyOnReturn: false })) {
      for (const event of this.#reader.push(bytes)) {
        if (!(await this.#take(event))) return;
      }
    }
    await this.#pass(JSON.stringify({ type: END_OF_INPUT }));
  }

  /** False: nothing more is heard. */
  async #take(event: WyomingEvent): Promise<boolean> {
    if (event.type === 'describe') return await this.#describe();
    if (event.type === 'ping') {
      await this.tell('pong', event.data);
      return true;
    }
    if (this.#link === undefined && ASKS_FOR_TRANSCRIPT.has(event.type)) this.#link = await this.#enter();
    if (this.#link === undefined) return !ASKS_FOR_TRANSCRIPT.has(event.type);
    await this.#pass(JSON.stringify({ type: event.type, data: event.data }));
    if (event.payload.length > 0) await this.#pass(event.payload);
    return true;
  }

  /** A session that is over takes nothing; what it said last is on its way, and the rest is read for its sake. */
  async #pass(message: Message): Promise<void> {
    await this.#link?.send(message).catch(() => undefined);
  }

  async #describe(): Promise<boolean> {
    const description = this.#options.describe();
    if (description === undefined) await this.tell('error', NOT_YET);
    else await this.tell('info', description);
    return description !== undefined;
  }

  /** A session's connection; undefined: it was not let in, and was told why. */
  async #enter(): Promise<Connection | undefined> {
    const { handlers, key } = this.#options;
    const handshake = {
      path: WYOMING_PATH,
      query: '',
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      remoteAddress: this.#socket.remoteAddress ?? '',
      protocols: [],
    };
    const admission = handlers.admit(handshake);
    if (!admission.accept) {
      const refusal = membersOf(objectOf(admission.body ?? '')?.['data']);
      await this.tell('error', refusal ?? NOT_YET);
      return undefined;
    }
    const { near, far } = createMemoryPair();
    // From here on the session knows how long it may be idle.
    this.#socket.setTimeout(0);
    handlers.onConnection(far, handshake);
    void this.#tellAll(near).then(() => this.#noteTold());
    return near;
  }

  /** What the session says, until it ends. */
  async #tellAll(link: Connection): Promise<void> {
    try {
      for await (const message of link.messages) {
        const event = objectOf(message);
        await this.tell(String(event?.['type']), membersOf(event?.['data']));
      }
    } catch {
      // Lost or refused: told by an event where the dialect has one.
    }
  }
}
