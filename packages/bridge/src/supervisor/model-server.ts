import { type ChildProcess, spawn } from 'node:child_process';
import { type Logger, silentLogger, timerMs } from '@kikitori/core';
import { BridgeError } from '../errors.js';
import { SUPERVISOR_LIMITS, type SupervisorLimits } from './limits.js';

/** How to run and watch a model server. */
export interface ModelServerOptions {
  /** The program, then its arguments. No shell is asked. */
  readonly command: readonly [string, ...string[]];
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it answers that it is ready. */
  readonly isReady: () => Promise<boolean>;
  /** Start it again when it ends (`PROCESS_AUTO_RECOVERY`). Default: true. */
  readonly isRestarted?: boolean;
  /** Bounds that differ from `SUPERVISOR_LIMITS`. */
  readonly limits?: Partial<SupervisorLimits>;
  readonly logger?: Logger;
}

/**
 * Runs the model server as a child: its output is ours, untouched; it leads a process group of its own, so that a signal
 * for us is not one for it, and that what it started ends with it.
 *
 * When it ends it is started again, after a wait that doubles with jitter. One that ends before it was ever ready is a
 * failed start; after `startRetriesMax` of them in a row, or when it may not be started again, `ended` rejects and the
 * container should end: SageMaker then starts another.
 */
export class ModelServer {
  /** Resolves after `stop`; rejects with `BridgeError` `exec_failed` or `model_server_ended`. */
  readonly ended: Promise<void>;
  readonly #options: ModelServerOptions;
  readonly #limits: SupervisorLimits;
  readonly #logger: Logger;
  readonly #stopper = new AbortController();
  #child: ChildProcess | undefined;
  #hasExited: Promise<void> = Promise.resolve();
  #starts = 0;

  private constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#limits = { ...SUPERVISOR_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    // Whatever ends this process, the model server does not outlive it.
    const onExit = (): void => this.#signal('SIGKILL');
    process.on('exit', onExit);
    this.ended = this.#run().finally(() => process.off('exit', onExit));
    // Who does not look at it still gets to read the log.
    this.ended.catch(() => undefined);
  }

  /** Starts it. */
  static start(options: ModelServerOptions): ModelServer {
    return new ModelServer(options);
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** SIGTERM to its group, SIGKILL after `killAfterMs`. Settles when it is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#stopper.abort();
    if (this.#child !== undefined) {
      this.#signal('SIGTERM');
      const timer = setTimeout(() => this.#signal('SIGKILL'), timerMs(this.#limits.killAfterMs));
      await this.#hasExited;
      clearTimeout(timer);
    }
    await this.ended.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { isRestarted = true } = this.#options;
    const { signal } = this.#stopper;
    let failedStarts = 0;
    let waitMs = this.#limits.restartMsMin;
    while (!signal.aborted) {
      const wasReady = await this.#runOnce();
      if (signal.aborted) return;
      failedStarts = wasReady ? 0 : failedStarts + 1;
      if (wasReady) waitMs = this.#limits.restartMsMin;
      if (!isRestarted || failedStarts > this.#limits.startRetriesMax) {
        throw new BridgeError('model_server_ended', 'The model server ended; its own output says why.');
      }
      await pause(waitMs * (0.5 + Math.random() / 2), signal);
      waitMs = Math.min(waitMs * 2, this.#limits.restartMsMax);
    }
  }

  /** @returns Whether it was ready at any time. */
  async #runOnce(): Promise<boolean> {
    const startedMs = performance.now();
    const child = this.#spawn();
    let wasReady = false;
    const watch = new AbortController();
    const gone = new Promise<void>((resolve, reject) => {
      child.once('exit', () => resolve());
      child.once('error', (cause) => {
        const message = 'The model server could not be started; is the command after -- right?';
        reject(new BridgeError('exec_failed', message, { cause }));
      });
    });
    this.#hasExited = gone.catch(() => undefined);
    const watching = this.#awaitReady(watch.signal, () => {
      wasReady = true;
      this.#logger.info('model server ready', { after_ms: Math.round(performance.now() - startedMs) });
    });
    try {
      await gone;
    } finally {
      watch.abort();
      await watching;
      // Workers that it leaves behind would hold the port, and the memory of the GPU.
      this.#signal('SIGKILL');
      this.#child = undefined;
    }
    const { exitCode, signalCode } = child;
    const fields = { exit_code: exitCode ?? undefined, signal: signalCode ?? undefined, was_ready: wasReady };
    if (!this.#stopper.signal.aborted) this.#logger.error('model server ended', fields);
    return wasReady;
  }

  #spawn(): ChildProcess {
    const [program, ...args] = this.#options.command;
    this.#starts += 1;
    this.#logger.info('model server starting', { start: this.#starts });
    const child = spawn(program, args, {
      env: this.#options.env ?? process.env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    this.#child = child;
    return child;
  }

  async #awaitReady(signal: AbortSignal, onReady: () => void): Promise<void> {
    const { readyPollMs, startMsMax } = this.#limits;
    const deadline = performance.now() + startMsMax;
    while (!signal.aborted) {
      const isReady = await this.#options.isReady();
      if (signal.aborted) return;
      if (isReady) {
        onReady();
        return;
      }
      if (performance.now() > deadline) {
        this.#logger.error('model server not ready in time', {});
        this.#signal('SIGKILL');
        return;
      }
      await pause(readyPollMs, signal);
    }
  }

  /** To its whole group, which may be gone. */
  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // Nobody is left in the group.
    }
  }
}

/** Starts a model server and keeps it running. */
export function superviseModelServer(options: ModelServerOptions): ModelServer {
  return ModelServer.start(options);
}

/** Ends early when aborted; never rejects. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, timerMs(delayMs));
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
