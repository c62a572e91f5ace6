import { ClientError, type ServedModel, servedModels } from '@kikitori/client';
import { type Clock, sleep, systemClock } from '@kikitori/core';
import type { Connect } from '@kikitori/transport';
import { refusalOf, UpstreamError } from '../errors.js';
import { UPSTREAM_LIMITS } from '../limits.js';
import { besideRealtime } from './address.js';
import { knock } from './knock.js';
import { type PlacesFound, placesIn, type UtteranceBounds } from './places.js';

/** Where another server is, and whom to tell how it is. */
export interface UpstreamWatchOptions {
  /** Its Realtime address. */
  readonly url: string;
  readonly apiKey?: string;
  /** The way to it, as sessions take it. */
  readonly connect: Connect;
  /** What people are told it is; public. */
  readonly label: string;
  /** Its name was given: it need not say which models it serves. */
  readonly model?: string;
  /** Told whenever that changes. */
  readonly onChange?: (missing: string | undefined) => void;
  readonly clock?: Clock;
}

const NOT_THERE = 'The model server behind this one is not there yet. Try again in a moment.';
const LOADING = 'The model server behind this one is still loading. Try again in a moment.';
const AWAY = 'The model server behind this one is away. Try again in a moment; it is waited for.';

/** Waits for another server, then watches over it: whether sessions can be answered, at every moment. */
export class UpstreamWatch {
  readonly label: string;
  readonly #options: UpstreamWatchOptions;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #losses = new Map<string, number>();
  #missing: string | undefined = NOT_THERE;
  #maxModelLen: number | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: UpstreamWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.label = options.label;
  }

  /** Why nobody can be answered now, in a sentence; undefined: everybody can. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** Tokens that one utterance may take there; undefined: not known. */
  get maxModelLen(): number | undefined {
    return this.#maxModelLen;
  }

  /** Ways to it that were lost so far, by code. */
  get losses(): ReadonlyMap<string, number> {
    return this.#losses;
  }

  noteLoss(code: string): void {
    this.#losses.set(code, (this.#losses.get(code) ?? 0) + 1);
  }

  /**
   * Resolves with its model once it serves one and lets us in, however long that takes; from then on it is watched over.
   * Rejects with `UpstreamError` for what waiting does not mend, or the signal's reason.
   */
  async found(signal: AbortSignal): Promise<ServedModel> {
    for (let tries = 0; ; tries += 1) {
      signal.throwIfAborted();
      const model = await this.#ask(signal);
      if (model !== undefined) {
        this.#maxModelLen = model.maxModelLen;
        this.#change(undefined);
        this.#watching = this.#watch().catch(() => undefined);
        return model;
      }
      await sleep(this.#clock, backOffMs(tries), { signal });
    }
  }

  /** What its metrics say of how many sessions it carries; undefined: nothing that is understood. Never rejects. */
  async places(bounds: UtteranceBounds): Promise<PlacesFound | undefined> {
    const answer = await this.#get('metrics').catch(() => undefined);
    if (answer?.ok !== true) return undefined;
    const text = await textOf(answer).catch(() => '');
    return placesIn(text, bounds);
  }

  /** Ends the watch. Idempotent. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  /** Undefined: not yet. */
  async #ask(signal: AbortSignal): Promise<ServedModel | undefined> {
    const { url, apiKey, connect, model } = this.#options;
    try {
      const named = { id: model ?? '', languages: [], maxModelLen: undefined };
      const served = model === undefined ? (await this.#models(signal))[0] : named;
      const isListed = model === undefined;
      const isOpen = await knock({ url, apiKey, connect, clock: this.#clock, signal, isListed });
      return isOpen ? served : undefined;
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      signal.throwIfAborted();
      const { httpStatus } = error instanceof ClientError ? error : {};
      this.#change(httpStatus === undefined ? NOT_THERE : LOADING);
      return undefined;
    }
  }

  async #models(signal: AbortSignal): Promise<readonly [ServedModel, ...ServedModel[]]> {
    const { url, apiKey } = this.#options;
    try {
      return await servedModels(url, { signal, ...(apiKey === undefined ? {} : { apiKey }) });
    } catch (cause) {
      if (!(cause instanceof ClientError)) throw cause;
      const { httpStatus = 0, code } = cause;
      if (httpStatus === 401 || httpStatus === 403) throw refusalOf(apiKey, cause);
      const isElse = code === 'protocol_error' || (httpStatus >= 400 && httpStatus < 500);
      if (isElse && httpStatus !== 429) {
        throw new UpstreamError('no_models', 'The server does not say which models it serves.', { cause });
      }
      throw cause;
    }
  }

  /** Asks again and again whether it is well. */
  async #watch(): Promise<void> {
    const { signal } = this.#over;
    let failures = 0;
    for (;;) {
      const isAway = this.#missing !== undefined;
      const waitMs = isAway ? backOffMs(failures) : UPSTREAM_LIMITS.healthIntervalMs;
      await sleep(this.#clock, waitMs, { signal });
      failures = (await this.#isWell()) ? 0 : failures + 1;
      if (failures === 0) this.#change(undefined);
      else if (failures >= UPSTREAM_LIMITS.healthFailuresMax) this.#change(AWAY);
    }
  }

  /** Other servers may have no such route: who answers is there. */
  async #isWell(): Promise<boolean> {
    const answer = await this.#get('health').catch(() => undefined);
    await answer?.body?.cancel();
    return answer !== undefined && answer.status < 500;
  }

  async #get(route: string): Promise<Response> {
    const { url, headers } = besideRealtime(this.#options.url, route, this.#options.apiKey);
    const late = new AbortController();
    const cancel = this.#clock.after(UPSTREAM_LIMITS.probeTimeoutMs, () => late.abort());
    try {
      return await fetch(url, { headers, signal: AbortSignal.any([late.signal, this.#over.signal]) });
    } finally {
      cancel();
    }
  }

  #change(missing: string | undefined): void {
    if (missing === this.#missing) return;
    this.#missing = missing;
    this.#options.onChange?.(missing);
  }
}

/** The wait doubles from try to try up to a bound. */
function backOffMs(tries: number): number {
  return Math.min(UPSTREAM_LIMITS.probeMsMax, UPSTREAM_LIMITS.probeMsMin * 2 ** Math.min(tries, 10));
}

/** As far as it is not longer than a bound. */
async function textOf(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > UPSTREAM_LIMITS.answerBytesMax) return '';
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
