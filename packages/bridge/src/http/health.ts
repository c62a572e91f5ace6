import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';
import type { Upstream } from './upstream.js';

/**
 * Whether the model server is ready, by its `/health`. An answer holds for a second and one question runs at a time,
 * whoever asks; each is answered within `healthTimeoutMs`.
 */
export class HealthProbe {
  readonly #upstream: Pick<Upstream, 'healthUrl' | 'headers'>;
  readonly #limits: BridgeLimits;
  #asking: Promise<boolean> | undefined;
  #isReady = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  readonly #stopper = new AbortController();

  constructor(upstream: Pick<Upstream, 'healthUrl' | 'headers'>, limits: BridgeLimits) {
    this.#upstream = upstream;
    this.#limits = limits;
  }

  /** Never rejects. */
  isReady(): Promise<boolean> {
    if (performance.now() - this.#askedMs < this.#limits.healthCacheMs) return Promise.resolve(this.#isReady);
    this.#asking ??= this.#ask().then((isReady) => {
      this.#isReady = isReady;
      this.#askedMs = performance.now();
      this.#asking = undefined;
      return isReady;
    });
    return this.#asking;
  }

  /** Nothing is asked any more, and what was asked is answered with no. */
  close(): void {
    this.#stopper.abort();
  }

  #ask(): Promise<boolean> {
    return new Promise((resolve) => {
      const { signal } = this.#stopper;
      const { healthUrl, headers } = this.#upstream;
      const timer = setTimeout(() => answer(false), timerMs(this.#limits.healthTimeoutMs));
      const options: RequestOptions = {
        method: 'GET',
        agent: false,
        signal,
        headers: { ...headers, connection: 'close' },
      };
      const send = healthUrl.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(healthUrl, options, (response) => {
        response.resume();
        answer(response.statusCode === 200);
      });
      const answer = (isReady: boolean): void => {
        clearTimeout(timer);
        resolve(isReady);
        request.destroy();
      };
      request.on('error', () => answer(false));
      request.end();
    });
  }
}
