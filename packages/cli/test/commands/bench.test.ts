import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/main.js';
import { percentile } from '../../src/measure/live-run.js';
import { memoryContext } from '../memory-context.js';
import { scriptedEngine, wav } from './speech.js';

describe('kikitori bench', () => {
  it('lets so many speakers speak at once and reports what it took', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kikitori-bench-'));
    const file = join(folder, 'speech.wav');
    await writeFile(file, wav(3_000));
    const engine = scriptedEngine({ streamsMax: 3 });
    const requests: unknown[] = [];
    const context = memoryContext({
      factories: {
        createEngine: async (request) => {
          requests.push(request.streamsMax);
          return engine;
        },
      },
    });
    expect(await main(['bench', file, '--sessions', '3', '--pace', 'max', '--json'], context)).toBe(0);
    expect(requests).toEqual([3]);
    expect(engine.calls).toMatchObject({ opens: 3, samples: 3 * 48_000, streamsOpen: 0 });
    const figures = JSON.parse(context.stdout.text);
    expect(figures).toMatchObject({ model: 'scripted', sessions: 3, pace: 'max', audio_ms: 3_000 });
    for (const name of ['real_time_factor', 'core_seconds_per_second', 'lag_ms_p95', 'final_ms_p95']) {
      expect(figures[name], name).toEqual(expect.any(Number));
    }
    const table = memoryContext({ factories: { createEngine: async () => scriptedEngine() } });
    expect(await main(['bench', file, '--pace', 'max'], table)).toBe(0);
    expect(table.stdout.text).toContain('Real-time factor');
    await rm(folder, { recursive: true });
  });

  it('takes the value below which a part of them lies', () => {
    expect(percentile([], 0.5)).toBeUndefined();
    expect(percentile([5], 0.95)).toBe(5);
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(percentile([4, 1, 3, 2], 1)).toBe(4);
  });
});
