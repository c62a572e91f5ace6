import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { assertPortsFree } from '../src/free-ports.js';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function takePort(): Promise<number> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server that listens has an address object.
  return (server.address() as AddressInfo).port;
}

describe('assertPortsFree', () => {
  it('is content with free ports, and with any', async () => {
    await assertPortsFree([{ port: 0, flag: '--a' }], 'kikitori up');
  });

  it('names every port that is taken, and a command line that works instead', async () => {
    const [first, second] = [await takePort(), await takePort()];
    const wanted = [
      { port: first, flag: '--a-port' },
      { port: 0, flag: '--b-port' },
      { port: second, flag: '--c-port' },
    ];
    const error: unknown = await assertPortsFree(wanted, 'kikitori up').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'CliError', code: 'usage' });
    const [, ports, a, c] =
      /^Ports (\d+ and \d+) are .*; try "kikitori up --a-port (\d+) --c-port (\d+)"\.$/.exec(
        String((error as Error).message),
      ) ?? [];
    expect(ports).toBe(`${first} and ${second}`);
    expect(a).not.toBe(c);
    await assertPortsFree(
      [
        { port: Number(a), flag: '--a-port' },
        { port: Number(c), flag: '--c-port' },
      ],
      'x',
    );
  });
});
