/**
 * The two example clients of vLLM in their own language and on their own WebSocket library (Debian's
 * python3-websockets): it offers compression, reads ahead 32 messages and then no more, and pings every 20 s.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PYTHON = '/usr/bin/python3';
const hasLibrary = spawnSync(PYTHON, ['-c', 'import websockets']).status === 0;
if (!hasLibrary) process.stderr.write('the tests of the Python clients are skipped: no python3-websockets\n');

const words = ['one', 'two', 'three', 'four.'].map((each, index) => ({
  text: each,
  startMs: 200 + index * 200,
  endMs: 350 + index * 200,
}));

function start(script: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(PYTHON, [join(import.meta.dirname, script), ...args], { stdio: 'pipe' });
  child.stderr.pipe(process.stderr);
  return child;
}

/** Silence: the scripted engine goes by the length of what it hears. */
const seconds = (count: number): Buffer => Buffer.alloc(count * 32_000);

describe.skipIf(!hasLibrary)("vLLM's Python clients", () => {
  let engine: ScriptedEngine;
  let server: RunningServer;
  let url: string;
  beforeAll(async () => {
    engine = createScriptedEngine({
      script: [{ words }],
      afterScript: 'repeat',
      roundMs: 1_000,
      model: 'scripted',
    });
    server = await startServer({ engine, attach: attachWebSockets, port: 0 });
    url = `${server.url.replace('http', 'ws')}/v1/realtime`;
  });
  afterAll(async () => {
    await server.close();
    await engine.close();
  });

  it('transcribe a file: a minute sent at once, nothing read meanwhile', async () => {
    const client = start('vllm_file_client.py', url, 'scripted');
    client.stdin.end(seconds(60));
    const output = await text(client.stdout);
    const [, session, sent, deltas, done, usage] =
      /^session: (.*)\n(sent)\n(.*)\ndone: (.*)\nusage: (.*)\n$/.exec(output) ?? [];
    expect(session).toMatch(/^sess-[0-9a-f]{16}$/);
    expect(sent).toBe('sent');
    expect(deltas).toBe(' one two three four.'.repeat(60));
    expect(done).toBe(deltas);
    expect(usage).toMatch(/^\{"prompt_tokens": 750, "total_tokens": \d+, "completion_tokens": \d+, /);
  });

  it('end with the error of the server', async () => {
    const client = start('vllm_file_client.py', url, 'no-such-model');
    client.stdin.end(seconds(1));
    expect(await text(client.stdout)).toMatch(/error: The model `no-such-model` does not exist\.\n$/);
  });

  it('hear words while they speak, never say that they are done, and leave no session behind', async () => {
    const client = start('vllm_microphone_client.py', url, 'scripted');
    let heard = '';
    client.stdout.setEncoding('utf8').on('data', (piece: string) => {
      heard += piece;
    });
    const until = async (wanted: string): Promise<void> => {
      while (!heard.endsWith(wanted)) await once(client.stdout, 'data');
    };
    client.stdin.write(seconds(1));
    await until(' three four.');
    client.stdin.end(seconds(2));
    await until(' one two three four.'.repeat(2));
    expect(server.sessionCount).toBe(1);
    client.kill('SIGKILL');
    while (server.sessionCount > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(engine.calls.streamsOpen).toBe(0);
  });
});
