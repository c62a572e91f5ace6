import { ClientError } from '@kikitori/client';
import { EngineError } from '@kikitori/engine';
import { TransportError } from '@kikitori/transport';

const FORBIDDEN: ReadonlySet<number | undefined> = new Set([401, 403]);

/** What a stream fails with when its session did. */
export function failureOf(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (error instanceof ClientError && FORBIDDEN.has(error.httpStatus)) {
    return new EngineError('model_unavailable', 'The model server does not let us in; is the key right?', {
      cause: error,
    });
  }
  if (error instanceof ClientError && error.code === 'invalid_argument') {
    return new EngineError('engine_internal', 'The model server cannot be spoken to in this way.', {
      cause: error,
    });
  }
  return new EngineError('engine_worker_lost', 'The model server is away, or failed.', { cause: error });
}

/** What ended a connection, in a word that is safe for logs and metric labels. */
export function lossCode(error: unknown): string {
  if (!(error instanceof ClientError)) return 'unknown';
  return error.cause instanceof TransportError ? error.cause.code : error.code;
}
