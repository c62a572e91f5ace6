import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';

/**
 * Whether the model server is ready, by its `/health`. An answer holds for a second and one question runs at a time,
 * whoever asks; each is answered within `healthTimeoutMs`.
 */
export class HealthProbe {
  readonly #url: URL;
  readonly #limits: BridgeLimits;
  #asking: Promise<boolean> | undefined;
  #isReady = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  readonly #stopper = new AbortController();

  /** `upstream` is the address of the WebSocket; its health is at `/health` of the same host. */
  constructor(upstream: URL, limits: BridgeLimits) {
    this.#url = healthUrl(upstream);
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
      const timer = setTimeout(() => answer(false), timerMs(this.#limits.healthTimeoutMs));
      const options: RequestOptions = {
        method: 'GET',
        agent: false,
        signal,
        headers: { connection: 'close' },
      };
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(this.#url, options, (response) => {
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

function healthUrl(upstream: URL): URL {
  const url = new URL('/health', upstream);
  url.protocol = upstream.protocol === 'wss:' ? 'https:' : 'http:';
  return url;
}
