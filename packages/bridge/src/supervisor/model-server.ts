import { type ChildProcess, spawn } from 'node:child_process';
import { type LogFields, type Logger, silentLogger, timerMs } from '@kikitori/core';
import { BridgeError } from '../errors.js';
import type { Health } from '../http/health.js';
import { SUPERVISOR_LIMITS, type SupervisorLimits } from './limits.js';
import { OrphanGuard } from './orphan-guard.js';
import { type EndingLimits, ProcessGroup } from './process-group.js';

/**
 * - `loading`: it runs, and was not ready yet
 * - `ready`: it said that it is
 * - `ended`: it is gone; another is started after a wait, if it may be
 */
export type ModelServerState = 'loading' | 'ready' | 'ended';

/** How to run and watch a model server. */
export interface ModelServerOptions {
  /** The program, then its arguments. No shell is asked. */
  readonly command: readonly [string, ...string[]];
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it says of itself. */
  readonly health: () => Promise<Health>;
  /** Start it again when it ends (`PROCESS_AUTO_RECOVERY`). Default: true. */
  readonly isRestarted?: boolean;
  /** Gets what it writes on stdout and stderr. Default: it writes on ours, untouched. */
  readonly onOutput?: (bytes: Uint8Array) => void;
  /** Told each change of `state`. */
  readonly onState?: (state: ModelServerState) => void;
  /** Bounds that differ from `SUPERVISOR_LIMITS`. */
  readonly limits?: Partial<SupervisorLimits>;
  readonly logger?: Logger;
}

/**
 * Runs the model server as a child, at the head of a process group and a session of its own, so that a signal for us is not
 * one for it, and that what it started ends with it.
 *
 * When it ends, with whatever exit code (vLLM says 0 when its engine has died), it is started again, after a wait that
 * doubles with jitter, and not before all that it started is gone. One that ends before it was ever ready is a failed start;
 * after `startRetriesMax` of them in a row, or when it may not be started again, `ended` rejects and the container should
 * end: SageMaker then starts another.
 */
export class ModelServer {
  /** Resolves after `stop`; rejects with `BridgeError` `exec_failed` or `model_server_ended`. */
  readonly ended: Promise<void>;
  readonly #options: ModelServerOptions;
  readonly #limits: SupervisorLimits;
  readonly #logger: Logger;
  readonly #stopper = new AbortController();
  #run: Run | undefined;
  #state: ModelServerState = 'loading';
  #starts = 0;

  private constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#limits = { ...SUPERVISOR_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    // However this process ends, if it is told: the model server does not outlive it.
    const onExit = (): void => this.#run?.group?.signal('SIGKILL');
    process.on('exit', onExit);
    this.ended = this.#keepRunning().finally(() => process.off('exit', onExit));
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

  get state(): ModelServerState {
    return this.#state;
  }

  /** SIGTERM to its group, SIGKILL after `killAfterMs`. Settles when it is gone, or will not be. Idempotent. */
  async stop(): Promise<void> {
    this.#stopper.abort();
    await this.#run?.end({ ...this.#limits, goneMsMax: this.#limits.stopGoneMsMax });
    await this.ended.catch(() => undefined);
  }

  async #keepRunning(): Promise<void> {
    const { isRestarted = true } = this.#options;
    const { signal } = this.#stopper;
    let failedStarts = 0;
    let waitMs = this.#limits.restartMsMin;
    while (!signal.aborted) {
      const { wasReady, isGone } = await this.#runOnce();
      if (signal.aborted) return;
      if (!isGone) throw new BridgeError('model_server_ended', STUCK);
      failedStarts = wasReady ? 0 : failedStarts + 1;
      if (wasReady) waitMs = this.#limits.restartMsMin;
      if (!isRestarted || failedStarts > this.#limits.startRetriesMax) {
        throw new BridgeError('model_server_ended', 'The model server ended; its own output says why.');
      }
      await pause(waitMs * (0.5 + Math.random() / 2), signal);
      waitMs = Math.min(waitMs * 2, this.#limits.restartMsMax);
    }
  }

  async #runOnce(): Promise<{ readonly wasReady: boolean; readonly isGone: boolean }> {
    const startedMs = performance.now();
    this.#starts += 1;
    const run = new Run(this.#spawn());
    this.#logger.info('model server starting', { start: this.#starts, group: run.group?.leader });
    const guard = run.group && OrphanGuard.watch(run.group.leader, this.#limits.killAfterMs);
    this.#run = run;
    this.#enter('loading');
    const since = (): number => Math.round(performance.now() - startedMs);
    let wasReady = false;
    const watch = new AbortController();
    const watching = this.#watch(run, watch.signal, () => {
      wasReady = true;
      this.#logger.info('model server ready', { after_ms: since() });
      this.#enter('ready');
    });
    try {
      await run.over;
      const leftBehind = run.group?.size;
      const fields = { ...run.ending, was_ready: wasReady, after_ms: since(), left_behind: leftBehind };
      if (!this.#stopper.signal.aborted) this.#logger.error('model server ended', fields);
      this.#enter('ended');
      // Workers that it leaves behind would hold the port, and the memory of the GPU.
      const isGone = await run.end(this.#limits);
      if (!isGone) this.#logger.error('model server cannot be ended', { left_behind: run.group?.size });
      return { wasReady, isGone };
    } finally {
      watch.abort();
      await watching;
      guard?.release();
      this.#run = undefined;
    }
  }

  #spawn(): ChildProcess {
    const { command, env = process.env, onOutput } = this.#options;
    const [program, ...args] = command;
    const output = onOutput === undefined ? 'inherit' : 'pipe';
    const child = spawn(program, args, { env, stdio: ['ignore', output, output], detached: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => onOutput?.(bytes)).on('error', () => undefined);
    }
    return child;
  }

  /** Tells when it is ready, and ends one that never is, or is not any more. */
  async #watch(run: Run, signal: AbortSignal, onReady: () => void): Promise<void> {
    const { readyPollMs, startMsMax, watchPollMs, unreadyMsMax } = this.#limits;
    let isReady = false;
    let untilMs = performance.now() + startMsMax;
    while (!signal.aborted) {
      const health = await this.#options.health();
      if (signal.aborted) return;
      if (health === 'ready' && !isReady) onReady();
      isReady ||= health === 'ready';
      // Before it is ready all that counts is the time; later only that it says no.
      const isWell = isReady && health !== 'unready';
      if (isWell) untilMs = performance.now() + unreadyMsMax;
      else if (performance.now() >= untilMs) {
        this.#logger.error(isReady ? 'model server not ready any more' : 'model server not ready in time');
        await run.end(this.#limits);
        return;
      }
      await pause(isReady ? watchPollMs : readyPollMs, signal);
    }
  }

  #enter(state: ModelServerState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}

const STUCK =
  'What the model server has started does not end, not even when it is killed; no other can be started beside it.';

/** One child, and the processes that it started. */
class Run {
  /** Undefined where there is no such program. */
  readonly group: ProcessGroup | undefined;
  /** Resolves when the child has ended, or does not end; rejects with `BridgeError` `exec_failed`. */
  readonly over: Promise<void>;
  readonly #child: ChildProcess;
  #ending: Promise<boolean> | undefined;
  #giveUp: () => void = () => undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.group = child.pid === undefined ? undefined : new ProcessGroup(child.pid);
    this.over = new Promise<void>((resolve, reject) => {
      this.#giveUp = resolve;
      child.once('exit', () => resolve());
      child.once('error', (cause) => {
        const message = 'The model server could not be started; is the command after -- right?';
        reject(new BridgeError('exec_failed', message, { cause }));
      });
    });
  }

  /** How the child ended, for the log. */
  get ending(): LogFields {
    const { exitCode, signalCode } = this.#child;
    return { exit_code: exitCode ?? undefined, signal: signalCode ?? undefined };
  }

  /** Ends all of them. @returns Whether they are gone. Idempotent: the first bounds count. */
  end(limits: EndingLimits): Promise<boolean> {
    this.#ending ??= (this.group?.end(limits) ?? Promise.resolve(true)).then((isGone) => {
      // Not even the child itself need be.
      if (!isGone) this.#giveUp();
      return isGone;
    });
    return this.#ending;
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
