import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { PAGES_FOLDER } from '@kikitori/web';
import { type BuildResult, build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
// Replay, back-off and hand-over are 4 KB of it, places and limits of vLLM another 4: what keeps every word is in every page.
const GZIP_BYTES_MAX = 19 * 1024;

// Two lines that use everything a page needs: connect, send, read, finish.
const PROGRAM = `
import { transcribe } from '@kikitori/client';
transcribe(new Float32Array(16000), { url: location.origin }).text.then((text) => document.body.append(text));
`;

async function bundleFor(
  platform: 'browser' | 'node',
): Promise<BuildResult<{ write: false; metafile: true }>> {
  return await build({
    stdin: { contents: PROGRAM, resolveDir: ROOT, loader: 'js' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform,
    logLevel: 'silent',
  });
}

describe('the client in a browser', () => {
  it('is at most 19 KB of gzip, speech to text', async () => {
    const { outputFiles, metafile } = await bundleFor('browser');
    const text = outputFiles[0]?.contents ?? new Uint8Array(0);
    const gzipBytes = gzipSync(text, { level: 9 }).byteLength;
    const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
    const report = Object.entries(inputs).map(([file, { bytesInOutput }]) => `${bytesInOutput} ${file}`);
    expect(text.byteLength).toBeGreaterThan(1000);
    expect(gzipBytes, `${gzipBytes} bytes of gzip\n${report.join('\n')}`).toBeLessThanOrEqual(GZIP_BYTES_MAX);
  });

  it('needs no Node built-in and no package from outside the workspace', async () => {
    const { metafile, warnings } = await bundleFor('browser');
    const files = Object.keys(metafile.inputs);
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
    expect(warnings).toEqual([]);
    expect(imports.filter(({ external }) => external === true)).toEqual([]);
    expect(imports.filter(({ path }) => path.startsWith('node:'))).toEqual([]);
    expect(files.filter((file) => file.includes('node_modules'))).toEqual([]);
    expect(files.some((file) => file.endsWith('ws/browser.js'))).toBe(true);
  });

  it('takes the ws package on Node, from the same program', async () => {
    const { metafile } = await bundleFor('node');
    const files = Object.keys(metafile.inputs);
    expect(files.some((file) => file.endsWith('ws/node-connect.js'))).toBe(true);
    expect(files.some((file) => file.endsWith('ws/browser.js'))).toBe(false);
  });
});

describe('the live page', () => {
  it('is at most 60 KB of gzip: page, style, scripts, worklet and worker', async () => {
    const names = (await readdir(PAGES_FOLDER)).filter((name) => /^(index\.html|live-|capture-)/.test(name));
    const files = await Promise.all(names.map((name) => readFile(join(PAGES_FOLDER, name))));
    const bytes = files.map((file) => gzipSync(file, { level: 9 }).byteLength);
    const report = names.map((name, index) => `${bytes[index]} ${name}`).join('\n');
    expect(names.length).toBe(5);
    expect(
      bytes.reduce((sum, each) => sum + each, 0),
      report,
    ).toBeLessThanOrEqual(60 * 1024);
  });

  it('has no inline script or style, and names nobody else', async () => {
    const html = await readFile(join(PAGES_FOLDER, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?:\/\//);
  });
});
