/** `kikitori up` with the real vLLM at its end: run by it, and by somebody else. Some two minutes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asInContainer, Command, KIKITORI, transcribe } from './command.js';
import { whyNoVllm } from './real-server.js';

const VERSION = '0.32.0';
/** A guard against what hangs, as in `bridge.test.ts`. */
const LOADED_MS_MAX = 900_000;
const PORTS = ['--bridge-port', '0', '--sagemaker-port', '0', '--page-port', '0'];

describe.skipIf(whyNoVllm(VERSION) !== undefined)('kikitori up, with vLLM', () => {
  let home = '';
  let env: NodeJS.ProcessEnv = {};
  const started: Command[] = [];
  const up = (words: readonly string[]): Command => {
    const command = new Command(KIKITORI, ['up', ...PORTS, ...words], env);
    started.push(command);
    return command;
  };
  const runtimeOf = (command: Command): Promise<string> =>
    command.written('stdout', /--endpoint-url (https:\/\/localhost:\d+)\n/);
  const pageOf = async (command: Command): Promise<unknown> => {
    const port = await command.written('stdout', /Open +http:\/\/localhost:(\d+)/);
    return await (await fetch(`http://127.0.0.1:${port}/v1/page`)).json();
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kikitori-up-vllm-'));
    env = { ...asInContainer(VERSION).env, KIKITORI_HOME: home };
  });
  afterAll(async () => {
    for (const command of started) command.signal('SIGTERM');
    for (const command of started) await command.ended;
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  let model = '';

  it(
    '--exec: loads it, and words come back through SageMaker’s stand-in; the page is there',
    async () => {
      const { words } = asInContainer(VERSION);
      const command = up(['--server-port', '0', '--exec', '--', ...words]);
      await command.written('stderr', /; starting the model server…/);
      const runtime = await runtimeOf(command);
      model = await command.written(
        'stdout',
        /Model +(ws:\/\/\S+) +voxtral-toy, run by this command, max_model_len 2048/,
      );
      const where = ['--endpoint', 'demo', '--endpoint-url', runtime];
      const { exitCode, text, err } = await transcribe(where, env);
      expect([exitCode, err]).toEqual([0, '']);
      expect(text).not.toBe('');
      expect(await pageOf(command)).toMatchObject({ models: ['voxtral-toy'] });
    },
    LOADED_MS_MAX,
  );

  it('--upstream: the same in front of one that runs already, and nothing is loaded', async () => {
    const command = up(['--upstream', model]);
    const where = ['--endpoint', 'demo', '--endpoint-url', await runtimeOf(command)];
    expect(await transcribe(where, env)).toMatchObject({ exitCode: 0, err: '' });
    expect(await pageOf(command)).toMatchObject({ models: ['voxtral-toy'] });
    command.signal('SIGINT');
    expect(await command.ended).toBe(0);
  }, 120_000);

  it('ends it at Ctrl-C', async () => {
    const [command] = started;
    command?.signal('SIGINT');
    expect(await command?.ended).toBe(0);
    await expect(fetch(model.replace(/^ws/, 'http'))).rejects.toThrow();
  }, 60_000);
});
