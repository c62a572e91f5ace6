import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '@kikitori/core';
import type { StandInLimits } from './limits.js';

/**
 * Ends an answer so that its client gets to read it: what was written goes out, what the client still sends is dropped,
 * and when it does not end its side the stream is reset with NO_ERROR, which says "stop sending, you have it all" (RFC
 * 9113 section 8.1). A client that does not read is cut off. Calls are for streams whose headers were sent; idempotent.
 */
export function endAnswer(
  stream: ServerHttp2Stream,
  { limits, clock }: { readonly limits: StandInLimits; readonly clock: Clock },
): void {
  if (stream.destroyed || stream.closed) return;
  let cancel: () => void = () => undefined;
  let leftBytes = Number.POSITIVE_INFINITY;
  const watchFlush = (): void => {
    if (stream.writableLength >= leftBytes) stream.close(constants.NGHTTP2_CANCEL);
    else {
      leftBytes = stream.writableLength;
      cancel = clock.after(limits.flushMs, watchFlush);
    }
  };
  watchFlush();
  stream.once('finish', () => {
    cancel();
    if (stream.readableEnded || stream.closed) return;
    cancel = clock.after(limits.lingerMs, () => stream.close(constants.NGHTTP2_NO_ERROR));
  });
  stream.once('close', () => cancel());
  stream.end();
  // Whatever comes is read, and dropped by whoever listens, or by nobody.
  stream.resume();
}
