import { EngineError } from '@kikitori/engine';
import { describe, expect, it } from 'vitest';
import { LOCAL_LIMITS } from '../../src/limits.js';
import type { WorkerRole } from '../../src/worker/messages.js';
import { DecoderThread } from '../../src/worker/thread.js';

const FILE = new URL('./dying-worker.mjs', import.meta.url);

function dyingThread(deaths: number, more: Record<string, unknown> = {}, check?: () => Promise<unknown>) {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  // The test's worker takes its orders from where a real one finds its files.
  const role = { type: 'decoder', files: { counter, deaths, ...more } } as unknown as WorkerRole;
  return { thread: new DecoderThread(role, check, FILE), starts: () => Atomics.load(counter, 0) };
}

const request = (length: number) => ({
  samples: new Float32Array(length),
  prefix: [],
  draft: [],
  tokensMax: 4,
});

describe('a thread', () => {
  it('answers what it was asked', async () => {
    const { thread } = dyingThread(0);
    await thread.start();
    expect(await thread.decode(request(5))).toEqual({ tokens: [5] });
    expect(thread.pending).toBe(0);
    await thread.close();
  });

  it('that dies fails what it was asked, and is replaced for the next question', async () => {
    const { thread, starts } = dyingThread(2);
    await thread.start();
    await expect(thread.decode(request(1))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    await expect(thread.decode(request(2))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    expect(await thread.decode(request(3))).toEqual({ tokens: [3] });
    expect(starts()).toBe(3);
    await thread.close();
  });

  it('that is replaced loads nothing that has become another file meanwhile', async () => {
    let isDamaged = false;
    const check = async () => {
      if (isDamaged) throw new EngineError('model_invalid', 'The model is damaged.');
    };
    const { thread, starts } = dyingThread(2, {}, check);
    await thread.start();
    isDamaged = true;
    await expect(thread.decode(request(1))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    await expect(thread.decode(request(2))).rejects.toMatchObject({ code: 'model_invalid' });
    expect(starts()).toBe(1);
    isDamaged = false;
    await expect(thread.decode(request(3))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    expect(await thread.decode(request(4))).toEqual({ tokens: [4] });
    await thread.close();
  });

  it('that is closed while its files are checked loads nothing', async () => {
    const checks: (() => void)[] = [];
    const check = () => new Promise<void>((resolve) => checks.push(resolve));
    const { thread, starts } = dyingThread(1, {}, check);
    await thread.start();
    expect(checks).toEqual([]);
    await expect(thread.decode(request(1))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    const asked = thread.decode(request(2));
    const closing = thread.close();
    checks[0]?.();
    await expect(asked).rejects.toMatchObject({ code: 'engine_closed' });
    await closing;
    expect(starts()).toBe(1);
  });

  it('that dies again and again is given up, with a sentence', async () => {
    const { thread, starts } = dyingThread(1000);
    for (let i = 0; i < LOCAL_LIMITS.threadDeathsMax + 3; i += 1) {
      await expect(thread.decode(request(1))).rejects.toMatchObject({ code: 'engine_worker_lost' });
    }
    expect(starts()).toBe(LOCAL_LIMITS.threadDeathsMax + 1);
    await thread.close();
  });

  it('that cannot use its files says so', async () => {
    const { thread } = dyingThread(0, { unusable: true });
    await expect(thread.start()).rejects.toMatchObject({ code: 'model_invalid' });
    await thread.close();
  });

  it('that was closed fails everything with engine_closed, before and after', async () => {
    const { thread } = dyingThread(1000);
    await thread.start();
    const asked = thread.decode(request(1));
    const closing = thread.close();
    await expect(asked).rejects.toMatchObject({ code: /engine_closed|engine_worker_lost/ });
    await closing;
    await expect(thread.decode(request(1))).rejects.toMatchObject({ code: 'engine_closed' });
  });

  it('that is closed while it loads may finish loading: torn away there, it takes the process with it', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const { thread, starts } = dyingThread(0, { gate });
    const started = thread.start();
    while (starts() === 0) await new Promise((resolve) => setImmediate(resolve));
    const closing = thread.close();
    await expect(started).rejects.toMatchObject({ code: 'engine_closed' });
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await closing;
    expect(Atomics.load(gate, 1)).toBe(1);
  });
});
