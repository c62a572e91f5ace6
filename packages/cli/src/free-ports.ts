import { createServer } from 'node:net';
import { CliError } from './errors.js';

/** A port that is wanted, and the flag that chooses another. */
export interface WantedPort {
  readonly port: number;
  readonly flag: string;
}

const HOST = '127.0.0.1';
/** How far a free port is looked for. Beyond it none is suggested. */
const STEPS_MAX = 100;
const PORT_MAX = 65_535;

/**
 * Resolves when every port is free on loopback; rejects with `CliError` `usage` and a command line that works instead. A
 * port of 0 is always free.
 */
export async function assertPortsFree(wanted: readonly WantedPort[], command: string): Promise<void> {
  const taken: WantedPort[] = [];
  for (const one of wanted) if (!(await isFree(one.port))) taken.push(one);
  if (taken.length === 0) return;
  const avoided = new Set(wanted.map(({ port }) => port));
  const flags: string[] = [];
  for (const { port, flag } of taken) {
    const free = await nextFree(port, avoided);
    avoided.add(free);
    flags.push(`${flag} ${free}`);
  }
  const ports = taken
    .map(({ port }) => port)
    .join(', ')
    .replace(/, (\d+)$/, ' and $1');
  const verb = taken.length === 1 ? `Port ${ports} is` : `Ports ${ports} are`;
  throw new CliError('usage', `${verb} in use or not for this user; try "${command} ${flags.join(' ')}".`);
}

async function nextFree(port: number, avoided: ReadonlySet<number>): Promise<number> {
  // Ports of the system are no suggestion for somebody who may not use them.
  const first = Math.max(port, 1023) + 1;
  for (let free = first; free < first + STEPS_MAX && free <= PORT_MAX; free += 1) {
    if (!avoided.has(free) && (await isFree(free))) return free;
  }
  return 0;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

/** A port of loopback that was free a moment ago, for a program that cannot say which one it took. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = address === null || typeof address === 'string' ? 0 : address.port;
      server.close(() => resolve(port));
    });
  });
}
