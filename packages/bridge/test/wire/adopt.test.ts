import { createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { adopt } from '../../src/wire/adopt.js';
import { until, World } from '../peers.js';

const world = new World();
afterEach(() => world.close());

it('moves a connection to a socket that reads into our buffer; its server counts it out', async () => {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { connect } = await import('node:net');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect(address.port, '127.0.0.1');
  const buffer = Buffer.alloc(16);
  const seen: string[] = [];
  const socket = adopt(await accepted, {
    buffer,
    callback: (length, memory) => {
      expect(memory).toBe(buffer);
      seen.push(buffer.toString('latin1', 0, length));
      return true;
    },
  });
  if (socket === undefined) throw new Error('this Node is built otherwise: see adopt.ts');
  client.write('hello');
  socket.write('welcome');
  socket.resume();
  let heard = '';
  client.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  await until(() => seen.join('') === 'hello' && heard === 'welcome');
  const counted = await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  expect(counted).toBe(0);
  client.end();
  await new Promise((resolve) => socket.once('end', resolve));
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => server.close(resolve));
});
