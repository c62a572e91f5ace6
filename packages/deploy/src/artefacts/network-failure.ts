import { isTransient as isTransientAnywhere } from '@kikitori/core/hub';

const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'InternalError',
  'ServiceUnavailable',
  // `fetch` says nothing else when a connection breaks while it reads.
  'TimeoutError',
]);

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Is another try in a moment worth it? Unreachable, broken off, overloaded; of a hub, of S3, of `fetch`. */
export function isTransient(error: unknown): boolean {
  if (isTransientAnywhere(error)) return true;
  let current = error;
  // Causes nest a few levels deep; the bound is against a cycle.
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (TRANSIENT_NAMES.has(current.name) || TRANSIENT_STATUSES.has(statusOf(current) ?? 0)) return true;
    current = current.cause;
  }
  return false;
}

/** The HTTP status of an error of AWS's client; none when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { $metadata } = error;
  if (typeof $metadata !== 'object' || $metadata === null || !('httpStatusCode' in $metadata))
    return undefined;
  return typeof $metadata.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined;
}
