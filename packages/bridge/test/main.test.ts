import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { until, World } from './peers.js';
import { freePort, isRunning, VllmLike } from './supervisor/vllm-like.js';

const here = dirname(fileURLToPath(import.meta.url));
const file = join(here, '..', 'dist', 'kikitori-bridge.mjs');
const modelServer = join(here, 'model-server-process.js');

const world = new World();
afterEach(() => world.close());

class Command {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  /** `stdout`: where it writes to instead of a pipe. */
  constructor(args: readonly string[], env: Record<string, string> = {}, stdout?: number) {
    this.child = spawn(process.execPath, [file, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
    world.add(async () => {
      this.child.kill('SIGINT');
      this.child.kill('SIGTERM');
      await this.ended;
    });
  }

  lines(message: string): Record<string, unknown>[] {
    const objects = this.stderr.split('\n').filter((line) => line.startsWith('{'));
    return objects.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message);
  }

  async port(): Promise<number> {
    await until(() => this.lines('listening').length === 1);
    return Number(this.lines('listening')[0]?.['port']);
  }
}

// `npm run build` makes the file.
describe.skipIf(!existsSync(file))('kikitori-bridge, the single file', () => {
  it('runs as SageMaker runs it: starts the model server, survives its death, drains on SIGTERM', async () => {
    const upstreamPort = await freePort();
    const command = new Command(['serve'], {
      KIKITORI_BRIDGE_PORT: '0',
      KIKITORI_BRIDGE_HOST: '127.0.0.1',
      KIKITORI_BRIDGE_UPSTREAM: `ws://127.0.0.1:${upstreamPort}/v1/realtime`,
      KIKITORI_BRIDGE_EMF: 'true',
      KIKITORI_BRIDGE_EXEC: JSON.stringify([process.execPath, modelServer]),
      SM_VLLM_MODEL: 'some/model',
      SM_VLLM_ENFORCE_EAGER: 'true',
    });
    const port = await command.port();
    const ping = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/ping`)).status;
    const url = `ws://127.0.0.1:${port}/invocations-bidirectional-stream`;

    const first = await world.wsClient(url);
    first.socket.send('one');
    await until(() => first.texts.length === 2);
    expect(await ping()).toBe(200);
    expect(command.stdout).toContain(
      `arguments ["--port","${upstreamPort}","--model","some/model","--enforce-eager"]\n`,
    );

    first.socket.send('die');
    expect(await first.closed).toEqual({ code: 1011, reason: 'model server connection lost' });
    // The next waits until there is a model server again.
    const second = await world.wsClient(url);
    second.socket.send('two');
    await until(() => second.texts.length === 2);
    expect(second.texts[1]).toBe('echo two');
    expect(second.texts[0]).not.toBe(first.texts[0]);

    command.child.kill('SIGTERM');
    await until(() => command.lines('draining').length === 1);
    second.socket.send('three');
    await until(() => second.texts.length === 3);
    second.socket.close(1000);
    expect(await command.ended).toBe(0);
    expect(command.stdout).toContain('model server stops\n');
    const ended = command.lines('session ended').map(({ reason }) => reason);
    expect(ended).toEqual(['upstream_lost', 'client_closed']);
    // Never what was said.
    expect(command.stderr).not.toMatch(/one|three/);
    const metrics = command.stdout.split('\n').filter((line) => line.startsWith('{"_aws"'));
    expect(metrics.map((line) => JSON.parse(line)).map(({ Reason, Sessions }) => [Reason, Sessions])).toEqual(
      [
        ['upstream_lost', 1],
        ['client_closed', 1],
      ],
    );
  });

  it('says that the model loads while it does, and again while a dead engine is replaced', async () => {
    const vllm = await VllmLike.make();
    const flags = ['--port', '0', '--host', '127.0.0.1', '--startup-wait-seconds', '0'];
    const exec = ['--upstream', vllm.upstream, '--exec', '--', ...vllm.command];
    const command = new Command([...flags, ...exec]);
    world.add(() => vllm.kill());
    const port = await command.port();
    const url = `ws://127.0.0.1:${port}/invocations-bidirectional-stream`;
    const status = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    await until(() => vllm.pids.length === 2);
    const early = await world.wsClient(url, { protocols: ['any'] });
    expect(early.refusal).toMatchObject({ status: 503, body: expect.stringContaining('loading') });
    expect([await status('/ping'), await status('/v1/models')]).toEqual([503, 503]);

    vllm.load();
    await until(() => command.lines('model server ready').length === 1);
    const session = await world.wsClient(url);
    await until(() => session.texts.length === 1);
    expect(await status('/v1/models')).toBe(200);
    await vllm.ask('/engine-dies');
    // What vLLM itself says, and what clients take for "come back".
    expect((await session.closed).code).toBe(1012);
    await until(() => command.lines('model server ready').length === 2);
    expect(command.lines('model server ended')).toMatchObject([{ exit_code: 0, was_ready: true }]);
    expect(vllm.noted('left')).toEqual(['0', '0']);
    command.child.kill('SIGTERM');
    expect(await command.ended).toBe(0);
    expect(vllm.pids.filter(isRunning)).toEqual([]);
  });

  it('leaves no model server behind, not even when it is killed itself', async () => {
    const vllm = await VllmLike.make();
    vllm.load();
    const exec = ['--upstream', vllm.upstream, '--exec', '--', ...vllm.command];
    const command = new Command(['--port', '0', '--host', '127.0.0.1', ...exec]);
    world.add(() => vllm.kill());
    await until(() => command.lines('model server ready').length === 1);
    expect(vllm.pids.filter(isRunning)).toHaveLength(2);
    command.child.kill('SIGKILL');
    await command.ended;
    await vllm.gone();
  });

  it('ends with 1 when the model server is gone for good, so that the container is replaced', async () => {
    const args = ['--port', '0', '--host', '127.0.0.1', '--exec-arguments', 'none', '--exec', '--'];
    const command = new Command([...args, process.execPath, '-e', 'process.exit(7)'], {
      PROCESS_AUTO_RECOVERY: 'false',
    });
    expect(await command.ended).toBe(1);
    expect(command.lines('model server ended')[0]).toMatchObject({ exit_code: 7 });
  });

  it('stops at once when told twice', async () => {
    const upstream = await world.wsUpstream(() => undefined);
    const command = new Command(['--port', '0', '--host', '127.0.0.1', '--upstream', upstream.url]);
    const client = await world.wsClient(`ws://127.0.0.1:${await command.port()}/v1/realtime`);
    command.child.kill('SIGTERM');
    await until(() => command.lines('draining').length === 1);
    command.child.kill('SIGTERM');
    expect(await command.ended).toBe(0);
    expect((await client.closed).code).toBe(1006);
  });

  it('reaches a model server over TLS', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
      ],
    });
    const trusted = join(mkdtempSync(join(tmpdir(), 'kikitori-bridge-')), 'trusted.pem');
    writeFileSync(trusted, cert);
    const server = createTlsServer({ cert, key }, (_request, response) => void response.writeHead(200).end());
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', (data) => socket.send(data, { binary: false }));
      world.add(() => socket.terminate());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    world.add(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const upstream = `wss://localhost:${address.port}/v1/realtime`;
    const flags = ['--port', '0', '--host', '127.0.0.1', '--drain-seconds', '0', '--upstream', upstream];
    const command = new Command(flags, { NODE_EXTRA_CA_CERTS: trusted });
    const client = await world.wsClient(`ws://127.0.0.1:${await command.port()}/v1/realtime`);
    for (const size of [5, 500_000]) client.socket.send('x'.repeat(size));
    await until(() => client.texts.length === 2);
    expect(client.texts.map(({ length }) => length)).toEqual([5, 500_000]);
    const { port } = new URL(client.socket.url);
    expect((await fetch(`http://127.0.0.1:${port}/ping`)).status).toBe(200);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'goes on where its metrics cannot be written, and says so once',
    async () => {
      const upstream = await world.wsUpstream((socket) => socket.on('message', () => socket.send('heard')));
      const full = openSync('/dev/full', 'w');
      world.add(() => closeSync(full));
      const flags = ['--port', '0', '--host', '127.0.0.1', '--emf', '--upstream', upstream.url];
      const command = new Command(flags, {}, full);
      const url = `ws://127.0.0.1:${await command.port()}/v1/realtime`;
      for (const count of [1, 2]) {
        const client = await world.wsClient(url);
        client.socket.send('something');
        await until(() => client.texts.length === 1);
        client.socket.close(1000);
        await until(() => command.lines('session ended').length === count);
      }
      command.child.kill('SIGTERM');
      expect(await command.ended).toBe(0);
      expect(command.lines('metrics cannot be written; sessions go on')).toHaveLength(1);
      expect(await new Command(['--help'], {}, full).ended).toBe(1);
    },
  );

  it('says what is wrong with a flag, and what flags there are', async () => {
    const wrong = new Command(['--port', 'x']);
    expect(await wrong.ended).toBe(2);
    expect(wrong.stderr).toBe('kikitori-bridge: --port must be a whole number from 0 to 65535.\n');
    const help = new Command(['--help']);
    expect(await help.ended).toBe(0);
    expect(help.stdout).toContain('--upstream');
  });
});
