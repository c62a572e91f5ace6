import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBuildContext, stageContext } from '../../src/image/build-context.js';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const isBuilt = await readFile(join(root, 'packages/bridge/dist/kikitori-bridge.mjs')).then(
  () => true,
  () => false,
);

describe.skipIf(!isBuilt)('the context of this checkout', () => {
  it('is two files for vLLM', async () => {
    const { paths } = await readBuildContext('vllm', root);
    expect(paths).toEqual(['LICENSE', 'packages/bridge/dist/kikitori-bridge.mjs']);
  });

  it('is manifests and built code for Moonshine, and nothing else', async () => {
    const { paths } = await readBuildContext('moonshine', root);
    expect(paths).toContain('package-lock.json');
    expect(paths).toContain('packages/cli/bin/kikitori.js');
    expect(paths).toContain('packages/engine-local/dist/index.js');
    const strangers = paths.filter(
      (path) =>
        !/^(LICENSE|\.npmrc|package(-lock)?\.json|(packages|apps)\/[\w-]+\/(package\.json|(dist|bin|assets|vendor|template)\/.+))$/.test(
          path,
        ),
    );
    expect(strangers).toEqual([]);
    expect(
      paths.filter((path) => /\.(d\.ts|map|tsbuildinfo)$|node_modules|\/(src|test)\//.test(path)),
    ).toEqual([]);
  });

  it('is laid out byte for byte, and removed', async () => {
    const context = await readBuildContext('vllm', root);
    const staged = await stageContext(context);
    const [of, from] = [join(staged.dir, 'LICENSE'), join(root, 'LICENSE')];
    expect((await readFile(of)).equals(await readFile(from))).toBe(true);
    await staged.remove();
    await expect(readFile(of)).rejects.toThrow();
  });

  it('has the same hash each time, and one for each engine', async () => {
    const hash = async (engine: 'vllm' | 'moonshine') => (await readBuildContext(engine, root)).hash;
    expect(await hash('vllm')).toBe(await hash('vllm'));
    expect(await hash('vllm')).not.toBe(await hash('moonshine'));
  });
});
