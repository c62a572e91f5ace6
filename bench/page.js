/**
 * The live page under thirty minutes of speech in compressed time: an engine that says two words a second, a recording of silence as
 * fast as it is taken. Reports the heap of the page, its frames while words come, and its length. Needs Chromium.
 *   node bench/page.js
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav } from '@kikitori/audio';
import { createScriptedEngine } from '@kikitori/engine';
import { loadPages, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { chromium } from 'playwright-core';

const MINUTES = 30;
const WORDS_IN_UTTERANCE = 10;

const words = Array.from({ length: WORDS_IN_UTTERANCE }, (_, index) => ({
  text: index === WORDS_IN_UTTERANCE - 1 ? 'again.' : `word${index}`,
  startMs: 200 + index * 480,
  endMs: 600 + index * 480,
}));
const engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: 6_000 });
const server = await startServer({
  engine,
  attach: attachWebSockets,
  port: 0,
  pages: await loadPages(PAGES_FOLDER),
});
const folder = await mkdtemp(join(tmpdir(), 'kikitori-bench-'));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--enable-precise-memory-info',
    '--js-flags=--expose-gc',
  ],
});
try {
  const file = join(folder, 'half-an-hour.wav');
  await writeFile(file, encodeWav(new Float32Array(16_000 * 60 * MINUTES), { sampleRateHz: 16_000 }));
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.locator('#listener').filter({ hasText: 'scripted' }).waitFor();
  const heap = () => page.evaluate('gc(), performance.memory.usedJSHeapSize / 2 ** 20');
  const before = await heap();
  await page.getByText('as fast as possible').click();
  await page.setInputFiles('#file', file);
  await page.locator('body[data-phase="reading"]').waitFor({ timeout: 120_000 });
  await page.evaluate(`{
    const frames = []; let last = performance.now();
    const note = (now) => { frames.push(now - last); last = now; if (document.body.dataset.phase === 'reading') requestAnimationFrame(note); };
    requestAnimationFrame(note);
    Object.assign(window, { frames, startedMs: last });
  }`);
  await page.locator('body[data-phase="done"]').waitFor({ timeout: 300_000 });
  const { frames, tookMs } = await page.evaluate('({ frames, tookMs: performance.now() - startedMs })');
  frames.sort((a, b) => a - b);
  const at = (share) => Number((frames[Math.floor(frames.length * share)] ?? 0).toFixed(1));
  const report = {
    minutes: MINUTES,
    lines: await page.locator('#transcript li').count(),
    tookS: Number((tookMs / 1000).toFixed(1)),
    frames: frames.length,
    frameMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    heapMiB: { before: Number(before.toFixed(1)), after: Number((await heap()).toFixed(1)) },
  };
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
} finally {
  await browser.close();
  await server.close();
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}
