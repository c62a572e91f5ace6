import { setTimeout as wait } from 'node:timers/promises';
import { HttpStatusError } from '@kikitori/core/hub';
import { isPassing } from '../aws/failure.js';
import { ARTEFACT_LIMITS } from './limits.js';

export interface RetryOptions {
  /** First wait, in milliseconds. */
  readonly retryDelayMs: number;
  /** Longest wait that a server may ask for, in milliseconds; when it asks for more, its answer is final. */
  readonly rateLimitMsMax: number;
  readonly signal: AbortSignal;
}

/**
 * Does something again while another try is worth it, at most `attemptsMax` times.
 *
 * @throws the last failure, or the signal's reason
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let vainTries = 1; ; vainTries += 1) {
    options.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      options.signal.throwIfAborted();
      await pauseAfter(error, vainTries, options);
    }
  }
}

/**
 * Waits until the next try: as long as the server asked for, else twice as long as before, with jitter so that many who
 * failed together do not come back together.
 *
 * @throws the failure itself when no other try is worth it
 */
export async function pauseAfter(error: unknown, vainTries: number, options: RetryOptions): Promise<void> {
  if (!isPassing(error) || vainTries >= ARTEFACT_LIMITS.attemptsMax) throw error;
  const askedMs = error instanceof HttpStatusError ? error.waitMs : undefined;
  if (askedMs !== undefined && askedMs > options.rateLimitMsMax) throw error;
  const doubledMs = Math.min(options.retryDelayMs * 2 ** (vainTries - 1), ARTEFACT_LIMITS.retryDelayMsMax);
  const waitMs = (askedMs ?? 0) + doubledMs * (0.5 + Math.random());
  await wait(waitMs, undefined, { signal: options.signal });
}
