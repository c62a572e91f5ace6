import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Where Node finds a package from the folder of another. */
function folderOf(name: string, from: string): string {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      manifestOf(join(path, name));
      return join(path, name);
    } catch {
      // not here; the next folder up
    }
  }
  throw new Error(`${name} is not installed`);
}

/** Every package that an installation of this one brings, and its licence. */
function productionTree(): Map<string, string> {
  const found = new Map<string, string>();
  const open = [root];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const manifest = manifestOf(folder);
    if (found.has(manifest.name)) continue;
    found.set(manifest.name, manifest.license ?? 'none stated');
    for (const name of Object.keys(manifest.dependencies ?? {}))
      open.push(folderOf(name, dirname(join(folder, 'x'))));
  }
  return found;
}

// By their package.json. The WebAssembly inside of mpg123-decoder (MIT) is built from libmpg123, which is LGPL-2.1.
it('brings no package under the GPL, and one under the LGPL', () => {
  const tree = productionTree();
  expect(tree.size).toBeGreaterThan(5);
  const permissive = /^(MIT|MPL-2\.0|Apache-2\.0|ISC|BSD-[23]-Clause|0BSD)$/;
  const others = [...tree].filter(([, licence]) => !permissive.test(licence));
  // The parser inside of the FLAC, Vorbis and Opus decoders; a module of its own, so it can be replaced.
  expect(others).toEqual([['codec-parser', 'LGPL-3.0-or-later']]);
});
