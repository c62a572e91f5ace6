/** The live page in front of a server of its own process, killed as hard as a machine dies while somebody speaks to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transcribe } from '@kikitori/client';
import { resolveModel } from '@kikitori/engine-local';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, Part } from '../e2e/reliability/part.js';
import { differenceOf, wordsOf } from '../e2e/reliability/words.js';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import { stop, untilSilent, untilState, untilWords, visit, wordsOn } from './live-stage.js';
import { microphoneFlags, speech, writeMicrophone } from './microphone.js';

const MODEL = 'tiny';
/** Single words turn out otherwise when a session begins anew in the middle of a sentence; sound that is lost shows as a run. */
const RUN_MAX = 2;
const LOST_MAX = 4;
const DIFFERENCES_MAX = 16;

const missing =
  whyNoBrowser ??
  (await Promise.all([resolveModel(MODEL), resolveModel('silero')]).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : 'no model'),
  ));
if (missing !== undefined) process.stderr.write(`no server is killed under the live page: ${missing}\n`);

describe.skipIf(missing !== undefined)('the live page, its server killed', { timeout: 240_000 }, () => {
  let folder = '';
  let url = '';
  let said: Float32Array;
  let server: Part;
  let browser: Browser;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kikitori-killed-'));
    said = await speech('ferry.flac', 'kitchen.flac', 'ferry.flac');
    const path = join(folder, 'microphone.wav');
    await writeMicrophone(path, said);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const words = ['serve', '--port', String(port), '--model', MODEL, '--threads', '1'];
    server = await Part.start(words, /ws:\/\/\S+\/v1\/realtime/);
    browser = await launchBrowser(microphoneFlags(path));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.end();
    await rm(folder, { recursive: true, force: true });
  });

  it('loses nothing of what is said while it is dead, nor of what it had heard and not written', async () => {
    const undisturbed = wordsOf(await transcribe(said, { url }).text);
    const page = await visit(browser, url);
    await page.click('#record');
    await untilWords(page, 6);
    await server.end('SIGKILL');
    await untilState(page, /Reconnecting: ([3-9]|\d\d) s of sound kept/);
    await server.start();
    await untilSilent(page);
    await stop(page);
    expect(await page.locator('#transcript .gap').count()).toBe(0);
    const { lost, added, changed, longestRun } = differenceOf(undisturbed, wordsOf(await wordsOn(page)));
    const found = `lost: ${lost}; added: ${added}; changed: ${changed}`;
    expect(undisturbed.length).toBeGreaterThan(50);
    expect(longestRun, found).toBeLessThanOrEqual(RUN_MAX);
    expect(lost.length + added.length, found).toBeLessThanOrEqual(LOST_MAX);
    expect(lost.length + added.length + changed.length, found).toBeLessThanOrEqual(DIFFERENCES_MAX);
  });
});
