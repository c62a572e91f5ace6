/** The live page in front of a model server that finds no utterances, as vLLM. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav } from '@kikitori/audio';
import type { SpeechEngine } from '@kikitori/engine';
import { createUpstreamEngine } from '@kikitori/engine-upstream';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Heard, vllmLike } from '../../packages/engine-upstream/test/servers.js';
import { launchBrowser, whyNoBrowser } from './chromium.js';

const RATE_HZ = 16_000;
const NUMBERS = ['One', 'Two', 'Three', 'Four'];

if (whyNoBrowser !== undefined) process.stderr.write(`no page reads through a relay: ${whyNoBrowser}\n`);

/** Speech (+) and silence (-), each sign 100 ms. */
function sound(picture: string): Float32Array {
  return Float32Array.from({ length: picture.length * 1_600 }, (_, at) => {
    const isLoud = picture[Math.floor(at / 1_600)] === '+';
    return (isLoud ? 0.5 : 0.001) * (at % 2 === 0 ? 1 : -1) * ((at >> 1) % 2 === 0 ? 1 : -1);
  });
}

describe.skipIf(whyNoBrowser !== undefined)(
  'the live page over a relay to vLLM',
  { timeout: 120_000 },
  () => {
    let browser: Browser;
    let server: RunningServer;
    let engine: SpeechEngine;
    let folder = '';
    let heard: Promise<Heard>[] = [];

    beforeAll(async () => {
      if (whyNoBrowser !== undefined) return;
      const pieces = (stretch: number): readonly string[] => [` ${NUMBERS[stretch]}`, ' is', ' sp', 'oken.'];
      const vllm = vllmLike({ pieces });
      heard = vllm.heard;
      const pages = await loadPages(PAGES_FOLDER);
      engine = createUpstreamEngine({
        info: { model: 'voxtral', languages: [], streamsMax: 4 },
        connect: vllm.connect,
      });
      server = await startServer({ engine, attach: attachWebSockets, port: 0, pages });
      folder = await mkdtemp(join(tmpdir(), 'kikitori-relay-'));
      browser = await launchBrowser();
    });

    afterAll(async () => {
      await browser?.close();
      await server?.close();
      await engine?.close();
      if (folder !== '') await rm(folder, { recursive: true, force: true });
    });

    it('shows a line for each utterance, in order, with nothing lost, and how far behind it is', async () => {
      const path = join(folder, 'speech.wav');
      const speech = sound(
        `${'-'.repeat(10)}++++++++${'-'.repeat(12)}++++++${'-'.repeat(9)}+++++++++++${'-'.repeat(10)}++++++--`,
      );
      await writeFile(path, encodeWav(speech, { sampleRateHz: RATE_HZ }));
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.setInputFiles('#file', path);
      const lag = page.locator('#lag-number').filter({ hasText: /\d/ });
      await lag.waitFor({ timeout: 60_000 });
      await page.locator('body[data-phase="done"]').waitFor({ timeout: 60_000 });
      const lines = await page.locator('#transcript li p').allTextContents();
      expect(lines.map((line) => line.trim())).toEqual(NUMBERS.map((number) => `${number} is spoken.`));
      await page.close();
      const { flaws, utterances } = (await heard[0]) ?? { flaws: ['nobody came'], utterances: [] };
      expect(flaws).toEqual([]);
      expect(utterances.reduce((sum, { length }) => sum + length, 0)).toBe(speech.length);
    });
  },
);
