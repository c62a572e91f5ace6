import { Worker } from 'node:worker_threads';
import type { FromDecoder, ToDecoder } from './decoder-messages.js';
import {
  DECODER_THREAD_HEAP_MIB_MAX,
  DECODER_THREAD_IDLE_MS,
  DECODER_THREAD_KEPT_BYTES_MAX,
} from './limits.js';
import type { DecodingTask } from './speech-stream.js';

/** Built code: a thread can not run TypeScript. `src` and `dist` mirror each other, so the path fits both. */
const THREAD_URL = new URL('../../dist/file/decoder-thread.js', import.meta.url);

/** A thread that decodes one file at a time. */
export class DecoderThread {
  readonly #worker: Worker;
  #listener: ((message: FromDecoder | undefined) => void) | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static start(): DecoderThread {
    const worker = new Worker(THREAD_URL, {
      execArgv: [],
      // Nothing of it is shown. Nor is it read, which would keep the process alive: the thread silences itself.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: DECODER_THREAD_HEAP_MIB_MAX },
    });
    const thread = new DecoderThread(worker);
    worker.on('message', (message: FromDecoder) => thread.#listener?.(message));
    // Out of memory, or a bug in a library.
    worker.on('error', () => thread.#listener?.(undefined));
    worker.on('exit', () => thread.#listener?.(undefined));
    return thread;
  }

  get isGone(): boolean {
    return this.#worker.threadId < 0;
  }

  /** Begins a file. `listener` hears what the thread says of it, and undefined when the thread is lost. */
  begin(task: DecodingTask, listener: (message: FromDecoder | undefined) => void): void {
    this.#listener = listener;
    this.#worker.ref();
    this.send({ type: 'task', task });
  }

  send(message: ToDecoder, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** After the last word on a file: nobody listens, and the thread keeps no process alive. */
  rest(): void {
    this.#listener = undefined;
    this.#worker.unref();
  }

  /** Ends the thread now and waits until it is gone. Idempotent. */
  async end(): Promise<void> {
    this.#listener = undefined;
    await this.#worker.terminate();
  }
}

/**
 * Threads that decode. One that has come to the end of its file waits a while for the next: a fresh one takes 50 ms to
 * start, and as long again to load a library. Nothing goes from one file to the next: a library keeps what it knows of a
 * file in memory of WebAssembly, and each file has its own. A thread that failed, or was ended before, is not kept.
 */
export class DecoderThreads {
  #kept: DecoderThread | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** A thread for one file, the caller's alone. */
  take(): DecoderThread {
    const kept = this.#release();
    return kept === undefined || kept.isGone ? DecoderThread.start() : kept;
  }

  /**
   * Takes back a thread that has come to the end of its file and holds `heldBytes`. It ends where that is too much, or
   * where one is kept already.
   */
  async keep(thread: DecoderThread, heldBytes: number): Promise<void> {
    thread.rest();
    if (this.#kept !== undefined || heldBytes > DECODER_THREAD_KEPT_BYTES_MAX) return await thread.end();
    this.#kept = thread;
    this.#idle = setTimeout(() => void this.end(), DECODER_THREAD_IDLE_MS).unref();
  }

  /** Ends the thread that is kept, if there is one. */
  async end(): Promise<void> {
    await this.#release()?.end();
  }

  #release(): DecoderThread | undefined {
    clearTimeout(this.#idle);
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }
}

/** Those of this process. */
export const decoderThreads = new DecoderThreads();
