import type { IncomingMessage } from 'node:http';
import type { Clock } from '@kikitori/core';
import type { HttpLimits } from '../limits.js';

/** Reads on for a while: a sender that is reset while it sends does not get to read why. */
export async function discardBody(
  request: IncomingMessage,
  { clock, limits }: { readonly clock: Clock; readonly limits: HttpLimits },
): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let seenBytes = 0;
    const cancel = clock.after(limits.discardMs, resolve);
    const done = (): void => {
      cancel();
      resolve();
    };
    request.on('data', (chunk: Uint8Array) => {
      seenBytes += chunk.length;
      if (seenBytes > limits.discardBytesMax) done();
    });
    request.once('end', done);
    request.once('close', done);
    request.resume();
  });
}
