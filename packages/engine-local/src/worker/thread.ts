/**
 * One thread as the engine sees it: started once, asked one thing after the other, replaced when it dies. A request
 * that is under way when the thread dies rejects with `engine_worker_lost`; requests carry all they need, so that
 * the caller simply asks again.
 */
import { Worker } from 'node:worker_threads';
import { type DecodeRequest, type DecodeResult, type Decoder, EngineError } from '@kikitori/engine';
import { LOCAL_LIMITS } from '../limits.js';
import { silenceRuntime } from '../onnx/silence.js';
import type { SileroRequest, SileroResult, WorkerRequest, WorkerResponse, WorkerRole } from './messages.js';

// `src` and `dist` mirror each other: from both, the built worker is found by the same words.
const WORKER_FILE = new URL('../../dist/worker/worker.js', import.meta.url);

interface Pending {
  resolve(value: DecodeResult | SileroResult): void;
  reject(error: EngineError): void;
}

/**
 * Asks the thread to end and waits until it has. A thread that is torn away from the runtime in the middle of loading
 * can take the whole process with it, so that is only done once the bound has passed.
 */
async function stop(worker: Worker): Promise<void> {
  // That is how Node numbers a thread that has ended.
  if (worker.threadId === -1) return;
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const timer = setTimeout(() => void worker.terminate(), LOCAL_LIMITS.stopMsMax);
  worker.postMessage({ type: 'stop' } satisfies WorkerRequest);
  await ended;
  clearTimeout(timer);
}

class Thread {
  readonly #role: WorkerRole;
  readonly #file: URL;
  readonly #check: () => Promise<unknown>;
  #worker: Worker | undefined;
  /** Ends a start that is under way. */
  #abortStart: ((error: EngineError) => Promise<void>) | undefined;
  /** Requests from their first moment on: one that waits for a thread to start is under way, too. */
  #asked = 0;
  #starting: Promise<Worker> | undefined;
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #deaths = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param check - whether the files are still what they were; asked whenever the thread is replaced, and nothing is
   *   loaded when it rejects. The first time whoever made the thread has just looked
   * @param file - what the thread runs; tests bring threads that die
   */
  constructor(role: WorkerRole, check: () => Promise<unknown> = async () => {}, file: URL = WORKER_FILE) {
    this.#role = role;
    this.#file = file;
    this.#check = check;
  }

  /** Requests that wait for an answer, or for the thread to be replaced. */
  get pending(): number {
    return this.#asked;
  }

  /** It died too often: everything that it is asked fails at once. */
  get isGivenUp(): boolean {
    return this.#deaths > LOCAL_LIMITS.threadDeathsMax;
  }

  /**
   * Loads the model. Rejects with `model_invalid` when the files cannot be used, `engine_worker_lost` when the thread
   * died on the way or took longer than the bound.
   */
  async start(): Promise<void> {
    await this.#running();
  }

  /**
   * Fails what is under way with `engine_closed` and ends the thread, also one that is still loading. Resolves when it
   * has ended. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const error = new EngineError('engine_closed', 'The engine was closed.');
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll(error);
    await this.#abortStart?.(error);
    if (worker !== undefined) await stop(worker);
  }

  /** Asks it for something. The buffers of `views` are given away. */
  protected async ask(
    build: (id: number) => WorkerRequest,
    views: readonly Float32Array[],
  ): Promise<DecodeResult | SileroResult> {
    this.#asked += 1;
    try {
      const worker = await this.#running();
      if (this.#closing !== undefined) throw new EngineError('engine_closed', 'The engine was closed.');
      if (this.#worker !== worker)
        throw new EngineError('engine_worker_lost', 'The thread that decodes ended.');
      const id = this.#nextId++;
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        const buffers = views.map((view) => view.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
        worker.postMessage(build(id), buffers);
      });
    } finally {
      this.#asked -= 1;
    }
  }

  #running(): Promise<Worker> {
    if (this.#closing !== undefined)
      return Promise.reject(new EngineError('engine_closed', 'The engine was closed.'));
    if (this.#worker !== undefined) return Promise.resolve(this.#worker);
    if (this.isGivenUp) {
      const text = 'The thread that decodes died again and again; restart the server and look at its memory.';
      return Promise.reject(new EngineError('engine_worker_lost', text));
    }
    this.#starting ??= this.#launch()
      .catch((error: unknown) => {
        this.#deaths += 1;
        throw error;
      })
      .finally(() => {
        this.#starting = undefined;
        this.#abortStart = undefined;
      });
    return this.#starting;
  }

  async #launch(): Promise<Worker> {
    if (this.#deaths > 0) await this.#check();
    if (this.#closing !== undefined) throw new EngineError('engine_closed', 'The engine was closed.');
    silenceRuntime();
    const worker = new Worker(this.#file, { workerData: this.#role, name: `kikitori-${this.#role.type}` });
    return new Promise((resolve, reject) => {
      const fail = async (error: EngineError): Promise<void> => {
        clearTimeout(timer);
        reject(error);
        await stop(worker);
      };
      this.#abortStart = fail;
      const timer = setTimeout(() => {
        void fail(
          new EngineError(
            'engine_worker_lost',
            'The model took too long to load; the machine may be overloaded.',
          ),
        );
      }, LOCAL_LIMITS.loadMsMax);
      worker.on('message', (response: WorkerResponse) => {
        if (response.type === 'ready') {
          clearTimeout(timer);
          if (this.#closing !== undefined)
            return void fail(new EngineError('engine_closed', 'The engine was closed.'));
          this.#worker = worker;
          resolve(worker);
        } else if (response.type === 'unusable') {
          const text =
            'The model files cannot be loaded: they are damaged or of another kind; remove and pull the model again.';
          void fail(new EngineError('model_invalid', text, { cause: new Error(response.reason) }));
        } else this.#settle(response);
      });
      worker.on('error', (cause) => {
        const text = 'The thread that decodes died.';
        this.#lost(worker, new EngineError('engine_worker_lost', text, { cause }));
        void fail(new EngineError('engine_worker_lost', text, { cause }));
      });
      worker.on('exit', () => {
        const error = new EngineError('engine_worker_lost', 'The thread that decodes ended.');
        this.#lost(worker, error);
        void fail(error);
      });
    });
  }

  #settle(response: Exclude<WorkerResponse, { type: 'ready' | 'unusable' }>): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (response.type === 'failed') {
      const cause = new Error(response.reason);
      pending?.reject(
        new EngineError('engine_internal', 'The model could not process this audio.', { cause }),
      );
    } else pending?.resolve(response.result);
  }

  #lost(worker: Worker, error: EngineError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#deaths += 1;
    this.#failAll(error);
  }

  #failAll(error: EngineError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

/** A thread that decodes. */
export class DecoderThread extends Thread implements Decoder {
  async decode(request: DecodeRequest): Promise<DecodeResult> {
    const result = await this.ask((id) => ({ type: 'decode', id, request }), [request.samples]);
    return result as DecodeResult; // A thread answers `decode` with `decoded`.
  }
}

/** A thread that tells speech from silence. */
export class VoiceThread extends Thread {
  async listen(request: SileroRequest): Promise<SileroResult> {
    const views = [request.samples, request.state.memory, request.state.context];
    const result = await this.ask((id) => ({ type: 'listen', id, request }), views);
    return result as SileroResult; // A thread answers `listen` with `heard`.
  }
}
