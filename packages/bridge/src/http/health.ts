import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';
import type { Upstream } from './upstream.js';

/** `unready`: it answered, and not with 200. `silent`: it did not answer in time. */
export type Health = 'ready' | 'unready' | 'silent';

/**
 * Whether the model server is ready, by its `/health`. An answer holds for a second and one question runs at a time,
 * whoever asks; each is answered within `healthTimeoutMs`.
 */
export class HealthProbe {
  readonly #upstream: Pick<Upstream, 'healthUrl' | 'headers'>;
  readonly #limits: BridgeLimits;
  #asking: Promise<Health> | undefined;
  #health: Health = 'silent';
  #askedMs = Number.NEGATIVE_INFINITY;
  readonly #stopper = new AbortController();

  constructor(upstream: Pick<Upstream, 'healthUrl' | 'headers'>, limits: BridgeLimits) {
    this.#upstream = upstream;
    this.#limits = limits;
  }

  /** Never rejects. */
  async isReady(): Promise<boolean> {
    return (await this.health()) === 'ready';
  }

  /** Never rejects. */
  health(): Promise<Health> {
    if (performance.now() - this.#askedMs < this.#limits.healthCacheMs) return Promise.resolve(this.#health);
    this.#asking ??= this.#ask().then((health) => {
      this.#health = health;
      this.#askedMs = performance.now();
      this.#asking = undefined;
      return health;
    });
    return this.#asking;
  }

  /** Nothing is asked any more, and what was asked counts as not answered. */
  close(): void {
    this.#stopper.abort();
  }

  #ask(): Promise<Health> {
    return new Promise((resolve) => {
      const { signal } = this.#stopper;
      const { healthUrl, headers } = this.#upstream;
      const timer = setTimeout(() => answer('silent'), timerMs(this.#limits.healthTimeoutMs));
      const options: RequestOptions = {
        method: 'GET',
        agent: false,
        signal,
        headers: { ...headers, connection: 'close' },
      };
      const send = healthUrl.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(healthUrl, options, (response) => {
        response.resume();
        answer(response.statusCode === 200 ? 'ready' : 'unready');
      });
      const answer = (health: Health): void => {
        clearTimeout(timer);
        resolve(health);
        request.destroy();
      };
      request.on('error', () => answer('silent'));
      request.end();
    });
  }
}
