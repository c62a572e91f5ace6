import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields, Logger } from '@kikitori/core';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/errors.js';
import { ModelServer, type ModelServerOptions } from '../../src/supervisor/model-server.js';
import { until } from '../peers.js';

const directory = mkdtempSync(join(tmpdir(), 'kikitori-supervisor-'));
const servers: ModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
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
    isReady: () => Promise.resolve(false),
    logger,
    ...options,
    limits: { restartMsMin: 1, restartMsMax: 4, readyPollMs: 1, killAfterMs: 100, ...options.limits },
  });
  servers.push(server);
  return server;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie still has an entry.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

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
      isReady: () => Promise.resolve(true),
      limits: { startRetriesMax: 0 },
    });
    await until(() => server.starts >= 3);
    await server.stop();
    await expect(server.ended).resolves.toBeUndefined();
  });

  it('does not start again what may not be', async () => {
    const server = start('', { isRestarted: false, isReady: () => Promise.resolve(true) });
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
});
