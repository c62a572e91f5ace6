/** A server on loopback in front of the scripted engine, and what the tests need to look inside. */

import { connect } from 'node:net';
import type { LogFields, Logger } from '@kikitori/core';
import { createScriptedEngine, type ScriptedEngine, type ScriptedEngineOptions } from '@kikitori/engine';
import { attachWebSockets } from '@kikitori/transport/ws';
import { type RunningServer, type StartServerOptions, startServer } from '../src/start-server.js';

/** Words of 300 ms, one every 400 ms, three to an utterance and a second of silence behind it; for ever. */
export const SCRIPT: ScriptedEngineOptions = {
  script: [
    {
      words: [
        { text: 'First', startMs: 100, endMs: 400 },
        { text: 'words', startMs: 500, endMs: 800 },
        { text: 'spoken.', startMs: 900, endMs: 1200 },
      ],
    },
  ],
  afterScript: 'repeat',
  roundMs: 2000,
  streamsMax: 4,
  model: 'scripted',
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly engine: ScriptedEngine;
  readonly url: string;
  readonly realtime: string;
  readonly log: LogLine[];
  metric(name: string): Promise<number | undefined>;
}

export async function startTestServer(
  options: {
    readonly engine?: Partial<ScriptedEngineOptions>;
    readonly server?: Partial<StartServerOptions>;
  } = {},
): Promise<TestServer> {
  const engine = createScriptedEngine({ ...SCRIPT, ...options.engine });
  const log: LogLine[] = [];
  const server = await startServer({
    engine,
    attach: attachWebSockets,
    port: 0,
    logger: loggerInto(log),
    ...options.server,
  });
  return {
    server,
    engine,
    log,
    url: server.url,
    realtime: `${server.url}/v1/realtime`,
    metric: async (name) => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await engine.close();
    },
  };
}

function loggerInto(log: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      log.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Waits until the condition holds, a turn of the event loop at a time; the test's own timeout is the bound. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

/** The raw answer to an upgrade request. */
export async function handshake(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
