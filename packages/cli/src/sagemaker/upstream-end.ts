import { ClientError, realtimeUrl, type ServedModel, servedModels } from '@kikitori/client';
import { sleep } from '@kikitori/core';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { MODEL_POLL_MS, MODEL_START_MS } from '../limits.js';
import { WaitingRow } from '../terminal/waiting-row.js';
import { type Answering, answeringOf, neverLost, type PathEnd } from './path-end.js';

/** A Realtime server that runs elsewhere, such as vLLM: nothing is loaded here. */
export class UpstreamEnd implements PathEnd {
  readonly realtimeUrl: string;
  readonly port = undefined;
  readonly doing: string;
  readonly startMsMax = MODEL_START_MS;
  readonly lost = neverLost;
  readonly #host: string;
  readonly #context: Context;

  /** `url`: an address as `--upstream` takes it. */
  constructor(url: string, context: Context) {
    this.realtimeUrl = realtimeUrl({ url });
    this.#host = new URL(url).host;
    this.doing = `waiting for the server at ${this.#host}`;
    this.#context = context;
  }

  isLoading(): boolean {
    return false;
  }

  async start(signal: AbortSignal): Promise<Answering> {
    const row = new WaitingRow(`Waiting for the server at ${this.#host}`, this.#context);
    try {
      return answeringOf(await this.#firstModel(signal), 'of another server');
    } finally {
      row.close();
    }
  }

  /** Waits for a server that is not up, as long as a model may load. */
  async #firstModel(signal: AbortSignal): Promise<ServedModel> {
    const { clock } = this.#context;
    const untilMs = clock.nowMs() + MODEL_START_MS;
    for (;;) {
      try {
        return (await servedModels(this.realtimeUrl, { signal }))[0];
      } catch (error) {
        if (!(error instanceof ClientError) || error.code === 'aborted') throw error;
        if (!isWorthIt(error) || clock.nowMs() >= untilMs) throw this.#failure(error);
      }
      await sleep(clock, MODEL_POLL_MS, { signal });
    }
  }

  #failure(cause: ClientError): CliError {
    const { httpStatus } = cause;
    const what =
      httpStatus === 401
        ? 'wants a key, which SageMaker has no place for; start it without one'
        : 'does not say which model it serves; is --upstream the address of a Realtime server';
    return new CliError('service_failed', `The server at ${this.#host} ${what}.`, { cause });
  }

  async drain(): Promise<void> {
    // It goes on for others; the bridge drains.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

/** Nobody is there, or it is not ready: not where the answer is one. */
function isWorthIt({ code, httpStatus }: ClientError): boolean {
  return code === 'connect_failed' || code === 'timeout' || httpStatus === 503 || httpStatus === 502;
}
