import { timerMs } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import { ClientHandshake, FRAME_LIMITS, type HandshakeAnswer } from '@kikitori/transport/frames';
import { Wire } from './wire.js';

/** Where to, and what to ask for. */
export interface DialOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocols: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The answer; an open one comes with its line: paused, without a listener. */
export type Dialled =
  | { readonly answer: Extract<HandshakeAnswer, { kind: 'open' }>; readonly wire: Wire }
  | { readonly answer: Extract<HandshakeAnswer, { kind: 'refused' }> };

/**
 * One opening handshake over a wire. Rejects with `TransportError` `connect_failed`, `connect_timeout`,
 * `protocol_error`, or the signal's reason; then nothing is left open.
 */
export function dial({ url, headers, protocols, timeoutMs, signal }: DialOptions): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const handshake = new ClientHandshake({ url, headers, protocols });
    const wire = Wire.connect(url);
    let bodyTimer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(bodyTimer);
      signal.removeEventListener('abort', onAbort);
      wire.unlisten();
    };
    const fail = (reason: unknown): void => {
      settle();
      wire.destroy();
      reject(reason);
    };
    const take = (answer: HandshakeAnswer | undefined): void => {
      if (answer === undefined) {
        fail(new TransportError('connect_failed', 'The model server hung up without an answer.'));
        return;
      }
      settle();
      if (answer.kind === 'refused') {
        wire.destroy();
        resolve({ answer });
      } else {
        resolve({ answer, wire });
      }
    };
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(() => {
      fail(new TransportError('connect_timeout', 'The model server did not answer the handshake in time.'));
    }, timerMs(timeoutMs));
    signal.addEventListener('abort', onAbort);
    wire.listener = {
      onBytes: (buffer, length) => {
        try {
          const answer = handshake.push(Buffer.from(buffer.subarray(0, length)));
          if (answer !== undefined) {
            take(answer);
            return false;
          }
          const isBodyComing = handshake.end() !== undefined;
          if (isBodyComing) {
            bodyTimer ??= setTimeout(() => take(handshake.end()), FRAME_LIMITS.refusalBodyTimeoutMs);
          }
        } catch (error) {
          fail(error);
          return false;
        }
        return true;
      },
      onEnd: () => take(handshake.end()),
      onDrain: () => undefined,
      onClose: () => take(handshake.end()),
    };
    wire.write(handshake.request);
  });
}
