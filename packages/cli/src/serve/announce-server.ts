import { reachableHosts } from '@kikitori/server';
import type { Context } from '../context.js';
import { version } from '../program.js';
import { announce } from '../terminal/announcement.js';
import { type ServedAt, serverLines } from './server-lines.js';

/** A server as it is told of. */
export type AnnouncedServer = Omit<ServedAt, 'others'>;

/** Says where it is and how to try it. */
export function announceServer(description: string, server: AnnouncedServer, context: Context): void {
  const others = reachableHosts(server.host);
  announce(
    [`Kikitori ${version()}`, ` is ready: ${description}`],
    serverLines({ ...server, others }),
    context,
  );
}
