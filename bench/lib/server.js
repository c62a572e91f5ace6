/** A real `kikitori serve` in a process of its own, for measuring what a client sees. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const START_MS_MAX = 120_000;

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Starts a server and waits until it is healthy; of another checkout that was built, where one is named. `stop` ends it, by its own process id. */
export async function startServer(args = [], checkout = root) {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      join(checkout, 'packages/cli/bin/kikitori.js'),
      'serve',
      '--port',
      String(port),
      '--log-level',
      'warn',
      ...args,
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    const healthy = await fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) break;
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('the server did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    pid: child.pid,
    url: `ws://127.0.0.1:${port}/v1/realtime`,
    http: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
