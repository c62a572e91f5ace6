/**
 * Builds the stand-alone command into one file without dependencies: `dist/kikitori-bridge.mjs`. The container needs Node
 * and this file, nothing else.
 */
import { appendFile, chmod } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleNotice } from '../../third-party/dist/notices.js';

const here = dirname(fileURLToPath(import.meta.url));
const outfile = join(here, 'dist', 'kikitori-bridge.mjs');

const { metafile } = await build({
  entryPoints: [join(here, 'dist', 'main.js')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  banner: { js: '#!/usr/bin/env node' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
const outside = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ path }) => !path.startsWith('node:') && !builtinModules.includes(path));
if (outside.length > 0) {
  throw new Error(`not a single file: it still imports ${outside.map(({ path }) => path).join(', ')}`);
}
// The file travels alone, so what it is made of stands in it.
await appendFile(outfile, `/*\n${bundleNotice(Object.keys(metafile.inputs)).replaceAll('*/', '* /')}*/\n`);
await chmod(outfile, 0o755);
