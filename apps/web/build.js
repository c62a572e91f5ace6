/**
 * Builds the pages into `dist/pages`: scripts and styles with a hash of their content in the name, and HTML that names them. Run
 * after `tsc -b`. A page is `src/NAME.html`; where it says `{{live.js}}` it means the built `live.js`. Nothing is put into HTML but
 * names, so that the strictest policy (no inline script, no inline style, no blob) holds.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleNotice } from '../../third-party/dist/notices.js';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const pages = join(here, 'dist', 'pages');
const modules = join(here, 'dist', 'modules');
const capture = join(here, '..', '..', 'packages', 'client', 'dist', 'browser');

/** Built name → where it begins. The worklet and the worker are threads of their own, so each is a file of its own. */
const entries = {
  live: join(modules, 'live', 'main.js'),
  'capture-worklet': join(capture, 'capture-worklet.js'),
  'capture-worker': join(capture, 'capture-worker.js'),
  captions: join(modules, 'captions', 'main.js'),
};
const styles = { live: join(source, 'live', 'live.css'), captions: join(source, 'captions', 'captions.css') };

const options = {
  outdir: pages,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  // The oldest browsers that have all that the pages cannot do without, the last of it `AbortSignal.any`: docs/page.md.
  target: ['chrome116', 'firefox124', 'safari17.4'],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

async function existing(files) {
  const found = [];
  for (const [name, file] of Object.entries(files)) {
    const names = await readdir(dirname(file)).catch(() => []);
    if (names.includes(basename(file))) found.push({ in: file, out: name });
  }
  return found;
}

/** `live.js` → `live-3F2K9QXA.js`, beside the page, for everything that was built. */
function builtNames({ outputs }) {
  return Object.keys(outputs).map((path) => {
    const name = basename(path);
    return [name.replace(/-[A-Z0-9]{8}(?=\.)/, ''), name];
  });
}

await rm(pages, { recursive: true, force: true });
await mkdir(pages, { recursive: true });
const names = new Map();
const inputs = [];
// One after the other: `live.js` and `live.css` may not share one run, for they share a name.
for (const entryPoints of [await existing(entries), await existing(styles)]) {
  if (entryPoints.length === 0) continue;
  const { metafile } = await build({ ...options, entryPoints });
  for (const [name, path] of builtNames(metafile)) names.set(name, path);
  inputs.push(...Object.keys(metafile.inputs));
}
for (const file of (await readdir(source)).filter((name) => name.endsWith('.html'))) {
  const html = await readFile(join(source, file), 'utf8');
  const filled = html.replace(/\{\{([\w.-]+)\}\}/g, (_, name) => {
    const path = names.get(name);
    if (path === undefined) throw new Error(`${file} names ${name}, which was not built`);
    return path;
  });
  await writeFile(join(pages, file), filled);
}

await writeFile(join(pages, 'third-party.txt'), bundleNotice(inputs));

// Clips to try the page with, where there is no microphone.
const samples = join(here, '..', '..', 'samples');
await mkdir(join(pages, 'samples'));
for (const file of (await readdir(samples)).filter((name) => name.endsWith('.flac'))) {
  await copyFile(join(samples, file), join(pages, 'samples', file));
}
