import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** What Node keeps behind a socket. Not documented, the same since Node 12; everything is checked before it is used. */
interface Handle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Moves an accepted connection to a socket that reads into a buffer of ours. Node offers that (`onread`) for sockets
 * that connect, but not for those that a server accepts; there each read costs 64 KB of fresh memory and the way through
 * a stream: 10 to 70 % more processor time for a message on Node 20, 22 and 24 (docs/benchmarks.md).
 *
 * @returns The new socket, paused, with the old one gone; or undefined where this Node is built otherwise, and then
 * nothing was changed.
 */
export function adopt(accepted: Socket, onread: OnReadOpts): Socket | undefined {
  // Not in the types, because not documented.
  const holder = accepted as Socket & { _handle?: unknown };
  const handle = holder._handle;
  if (!isHandle(handle) || 'encrypted' in accepted || accepted.readableLength > 0) return undefined;
  handle.readStop();
  handle.reading = false;
  // Two of these are not in the types: `pauseOnCreate` is not documented either, `onread` only elsewhere.
  const options: SocketConstructorOpts & { handle: Handle; pauseOnCreate: true; onread: OnReadOpts } = {
    handle,
    pauseOnCreate: true,
    allowHalfOpen: true,
    readable: true,
    writable: true,
    onread,
  };
  const socket = new Socket(options);
  // Without its handle it only signs off from its server.
  holder._handle = null;
  accepted.destroy();
  return socket;
}

function isHandle(value: unknown): value is Handle {
  if (typeof value !== 'object' || value === null) return false;
  const methods = ['readStop', 'useUserBuffer'].map((name): unknown => Reflect.get(value, name));
  return methods.every((method) => typeof method === 'function') && 'reading' in value;
}
