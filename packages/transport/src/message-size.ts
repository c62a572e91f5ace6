import type { Message } from './connection.js';
import { TransportError } from './errors.js';

/**
 * Bytes of a message on the wire, exact when that can matter for the limit, else an upper bound.
 *
 * A UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting.
 */
export function messageBytes(message: Message, limitBytes: number): number {
  if (typeof message !== 'string') return message.byteLength;
  const bytesMax = message.length * 3;
  if (bytesMax <= limitBytes) return bytesMax;
  if (message.length > limitBytes) return message.length;
  return new TextEncoder().encode(message).byteLength;
}

/** Throws `message_too_big` before anything of the message is sent. */
export function assertMessageFits(message: Message, limitBytes: number): void {
  if (messageBytes(message, limitBytes) > limitBytes) {
    throw new TransportError('message_too_big', 'The message is above the limit; send it in smaller parts.');
  }
}
