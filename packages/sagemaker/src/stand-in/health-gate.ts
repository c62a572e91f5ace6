import { request } from 'node:http';
import type { Clock } from '@kikitori/core';
import type { StandInLimits } from './limits.js';

/** Where an endpoint, or one container of it, stands. SageMaker's words. */
export type EndpointStatus = 'Creating' | 'InService' | 'Failed';

/** What a gate asks, and whom it tells. */
export interface HealthGateOptions {
  /** Where the container listens: `ws://host:port`. */
  readonly containerUrl: string;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  /** Called once, with what was decided. */
  readonly onDecided: (status: 'InService' | 'Failed') => void;
}

/**
 * Asks a container `GET /ping` until it says 200 (then it is `InService`, for good) or until the window is over (then
 * it is `Failed`, for good). One question at a time; an answer other than 200, none in time or none at all is a no.
 */
export class HealthGate {
  readonly #options: HealthGateOptions;
  readonly #url: URL;
  #status: EndpointStatus = 'Creating';
  #untilMs = 0;
  #cancel: () => void = () => undefined;

  constructor(options: HealthGateOptions) {
    this.#options = options;
    this.#url = new URL('/ping', options.containerUrl.replace(/^ws/, 'http'));
  }

  get status(): EndpointStatus {
    return this.#status;
  }

  /** Asks for the first time at once. */
  start(): void {
    const { clock, limits } = this.#options;
    this.#untilMs = clock.nowMs() + limits.healthWindowMs;
    this.#ask();
  }

  /** Leaves no socket and no timer behind; the status stays. */
  stop(): void {
    this.#cancel();
  }

  #ask(): void {
    const { clock, limits } = this.#options;
    let isAnswered = false;
    const settle = (isHealthy: boolean): void => {
      if (isAnswered) return;
      isAnswered = true;
      cancelTimeout();
      question.destroy();
      this.#note(isHealthy);
    };
    const cancelTimeout = clock.after(limits.healthTimeoutMs, () => settle(false));
    const question = request(this.#url, { method: 'GET', agent: false });
    question.on('response', ({ statusCode }) => settle(statusCode === 200));
    question.on('error', () => settle(false));
    question.end();
    this.#cancel = () => {
      isAnswered = true;
      cancelTimeout();
      question.destroy();
    };
  }

  #note(isHealthy: boolean): void {
    const { clock, limits, onDecided } = this.#options;
    const leftMs = this.#untilMs - clock.nowMs();
    if (!isHealthy && leftMs > 0) {
      // One last question when the window ends.
      this.#cancel = clock.after(Math.min(limits.healthIntervalMs, leftMs), () => this.#ask());
      return;
    }
    const status = isHealthy ? 'InService' : 'Failed';
    this.#status = status;
    onDecided(status);
  }
}
