/** The bridge of a container with the real vLLM: started by `SM_VLLM_*`, killed, restarted, ended. Some three minutes. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WsClient } from '../../packages/bridge/test/peers.js';
import { freePort } from '../../packages/cli/src/free-ports.js';
import { asInContainer, BRIDGE, Command, transcribe } from './command.js';
import { processesOf, whyNoVllm } from './real-server.js';

const VERSION = '0.32.0';
/** A guard against what hangs: a model that loads on a busy machine, behind another server that has to end first. */
const LOADED_MS_MAX = 900_000;

const why = whyNoVllm(VERSION) ?? (existsSync(BRIDGE) ? undefined : 'npm run build makes the bridge');

describe.skipIf(why !== undefined)('the bridge of a container, with vLLM', () => {
  let bridge: Command;
  let http = '';
  let url = '';
  let vllm = '';

  /** Groups of what was started, the newest last. */
  const groups = (): number[] =>
    [...bridge.stderr.matchAll(/"msg":"model server starting".*?"group":(\d+)/g)].map(([, id]) => Number(id));
  const newest = (): number => groups().at(-1) ?? 0;
  const lines = (message: string): Record<string, unknown>[] =>
    bridge.stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === message);
  const ready = (count: number): Promise<string> =>
    bridge.written('stderr', new RegExp(`(?:"msg":"model server ready"[\\s\\S]*?){${count}}`));
  const ping = async (): Promise<number> => (await fetch(`${http}/ping`)).status;
  const kill = (name: string): void => {
    const found = processesOf(newest()).find(({ title }) => title.includes(name));
    if (found === undefined) throw new Error(`No ${name} is there.`);
    process.kill(found.pid, 'SIGKILL');
  };

  beforeAll(async () => {
    const { words, env } = asInContainer(VERSION);
    vllm = `127.0.0.1:${await freePort()}`;
    bridge = new Command(BRIDGE, ['serve', '--host', '127.0.0.1', '--port', '0'], {
      ...env,
      KIKITORI_BRIDGE_UPSTREAM: `ws://${vllm}/v1/realtime`,
      KIKITORI_BRIDGE_STARTUP_WAIT_SECONDS: '1',
      KIKITORI_BRIDGE_EXEC: JSON.stringify(words),
    });
    const port = await bridge.written('stderr', /"msg":"listening","port":(\d+)/);
    http = `http://127.0.0.1:${port}`;
    url = `ws://127.0.0.1:${port}/invocations-bidirectional-stream`;
  });
  afterAll(async () => {
    bridge?.signal('SIGTERM');
    bridge?.signal('SIGINT');
    await bridge?.ended;
  }, 60_000);

  it('says while it loads that it does, to /ping and to whoever speaks already', async () => {
    expect(await ping()).toBe(503);
    const early = new WsClient(url);
    expect(await early.closed).toEqual({ code: 1013, reason: 'model is loading' });
  });

  it(
    'is in service once vLLM has taken all that SM_VLLM_* says, and passes on how much it takes at once',
    async () => {
      const patient = transcribe(['--url', url, '--wait', '800']);
      await ready(1);
      expect(await ping()).toBe(200);
      const list: unknown = await (await fetch(`${http}/v1/models`)).json();
      expect(list).toMatchObject({ data: [{ id: 'voxtral-toy', max_model_len: 2048 }] });
      const { exitCode, text, err } = await transcribe(['--url', url]);
      expect([exitCode, err]).toEqual([0, '']);
      expect(text).not.toBe('');
      // Who began while it was loading has come back until it was not.
      expect(await patient).toMatchObject({ exitCode: 0, text });
    },
    LOADED_MS_MAX,
  );

  it('leads a file of InvokeEndpoint to vLLM’s own route, and passes on what that says', async () => {
    const file = new Uint8Array(
      await readFile(join(import.meta.dirname, '..', '..', 'samples', 'ferry.flac')),
    );
    const form = new FormData();
    for (const [name, value] of [
      ['language', 'en'],
      ['temperature', '0'],
    ] as const) {
      form.append(name, value);
    }
    form.append('file', new File([file], 'ferry.flac'));
    const own = await fetch(`http://${vllm}/v1/audio/transcriptions`, { method: 'POST', body: form });
    const attributes = { 'x-amzn-sagemaker-custom-attributes': 'language=en&temperature=0' };
    const through = await fetch(`${http}/invocations`, { method: 'POST', headers: attributes, body: file });
    const [ownBody, body] = [await own.text(), await through.text()];
    expect([own.status, through.status, through.headers.get('content-type')], body).toEqual([
      200,
      200,
      own.headers.get('content-type'),
    ]);
    expect(JSON.parse(body)).toEqual(JSON.parse(ownBody));
    const wrong = await fetch(`${http}/invocations`, {
      method: 'POST',
      headers: { 'x-amzn-sagemaker-custom-attributes': 'model=unknown' },
      body: file,
    });
    expect([wrong.status, await wrong.text()]).toEqual([404, expect.stringContaining('unknown')]);
  }, 120_000);

  it(
    'starts it again when its engine has died, which it ends with 0 after, and is back in service',
    async () => {
      const speaking = new WsClient(url);
      await speaking.opened;
      kill('EngineCore');
      // vLLM's own goodbye: clients come back after it.
      expect((await speaking.closed).code).toBe(1012);
      await bridge.written('stderr', /"start":2/);
      expect(lines('model server ended')).toMatchObject([{ exit_code: 0, was_ready: true }]);
      await ready(2);
      expect(await ping()).toBe(200);
      expect(await transcribe(['--url', url])).toMatchObject({ exitCode: 0 });
    },
    LOADED_MS_MAX,
  );

  it('leaves nothing of one whose API server was killed before it starts another', async () => {
    const old = newest();
    kill('api_server');
    await bridge.written('stderr', /"start":3/);
    expect(processesOf(old)).toEqual([]);
    const [, second] = lines('model server ended');
    expect(second).toMatchObject({ signal: 'SIGKILL', left_behind: expect.any(Number) });
    // The engine and its worker.
    expect(Number(second?.['left_behind'])).toBeGreaterThanOrEqual(2);
  }, 60_000);

  it('leaves nothing behind at its end', async () => {
    const last = newest();
    bridge.signal('SIGTERM');
    expect(await bridge.ended).toBe(0);
    for (const group of [...groups(), last]) expect(processesOf(group)).toEqual([]);
  }, 60_000);
});
