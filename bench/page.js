/**
 * The live page under half an hour of speech: an engine that says two words a second, and what that costs the page. Memory is told
 * apart: objects of the page, parts of the document, and bytes beside them (a decoded recording, sound that waits). Needs Chromium.
 *   node bench/page.js             a recording of half an hour as fast as it is taken: some 30 s
 *   node bench/page.js --live 30   the microphone, at the pace of speech, for so many minutes
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeWav } from '@kikitori/audio';
import { createScriptedEngine } from '@kikitori/engine';
import { loadPages, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { chromium } from 'playwright-core';

const RECORDING_MINUTES = 30;
const WORDS_IN_UTTERANCE = 10;
const UTTERANCE_MS = 6_000;

const { values } = parseArgs({ options: { live: { type: 'string' } } });
const liveMinutes = values.live === undefined ? undefined : Number(values.live);

const words = Array.from({ length: WORDS_IN_UTTERANCE }, (_, index) => ({
  text: index === WORDS_IN_UTTERANCE - 1 ? 'again.' : `word${index}`,
  startMs: 200 + index * 480,
  endMs: 600 + index * 480,
}));
const engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: UTTERANCE_MS });
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
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});
const page = await browser.newPage();
const devtools = await page.context().newCDPSession(page);

const rounded = (value) => Number(value.toFixed(1));

/** What the page holds after what it no longer needs is gone. MiB. */
async function memory() {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage');
  const [objects, document, bytes] = [usedSize, embedderHeapUsedSize, backingStorageSize].map((size) =>
    rounded(size / 2 ** 20),
  );
  return { objects, document, bytes };
}

/** Notes every frame while the page is in a phase. */
async function watchFrames(phase) {
  await page.evaluate(
    `{ const frames = []; let last = performance.now();
    const note = (now) => { frames.push(now - last); last = now; if (document.body.dataset.phase === '${phase}') requestAnimationFrame(note); };
    requestAnimationFrame(note);
    Object.assign(window, { frames, startedMs: last }); }`,
  );
}

/** The frames since the last call. */
async function frameTimes() {
  const frames = await page.evaluate('frames.splice(0)');
  frames.sort((a, b) => a - b);
  const at = (share) => rounded(frames[Math.min(frames.length - 1, Math.floor(frames.length * share))] ?? 0);
  return { count: frames.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
}

const lines = () => page.locator('#transcript li').count();

async function read() {
  const file = join(folder, 'half-an-hour.wav');
  const silence = new Float32Array(16_000 * 60 * RECORDING_MINUTES);
  await writeFile(file, encodeWav(silence, { sampleRateHz: 16_000 }));
  const before = await memory();
  await page.getByText('as fast as possible').click();
  await page.setInputFiles('#file', file);
  await page.locator('body[data-phase="reading"]').waitFor({ timeout: 120_000 });
  await watchFrames('reading');
  const during = await memory();
  await page.locator('body[data-phase="done"]').waitFor({ timeout: 300_000 });
  const tookMs = await page.evaluate('performance.now() - startedMs');
  const frameMs = await frameTimes();
  const mib = { before, during, after: await memory() };
  return {
    recordingMinutes: RECORDING_MINUTES,
    tookS: rounded(tookMs / 1000),
    lines: await lines(),
    frameMs,
    mib,
  };
}

async function listen(minutes) {
  const rows = [{ minute: 0, mib: await memory() }];
  await page.click('#record');
  await page.locator('body[data-phase="recording"]').waitFor();
  await watchFrames('recording');
  const startedMs = performance.now();
  for (let minute = 5; minute < minutes + 5; minute += 5) {
    const at = Math.min(minute, minutes);
    await new Promise((resolve) => setTimeout(resolve, startedMs + at * 60_000 - performance.now()));
    rows.push({ minute: at, lines: await lines(), frameMs: await frameTimes(), mib: await memory() });
  }
  const lag = await page.locator('#lag-number').textContent();
  const gaps = await page.locator('#transcript .gap').count();
  await page.click('#record');
  await page.locator('body[data-phase="done"]').waitFor();
  return { liveMinutes: minutes, lag, gaps, rows };
}

try {
  await page.goto(server.url);
  await page.locator('#listener').filter({ hasText: 'scripted' }).waitFor();
  const report = liveMinutes === undefined ? await read() : await listen(liveMinutes);
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
} finally {
  await browser.close();
  await server.close();
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}
