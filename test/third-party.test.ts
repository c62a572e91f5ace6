/** Nothing is shipped whose licence nobody has judged, and what is shipped says so. */
import { describe, expect, it } from 'vitest';
import { bundleNotice, objectionsTo, packageNotice, readLock } from '../third-party/src/notices.js';
import { bundledFrom, installedWith, type Lock, type Part } from '../third-party/src/shipped.js';

const part = (name: string, licence: string | undefined): Part => ({
  name,
  version: '1.0.0',
  licence,
  location: `node_modules/${name}`,
});

describe('a licence', () => {
  it.each([
    ['MIT', false, []],
    ['SSPL-1.0', false, ['odd 1.0.0 is SSPL-1.0, which nobody has judged yet.']],
    ['LGPL-3.0-or-later', false, ['odd 1.0.0 is LGPL-3.0-or-later, which nobody has judged yet.']],
    [undefined, false, ['odd 1.0.0 says nothing of its licence.']],
    [undefined, true, ['odd 1.0.0 says nothing of its licence.']],
  ])('%s, bundled: %s', (licence, isBundled, objections) => {
    expect(objectionsTo([part('odd', licence)], { isBundled })).toEqual(objections);
  });

  it('that was judged for one package counts for it, as long as it stays, and as far as it goes', () => {
    const judged = { odd: { licence: 'LGPL-3.0-or-later', judgement: 'Replaceable.', isBundlable: false } };
    const lesser = [part('odd', 'LGPL-3.0-or-later')];
    expect(objectionsTo(lesser, { isBundled: false, judged })).toEqual([]);
    expect(objectionsTo(lesser, { isBundled: true, judged })).toEqual([
      'odd 1.0.0 is bundled into a file of ours, and may not be: Replaceable.',
    ]);
    expect(objectionsTo([part('odd', 'MIT')], { isBundled: false, judged })).toEqual([
      'odd 1.0.0 is MIT now; it was judged as LGPL-3.0-or-later.',
    ]);
  });
});

describe('what is shipped', () => {
  const lock: Lock = {
    'packages/ours': {
      dependencies: { '@us/other': '1', a: '1' },
      optionalDependencies: { here: '1', gone: '1' },
    },
    'packages/other': { dependencies: { b: '1' } },
    'node_modules/@us/other': { link: true, resolved: 'packages/other' },
    'node_modules/a': {
      version: '1.0.0',
      license: 'MIT',
      dependencies: { b: '2' },
      peerDependencies: { peer: '1', never: '1' },
      peerDependenciesMeta: { never: { optional: true } },
    },
    'node_modules/a/node_modules/b': { version: '2.0.0', license: 'ISC' },
    'node_modules/b': { version: '1.0.0', dependencies: { a: '1' } },
    'node_modules/here': { version: '1.0.0', license: 'MIT' },
    'node_modules/never': { version: '1.0.0', license: 'SSPL-1.0' },
    'node_modules/peer': { version: '1.0.0', license: 'MIT' },
    'node_modules/tool': { version: '1.0.0', license: 'SSPL-1.0' },
  };

  it('with a package is all that npm installs for it, each as it is found from where it is wanted', () => {
    const { parts, ours } = installedWith(lock, 'packages/ours');
    expect(parts.map(({ location }) => location)).toEqual([
      'node_modules/a',
      'node_modules/b',
      'node_modules/a/node_modules/b',
      'node_modules/here',
      'node_modules/peer',
    ]);
    expect([...ours]).toEqual(['packages/ours', 'packages/other']);
  });

  it('within a built file is what its pieces are of', () => {
    const inputs = [
      'dist/main.js',
      '../../node_modules/@a/b/c/d.js',
      '../../node_modules/a/node_modules/b/e.js',
    ];
    expect(bundledFrom(lock, '/r', inputs, '/r/packages/ours')).toEqual([
      { name: '@a/b', version: '', licence: undefined, location: 'node_modules/@a/b' },
      { name: 'b', version: '2.0.0', licence: 'ISC', location: 'node_modules/a/node_modules/b' },
    ]);
  });
});

describe('a build', () => {
  it('fails on a package whose licence was not judged, and says where to judge it', () => {
    const lock = readLock();
    const ws = lock['node_modules/ws'] ?? {};
    const changed = { ...lock, 'node_modules/ws': { ...ws, license: 'BUSL-1.1' } };
    expect(packageNotice(lock, 'packages/transport', '@kikitori/transport', [])).toContain(
      `| ws | ${ws.version} | MIT |`,
    );
    expect(() => packageNotice(changed, 'packages/transport', '@kikitori/transport', [])).toThrow(
      /BUSL-1\.1, which nobody has judged yet\.\n.*third-party\/src\/judged\.ts/,
    );
  });

  it('fails on a model whose licence was not judged', () => {
    const model = { name: 'large', licence: 'CC-BY-NC-4.0', package: 'somewhere' };
    const build = () => packageNotice(readLock(), 'packages/engine-local', '@kikitori/engine-local', [model]);
    expect(build).toThrow(/the model large .*CC-BY-NC-4\.0/);
  });

  it('puts the licences of what it builds in into the notice, and builds in nothing that must stay replaceable', () => {
    expect(bundleNotice(['packages/bridge/dist/main.js'])).toContain('It holds nothing of others.');
    expect(bundleNotice(['node_modules/ws/lib/sender.js'])).toMatch(
      /\nws [\d.]+, MIT\n[\s\S]*Einar Otto Stangvik/,
    );
    expect(() => bundleNotice(['node_modules/codec-parser/index.js'])).toThrow(/codec-parser .* may not be/);
  });

  it('brings the texts that LGPL asks for', () => {
    const notice = packageNotice(readLock(), 'packages/audio', '@kikitori/audio', []);
    expect(notice).toMatch(/\*\*codec-parser\*\*: .*replaced/);
    expect(notice).toMatch(/## GPL-3\.0\n[\s\S]*## LGPL-2\.1\n/);
  });
});
