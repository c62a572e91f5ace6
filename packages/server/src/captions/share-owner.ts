import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Whose request it is: that of a key, where one came with it, else that of an address. Kept in memory; holds no secret. */
export function ownerOf({ headers, socket }: IncomingMessage): string {
  const { authorization } = headers;
  if (authorization === undefined) return `address ${socket.remoteAddress ?? ''}`;
  return `key ${createHash('sha256').update(authorization, 'utf8').digest('base64url')}`;
}
