/** Writes `dist/LICENSE` and `dist/THIRD-PARTY.md` of every package that is published. Run after a build. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JUDGED } from './judged.js';
import { type ModelNotice, packageNotice, ROOT, readLock } from './notices.js';
import { installedWith } from './shipped.js';

interface CatalogueEntry {
  readonly name: string;
  readonly licence: string;
  readonly source: { readonly package: string };
}

async function readModels(): Promise<readonly ModelNotice[]> {
  const path = join(ROOT, 'packages', 'engine-local', 'dist', 'store', 'catalogue.js');
  // Our own catalogue, built a moment ago; its types are not for this workshop to import.
  const { CATALOGUE } = (await import(pathToFileURL(path).href)) as { CATALOGUE: readonly CatalogueEntry[] };
  return CATALOGUE.map(({ name, licence, source }) => ({ name, licence, package: source.package }));
}

const lock = readLock();
const models = await readModels();
// Our own manifests.
const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  workspaces: string[];
};
for (const folder of workspaces) {
  const { name } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { name: string };
  writeFileSync(join(ROOT, folder, 'dist', 'THIRD-PARTY.md'), packageNotice(lock, folder, name, models));
  copyFileSync(join(ROOT, 'LICENSE'), join(ROOT, folder, 'dist', 'LICENSE'));
}

const shipped = new Set(
  workspaces.flatMap((folder) => installedWith(lock, folder).parts.map(({ name }) => name)),
);
const vain = Object.keys(JUDGED).filter((name) => !shipped.has(name));
if (vain.length > 0)
  throw new Error(`third-party/src/judged.ts judges what is not shipped: ${vain.join(', ')}.`);
