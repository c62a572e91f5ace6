import type { IncomingMessage } from 'node:http';
import type { Clock } from '@kikitori/core';
import { refusal } from '../errors.js';

const TOO_LARGE = 'The body is too large. Send less at once.';
const STALLED = 'The body did not arrive in time. Send it again.';
const NO_JSON = 'The body is not JSON. Send an object with "content-type: application/json".';

/** How much may come, and how long it may take. */
export interface BodyLimits {
  readonly bodyBytesMax: number;
  readonly bodyMs: number;
}

/**
 * Reads a small JSON body. The media type has to be JSON: a page of another origin cannot send that without being
 * asked about first, and here nobody says yes.
 *
 * @throws ServerError `request_refused`: 400, 408, 413, 415
 */
export async function readJsonBody(
  request: IncomingMessage,
  { clock, limits }: { readonly clock: Clock; readonly limits: BodyLimits },
): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw refusal(415, NO_JSON);
  }
  const chunks: Buffer[] = [];
  await receive(request, { clock, limits, onChunk: (chunk) => chunks.push(chunk) });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    // The cause is left out on purpose: its message quotes the input.
    throw refusal(400, NO_JSON);
  }
}

/**
 * Lets a body pass that nobody wants, within the same bounds: a sender that is cut off while it sends does not get to read
 * the answer. Nothing is kept. Never rejects.
 */
export async function skipBody(
  request: IncomingMessage,
  { clock, limits }: { readonly clock: Clock; readonly limits: BodyLimits },
): Promise<void> {
  await receive(request, { clock, limits, onChunk: () => undefined }).catch(() => undefined);
}

interface Reception {
  readonly clock: Clock;
  readonly limits: BodyLimits;
  readonly onChunk: (chunk: Buffer) => void;
}

function receive(request: IncomingMessage, { clock, limits, onChunk }: Reception): Promise<void> {
  return new Promise((resolve, reject) => {
    let sizeBytes = 0;
    const cancel = clock.after(limits.bodyMs, () => settle(() => reject(refusal(408, STALLED))));
    const settle = (how: () => void): void => {
      cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      // What still comes of it is nobody's.
      request.resume();
      how();
    };
    const onData = (chunk: Buffer): void => {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limits.bodyBytesMax) settle(() => reject(refusal(413, TOO_LARGE)));
      else onChunk(chunk);
    };
    const onEnd = (): void => settle(resolve);
    const onClose = (): void => settle(() => reject(refusal(408, STALLED)));
    request.on('data', onData).once('end', onEnd).once('close', onClose);
  });
}
