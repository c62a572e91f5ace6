import { abortable } from '@kikitori/core';
import { AudioError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import type { FromDecoder, ToDecoder } from './decoder-messages.js';
import { type DecoderThread, decoderThreads } from './decoder-threads.js';
import type { DecodingTask, SpeechStream } from './speech-stream.js';
import { StallWatch } from './stall-watch.js';

/** How `openInThread` runs a decoder. */
export interface ThreadOptions {
  readonly task: DecodingTask;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** Speech that is made elsewhere, and a way to end that. */
export interface ThreadStream extends SpeechStream {
  /** Ends a thread that has not finished now, and waits until it is gone. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes speech of bytes in a thread of its own, so that this one only passes them on. One piece of bytes or of sound is on
 * its way at any time. Throws what `openSpeech` does, `decode_failed`, `decoder_stalled`, or the signal's reason.
 */
export async function openInThread(
  source: Pick<ByteSource, 'bytes'>,
  options: ThreadOptions,
): Promise<ThreadStream> {
  const host = new DecoderHost(source, options);
  try {
    return await host.open();
  } catch (error) {
    await host.close();
    throw error;
  }
}

type Sound = Extract<FromDecoder, { type: 'facts' | 'block' }>;

class DecoderHost {
  readonly #source: Pick<ByteSource, 'bytes'>;
  readonly #options: ThreadOptions;
  readonly #watch: StallWatch;
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  /** The one message that may be waiting to be read; the thread sends no second one before it was answered. */
  #inbox: FromDecoder | undefined;
  #arrived: (() => void) | undefined;
  #thread: DecoderThread | undefined;
  /** The thread says no more: it was out of memory, or came upon a bug in a library. */
  #isLost = false;
  /** Set once the thread is not ours any more: it was given back, or is being ended. */
  #gone: Promise<void> | undefined;
  #isDamaged = false;
  #leftOutBytes = 0;
  #isBlended = false;

  constructor(source: Pick<ByteSource, 'bytes'>, options: ThreadOptions) {
    this.#source = source;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#watch = new StallWatch(options.stallTimeoutMs, () => {
      this.#ending.abort(
        new AudioError(
          'decoder_stalled',
          'The decoder stopped answering on this file; convert it to WAV and try again.',
        ),
      );
    });
  }

  async open(): Promise<ThreadStream> {
    this.#start();
    const messages = this.#messages();
    const first = await messages.next();
    const facts = first.done === true ? undefined : first.value;
    if (facts?.type !== 'facts') throw lost();
    const { type: _, ...told } = facts;
    return {
      ...told,
      chunks: this.#chunks(messages),
      isDamaged: () => this.#isDamaged,
      leftOutBytes: () => this.#leftOutBytes,
      isBlended: () => this.#isBlended,
      close: () => this.close(),
    };
  }

  async close(): Promise<void> {
    this.#watch.stop();
    this.#ending.abort(lost());
    this.#gone ??= this.#thread?.end();
    await this.#gone;
  }

  #start(): void {
    const thread = decoderThreads.take();
    this.#thread = thread;
    thread.begin(this.#options.task, (message) => {
      this.#inbox = message ?? this.#inbox;
      this.#isLost ||= message === undefined;
      if (message?.type === 'done') this.#gone ??= decoderThreads.keep(thread, message.heldBytes);
      this.#arrived?.();
    });
  }

  #send(message: ToDecoder, transfer: ArrayBuffer[] = []): void {
    this.#thread?.send(message, transfer);
  }

  /** A copy is given away: the piece may be a part of a larger buffer, all of which would be sent along. */
  #sendBytes(piece: Uint8Array): void {
    const bytes = new Uint8Array(piece);
    this.#send({ type: 'bytes', bytes }, [bytes.buffer]);
  }

  async #next(): Promise<FromDecoder> {
    if (this.#inbox === undefined && !this.#isLost) {
      this.#watch.progress(true);
      const arrived = new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
      await abortable(arrived, this.#signal);
    }
    this.#watch.stop();
    const message = this.#inbox ?? failure();
    this.#inbox = undefined;
    return message;
  }

  /** The thread's facts and blocks; its questions for bytes are answered on the way. Ends after `done`. */
  async *#messages(): AsyncGenerator<Sound, void> {
    const pieces = this.#source.bytes();
    while (true) {
      const message = await this.#next();
      switch (message.type) {
        case 'need': {
          const { done, value } = await pieces.next();
          if (done === true) this.#send({ type: 'end' });
          else this.#sendBytes(value);
          break;
        }
        case 'facts':
        case 'block':
          yield message;
          this.#send({ type: 'more' });
          break;
        case 'done':
          this.#isDamaged = message.isDamaged;
          this.#leftOutBytes = message.leftOutBytes;
          this.#isBlended = message.isBlended;
          return;
        case 'failed':
          throw new AudioError(message.code, message.message);
        default:
          message satisfies never;
      }
    }
  }

  async *#chunks(messages: AsyncIterable<Sound>): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    try {
      for await (const message of messages) {
        if (message.type === 'block') yield message.samples;
      }
    } finally {
      await this.close();
    }
  }
}

function failure(): FromDecoder {
  const { code, message } = lost();
  return { type: 'failed', code, message };
}

function lost(): AudioError {
  return new AudioError(
    'decode_failed',
    'The decoder gave up on this file; convert it to WAV, or install ffmpeg.',
  );
}
