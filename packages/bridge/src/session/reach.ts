import { timerMs } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import type { HandshakeAnswer } from '@kikitori/transport/frames';
import type { BridgeLimits } from '../limits.js';
import { dial } from '../wire/dial.js';
import type { Wire } from '../wire/wire.js';

/** What to ask the model server for. */
export interface UpstreamRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocols: readonly string[];
}

/** How it went. */
export type Reached =
  | {
      readonly kind: 'open';
      readonly wire: Wire;
      readonly rest: Buffer;
      readonly protocol: string | undefined;
    }
  | Extract<HandshakeAnswer, { kind: 'refused' }>
  /** Not up within `startupWaitMs`. */
  | { readonly kind: 'unavailable' };

/** What reaching depends on. */
export interface ReachOptions {
  readonly limits: BridgeLimits;
  /** Whether the model server says of itself that it is ready. */
  readonly isUpstreamReady: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

// What a server, or something before it, answers while it is not ready. Only then is its health asked.
const NOT_READY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Opens a line to the model server, trying again while it is not up: nobody listens there, it hangs up, or it refuses with
 * 502, 503 or 504 and says of itself that it is not ready. A ready server's refusal is its answer. Rejects only with the
 * signal's reason.
 */
export async function reachUpstream(request: UpstreamRequest, options: ReachOptions): Promise<Reached> {
  const { limits, isUpstreamReady, signal } = options;
  const deadline = performance.now() + limits.startupWaitMs;
  let waitMs = limits.retryMsMin;
  for (;;) {
    const timeoutMs = Math.max(deadline - performance.now(), limits.handshakeMsMin);
    try {
      const dialled = await dial({ ...request, timeoutMs, signal });
      const { answer } = dialled;
      if ('wire' in dialled) {
        return {
          kind: 'open',
          wire: dialled.wire,
          rest: dialled.answer.rest,
          protocol: dialled.answer.protocol,
        };
      }
      if (answer.kind === 'refused') {
        if (!NOT_READY_STATUSES.has(answer.status) || (await isUpstreamReady())) return answer;
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError)) throw error;
      // Whatever it was, it was not an answer: the server is not up.
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { kind: 'unavailable' };
    await pause(Math.min(waitMs, leftMs), signal);
    waitMs = Math.min(waitMs * 2, limits.retryMsMax);
  }
}

/** Rejects with the signal's reason. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, timerMs(delayMs));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
