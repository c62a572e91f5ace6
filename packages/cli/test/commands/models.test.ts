import { describe, expect, it } from 'vitest';
import { main } from '../../src/main.js';
import type { ModelRow, ModelStore } from '../../src/model-store.js';
import { memoryContext } from '../memory-context.js';

function row(name: string, kind: ModelRow['kind'], state: ModelRow['state']): ModelRow {
  const about = { description: `about ${name}`, licence: 'MIT', languages: ['en'], dir: `/models/${name}` };
  return { name, kind, state, sizeBytes: 63_000_000, ...about };
}

async function run(words: string[], store: Partial<ModelStore> = {}) {
  const openModelStore = async (): Promise<ModelStore> => ({
    list: async () => [row('base', 'moonshine', 'present'), row('silero', 'silero', 'absent')],
    pull: async () => undefined,
    remove: async () => true,
    problems: async () => [],
    ...store,
  });
  const context = memoryContext({ factories: { openModelStore } });
  const exitCode = await main(['models', ...words], context);
  return { exitCode, out: context.stdout.text, err: context.stderr.text };
}

describe('kikitori models', () => {
  it('lists what there is, for people and for programs', async () => {
    const { out } = await run(['list']);
    expect(out.split('\n')[0]).toBe('base    present   63.0 MB  MIT   about base');
    const rows = JSON.parse((await run(['list', '--json'])).out);
    expect(rows[0]).toMatchObject({ name: 'base', state: 'present', size_bytes: 63_000_000 });
  });

  it('pulls a model and what it cannot do without, telling how far it is', async () => {
    const pulled: string[] = [];
    const pull: ModelStore['pull'] = async (name, { onProgress }) => {
      pulled.push(name);
      if (name === 'base') onProgress({ receivedBytes: 5, totalBytes: 10 });
    };
    const { exitCode, err } = await run(['pull'], { pull });
    expect([exitCode, pulled]).toEqual([0, ['base', 'silero']]);
    expect(err).toBe('Fetching base (10 B)…\nbase: fetched and checked.\nsilero: already here and whole.\n');
  });

  it('pulls the one that was named alone where nothing else is needed', async () => {
    const pulled: string[] = [];
    const pull: ModelStore['pull'] = async (name) => void pulled.push(name);
    await run(['pull', 'silero'], { pull });
    expect(pulled).toEqual(['silero']);
  });

  it('removes, and says when there was nothing to remove', async () => {
    expect(await run(['rm', 'base'])).toEqual({ exitCode: 0, out: '', err: 'Removed base.\n' });
    const { exitCode, err } = await run(['rm', 'tiny'], { remove: async () => false });
    expect(exitCode).toBe(2);
    expect(err).toContain('not on this machine');
    expect((await run(['rm'])).exitCode).toBe(2);
  });
});
