import type { IncomingMessage } from 'node:http';
import type { Clock } from '@kikitori/core';
import { refusal, type ServerError } from '../errors.js';
import type { HttpLimits } from '../limits.js';

const STALLED = 'The body stopped arriving. Send the file again.';

export interface BodyWatch {
  readonly clock: Clock;
  readonly limits: HttpLimits;
  /** More: `tooLarge`. */
  readonly lengthBytesMax: number;
  readonly tooLarge: ServerError;
  /** All of it has come, and for as long as it may stall nobody has made anything of it. */
  readonly unfinished: ServerError;
  readonly fail: (why: ServerError) => void;
}

/** Counts what arrives of a body, and how long nothing does; answers how to stop. */
export function watchBody(request: IncomingMessage, options: BodyWatch): () => void {
  const { clock, limits, lengthBytesMax, fail } = options;
  let cancelStall = (): void => {};
  let lengthBytes = 0;
  const watch = (why = refusal(408, STALLED)): void => {
    cancelStall();
    cancelStall = clock.after(limits.bodyStallMs, () => fail(why));
  };
  const onEnd = (): void => watch(options.unfinished);
  const onData = (chunk: Uint8Array): void => {
    watch();
    lengthBytes += chunk.length;
    if (lengthBytes > lengthBytesMax) fail(options.tooLarge);
  };
  request.on('data', onData).once('end', onEnd);
  watch();
  return () => {
    cancelStall();
    request.off('data', onData).off('end', onEnd);
  };
}
