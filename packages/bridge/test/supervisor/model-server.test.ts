import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields, Logger } from '@kikitori/core';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/errors.js';
import { type Health, HealthProbe } from '../../src/http/health.js';
import { parseUpstream } from '../../src/http/upstream.js';
import { BRIDGE_LIMITS } from '../../src/limits.js';
import {
  ModelServer,
  type ModelServerOptions,
  type ModelServerState,
} from '../../src/supervisor/model-server.js';
import { until } from '../peers.js';
import { isRunning, VllmLike } from './vllm-like.js';

const directory = mkdtempSync(join(tmpdir(), 'kikitori-supervisor-'));
const servers: ModelServer[] = [];
const likes: VllmLike[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const like of likes.splice(0)) like.kill();
});

const lines: { message: string; fields: LogFields }[] = [];
const note = (message: string, fields: LogFields = {}): void => {
  lines.push({ message, fields });
};
const logger: Logger = { debug: note, info: note, warn: note, error: note };

/** A child that runs this JavaScript. */
function start(script: string, options: Partial<ModelServerOptions> = {}): ModelServer {
  lines.length = 0;
  const server = ModelServer.start({
    command: [process.execPath, '-e', script],
    health: () => Promise.resolve('silent'),
    logger,
    ...options,
    limits: { restartMsMin: 1, restartMsMax: 4, readyPollMs: 1, killAfterMs: 100, ...options.limits },
  });
  servers.push(server);
  return server;
}

/** One that behaves like vLLM, supervised. */
async function startVllmLike(limits: ModelServerOptions['limits'] = {}) {
  const vllm = await VllmLike.make();
  likes.push(vllm);
  const probe = new HealthProbe(parseUpstream(vllm.upstream), { ...BRIDGE_LIMITS, healthCacheMs: 0 });
  const states: ModelServerState[] = [];
  const server = start('', {
    command: [...vllm.command, '--port', String(vllm.port)],
    health: () => probe.health(),
    onState: (state) => states.push(state),
    limits: { watchPollMs: 1, ...limits },
  });
  return { vllm, server, states };
}

const ended = (): LogFields[] =>
  lines.filter(({ message }) => message === 'model server ended').map(({ fields }) => fields);

/** A file that children write lines into. */
function notebook(name: string): { path: string; read: () => string[] } {
  const path = join(directory, name);
  writeFileSync(path, '');
  return { path, read: () => readFileSync(path, 'utf8').split('\n').filter(Boolean) };
}

describe('ModelServer', () => {
  it('starts again what ended, and gives up after so many failed starts in a row', async () => {
    const server = start('process.exit(3)', { limits: { startRetriesMax: 2 } });
    const error = await server.ended.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code: 'model_server_ended' });
    expect(server.starts).toBe(3);
    expect(lines.find(({ message }) => message === 'model server ended')?.fields).toMatchObject({
      exit_code: 3,
      was_ready: false,
    });
  });

  it('does not count starts that came to be ready', async () => {
    const server = start('setTimeout(() => process.exit(1), 20)', {
      health: () => Promise.resolve('ready'),
      limits: { startRetriesMax: 0 },
    });
    await until(() => server.starts >= 3);
    await server.stop();
    await expect(server.ended).resolves.toBeUndefined();
  });

  it('does not start again what may not be', async () => {
    const server = start('', { isRestarted: false, health: () => Promise.resolve('ready') });
    await expect(server.ended).rejects.toMatchObject({ code: 'model_server_ended' });
    expect(server.starts).toBe(1);
  });

  it('says so when there is no such program', async () => {
    const server = start('', { command: [join(directory, 'nothing-here')] });
    await expect(server.ended).rejects.toMatchObject({ code: 'exec_failed' });
  });

  it('ends it and all that it started, also what does not listen to SIGTERM, and leaves no zombie', async () => {
    const book = notebook('pids');
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
      require('node:fs').appendFileSync(${JSON.stringify(book.path)}, process.pid + '\\n');`;
    const server =
      start(`require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}]);
      ${stubborn}`);
    await until(() => book.read().length === 2);
    const pids = book.read().map(Number);
    expect(pids.every(isRunning)).toBe(true);
    await server.stop();
    await until(() => !pids.some(isRunning));
  });

  it('lets it end by itself on SIGTERM', async () => {
    const book = notebook('goodbye');
    const server = start(
      `const { appendFileSync } = require('node:fs');
      process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(book.path)}, 'bye\\n'); process.exit(0); });
      setInterval(() => {}, 1000); appendFileSync(${JSON.stringify(book.path)}, 'up\\n');`,
      {
        limits: { killAfterMs: 20_000 },
      },
    );
    await until(() => book.read().length === 1);
    await server.stop();
    expect(book.read()).toEqual(['up', 'bye']);
    await expect(server.ended).resolves.toBeUndefined();
  });

  it('kills a start that is never ready, as a failed one', async () => {
    const server = start('setInterval(() => {}, 1000)', { limits: { startMsMax: 50, startRetriesMax: 1 } });
    await expect(server.ended).rejects.toMatchObject({ code: 'model_server_ended' });
    expect(server.starts).toBe(2);
  });

  it('ends what the one that died left behind before it starts another', async () => {
    const book = notebook('orphans');
    const orphan = `require('node:fs').appendFileSync(${JSON.stringify(book.path)}, process.pid + '\\n');
      setInterval(() => {}, 1000);`;
    const server = start(
      `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(orphan)}], { stdio: 'ignore' });
       setInterval(() => { if (require('node:fs').readFileSync(${JSON.stringify(book.path)}, 'utf8') !== '') process.exit(1); }, 5)`,
      { isRestarted: false },
    );
    await server.ended.catch(() => undefined);
    const [pid = 0] = book.read().map(Number);
    expect(pid).toBeGreaterThan(0);
    await until(() => !isRunning(pid));
  });

  it('starts again what ended with 0, which nobody had asked for, also where its engine had died long after it was ready', async () => {
    const { vllm, server, states } = await startVllmLike({ startRetriesMax: 0 });
    vllm.load();
    await until(() => server.state === 'ready');
    expect(await vllm.ask('/engine-dies')).toBe(200);
    await until(() => server.starts === 2 && server.state === 'ready');
    expect(ended()).toMatchObject([{ exit_code: 0, was_ready: true }]);
    expect(states).toEqual(['loading', 'ready', 'ended', 'loading', 'ready']);
  });

  it('starts no other before all of the old one is gone: not its workers, which outlive it and ignore SIGTERM', async () => {
    const { vllm, server } = await startVllmLike();
    vllm.load();
    await until(() => server.state === 'ready');
    await vllm.ask('/killed');
    await until(() => server.starts === 2 && server.state === 'ready');
    expect(ended()).toMatchObject([{ signal: 'SIGKILL', left_behind: 1 }]);
    expect(vllm.noted('left')).toEqual(['0', '0']);
    await server.stop();
    await vllm.gone();
  });

  it('takes its time to load for no end of it', async () => {
    const { vllm, server } = await startVllmLike({ unreadyMsMax: 0 });
    await until(() => vllm.pids.length === 2);
    expect(server.state).toBe('loading');
    vllm.load();
    await until(() => server.state === 'ready');
    expect(server.starts).toBe(1);
  });

  it('ends one that says of itself that it is not ready any more and does not end by itself', async () => {
    const { vllm, server } = await startVllmLike({ unreadyMsMax: 20 });
    vllm.load();
    await until(() => server.state === 'ready');
    await vllm.ask('/hangs');
    await until(() => server.starts === 2 && server.state === 'ready');
    expect(lines.map(({ message }) => message)).toContain('model server not ready any more');
  });

  it('leaves one alone that is too busy to answer', async () => {
    const answers: Health[] = ['ready', 'silent', 'silent', 'silent', 'ready', 'silent'];
    let asked = 0;
    const health = (): Promise<Health> => Promise.resolve(answers[asked++] ?? 'ready');
    const limits = { unreadyMsMax: 0, watchPollMs: 1 };
    const server = start('setInterval(() => {}, 1000)', { health, limits });
    await until(() => asked > 10);
    expect(server.starts).toBe(1);
    expect(server.state).toBe('ready');
  });

  it('hands over what it writes, where somebody wants it', async () => {
    let text = '';
    const onOutput = (bytes: Uint8Array): void => {
      text += Buffer.from(bytes).toString();
    };
    const server = start('console.log("out"); console.error("err")', { isRestarted: false, onOutput });
    await server.ended.catch(() => undefined);
    await until(() => text.includes('out\n') && text.includes('err\n'));
  });
});

describe.skipIf(!existsSync('/proc/self/stat') || !existsSync('/bin/bash'))('ProcessGroup', () => {
  it('ends what has made a group of its own, too', async () => {
    const book = notebook('own-group');
    const worker = `require('node:fs').appendFileSync(${JSON.stringify(book.path)}, process.pid + '\\n');
      setInterval(() => {}, 1000)`;
    const server = start('', {
      // Job control: what stands in the background gets a group.
      command: ['/bin/bash', '-c', 'set -m; "$0" -e "$1" & wait', process.execPath, worker],
    });
    await until(() => book.read().length === 1);
    const [pid = 0] = book.read().map(Number);
    expect(groupOf(pid)).toBe(pid);
    await server.stop();
    expect(isRunning(pid)).toBe(false);
  });
});

function groupOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]);
}
