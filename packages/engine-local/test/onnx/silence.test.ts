import { once } from 'node:events';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { silenceRuntime } from '../../src/onnx/silence.js';

const SWITCH = 'ORT_DISABLE_TELEMETRY';
const built = new URL('../../dist/onnx/silence.js', import.meta.url);

/** What a thread is told that wants the runtime's reports off; undefined when they are. */
async function refusalOf(env: NodeJS.Dict<string> | typeof SHARE_ENV): Promise<string | undefined> {
  const code = `import(${JSON.stringify(built.href)}).then(({ silenceRuntime }) => silenceRuntime())
    .then(() => undefined, (error) => error.message)
    .then((text) => require('node:worker_threads').parentPort.postMessage(text));`;
  const [refusal] = await once(new Worker(code, { eval: true, env }), 'message');
  return refusal;
}

describe("the runtime's reports to its maker", () => {
  const before = process.env[SWITCH];
  afterEach(() => {
    if (before === undefined) delete process.env[SWITCH];
    else process.env[SWITCH] = before;
  });

  it.each([undefined, '', '0', 'false'])('are off, also where the environment says %j', async (value) => {
    if (value === undefined) delete process.env[SWITCH];
    else process.env[SWITCH] = value;
    silenceRuntime();
    expect(process.env[SWITCH]).toBe('1');
    expect(await refusalOf(process.env)).toBeUndefined();
  });

  it('are off in a thread that shares the environment', async () => {
    delete process.env[SWITCH];
    expect(await refusalOf(SHARE_ENV)).toBeUndefined();
    expect(process.env[SWITCH]).toBe('1');
  });

  it('keep a thread from loading it that has an environment of its own, where the process has them on', async () => {
    delete process.env[SWITCH];
    expect(await refusalOf({ [SWITCH]: '1' })).toMatch(/main thread .* SHARE_ENV\.$/);
  });
});
