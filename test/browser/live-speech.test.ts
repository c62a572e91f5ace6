/** The live page in a real browser, a WAV as its microphone, the real recogniser behind it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalEngine } from '@kikitori/engine-local';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import {
  PATIENCE,
  stop,
  untilPhase,
  untilSilent,
  untilState,
  untilWords,
  visit,
  wordsOn,
} from './live-stage.js';
import { microphoneFlags, speech, writeMicrophone } from './microphone.js';
import { SlowDoor } from './slow-door.js';
import { expectWhole, shareOf } from './spoken.js';

const engine =
  whyNoBrowser === undefined
    ? await createLocalEngine({ model: 'tiny', threads: 2, streamsMax: 8 }).catch(() => undefined)
    : undefined;
if (engine === undefined) {
  process.stderr.write(`the live page is not spoken to: ${whyNoBrowser ?? 'no model tiny'}\n`);
}

describe.skipIf(engine === undefined)('the live page, spoken to', { timeout: 120_000 }, () => {
  let folder = '';
  let server: RunningServer;
  let ferry: Browser;
  let kitchen: Browser;
  /** One without a microphone: with the browser's own one, tabs sound of it, too. */
  let quiet: Browser;

  beforeAll(async () => {
    if (engine === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'kikitori-page-'));
    const pages = await loadPages(PAGES_FOLDER);
    server = await startServer({ engine, attach: attachWebSockets, port: 0, pages });
    await server.ready;
    [ferry, kitchen, quiet] = await Promise.all([
      browserThatHears('ferry'),
      browserThatHears('kitchen'),
      launchBrowser(['--auto-accept-this-tab-capture'], { isLoud: true }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([ferry?.close(), kitchen?.close(), quiet?.close()]);
    await server?.close();
    await engine?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function browserThatHears(name: string): Promise<Browser> {
    const path = join(folder, `${name}.wav`);
    await writeMicrophone(path, await speech(`${name}.flac`));
    return await launchBrowser(microphoneFlags(path));
  }

  describe('by two at once', () => {
    let one: Page;
    let other: Page;
    let announced: unknown;
    let lag: string | null;
    const hosts = new Set<string>();

    beforeAll(async () => {
      [one, other] = await Promise.all([visit(ferry, server.url), visit(kitchen, server.url)]);
      one.on('request', (request) => hosts.add(new URL(request.url()).host));
      await one.evaluate(() => {
        const heard: string[] = [];
        Object.assign(window, { heard });
        new MutationObserver((changes) => {
          for (const { addedNodes } of changes) {
            for (const node of addedNodes) heard.push(node.textContent ?? '');
          }
        }).observe(document.getElementById('announcer') ?? document.body, { childList: true, subtree: true });
      });
      await Promise.all([one.click('#record'), other.click('#record')]);
      // Nobody has stopped it yet.
      await Promise.all([untilWords(one, 6), untilWords(other, 6)]);
      lag = await one.locator('#lag-number').filter({ hasText: /\d/ }).textContent(PATIENCE);
      await Promise.all([untilSilent(one), untilSilent(other)]);
      await Promise.all([stop(one), stop(other)]);
      announced = await one.evaluate('heard');
    });

    it('shows the words while they are spoken, and how far behind they are', async () => {
      expect(await one.locator('#listener').textContent()).toContain('moonshine-tiny');
      expectWhole(await wordsOn(one), 'ferry');
      expect(lag).toMatch(/^\d+\.\d s$/);
    });

    it('gives the two two transcripts', async () => {
      expectWhole(await wordsOn(other), 'kitchen');
      // One sample has next to no word of the other.
      expect(shareOf(await wordsOn(one), 'kitchen')).toBeLessThan(0.3);
      expect(shareOf(await wordsOn(other), 'ferry')).toBeLessThan(0.3);
    });

    it('announces every finished sentence to screen readers once, and never a revision', async () => {
      const sentences = await one.locator('#transcript .stable').allTextContents();
      expect(sentences).not.toEqual([]);
      expect(Array.isArray(announced) && announced.filter((text) => text !== '')).toEqual(sentences);
      expect(await one.locator('#transcript').getAttribute('aria-live')).toBe(null);
    });

    it('exports what it shows, has it after a reload, and talks to nobody but its server', async () => {
      const said = await wordsOn(one);
      const [download] = await Promise.all([one.waitForEvent('download'), one.click('[data-export="srt"]')]);
      expect(download.suggestedFilename()).toMatch(/^kikitori-.*\.srt$/);
      const cues = (await readFile(await download.path(), 'utf8')).trim().split('\n\n');
      expect(cues[0]).toMatch(/^1\n00:00:0\d,\d{3} --> /);
      const exported = cues.flatMap((cue) => cue.split('\n').slice(2)).join(' ');
      expect(exported.split(/\s+/)).toEqual(said.trim().split(/\s+/));

      await one.reload();
      await expect.poll(() => wordsOn(one), PATIENCE).toBe(said);
      expect([...hosts]).toEqual([new URL(server.url).host]);
    });
  });

  // They listen, and next to nothing else: all of these at once are no load.
  it.concurrent('has the first word although the connection comes 3 s late or later', async () => {
    const door = await SlowDoor.open(server.port);
    try {
      let open: () => void = () => undefined;
      door.socketsMayPass = new Promise((resolve) => {
        open = resolve;
      });
      const page = await visit(ferry, door.url);
      await page.click('#record');
      await untilState(page, /([7-9]|\d\d) s kept, connecting/);
      expect(await page.locator('#transcript li').count()).toBe(0);
      open();
      await untilSilent(page);
      await stop(page);
      expectWhole(await wordsOn(page), 'ferry');
    } finally {
      await door.close();
    }
  });

  it.concurrent('loses nothing that was said while the server was gone', async () => {
    const door = await SlowDoor.open(server.port);
    try {
      const page = await visit(ferry, door.url);
      await page.click('#record');
      await untilWords(page, 1);
      door.isShut = true;
      door.cut();
      await untilState(page, /Reconnecting: ([3-9]|\d\d) s of sound kept/);
      door.isShut = false;
      await untilSilent(page);
      await stop(page);
      expectWhole(await wordsOn(page), 'ferry');
      expect(await page.locator('#transcript .gap').count()).toBe(0);
    } finally {
      await door.close();
    }
  });

  it.concurrent('hears what a tab plays', async () => {
    // Only the page itself can be picked without a hand at the mouse.
    const script = `{
      const share = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getDisplayMedia = (wish) => share({ ...wish, preferCurrentTab: true });
    }`;
    const page = await visit(quiet, server.url, { script });
    await page.selectOption('#source', 'tab');
    await page.click('#record');
    await untilState(page, /^(Live|Only silence comes.*)$/);
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const player = new Audio('/samples/kitchen.flac');
          player.addEventListener('ended', resolve);
          player.play().catch(reject);
        }),
    );
    await untilSilent(page);
    await stop(page);
    expectWhole(await wordsOn(page), 'kitchen');
  });

  it.concurrent('reads a file that is dropped on it, as fast as possible', async () => {
    const page = await visit(quiet, server.url);
    await page.getByText('as fast as possible').click();
    const bytes = [...(await readFile(join(import.meta.dirname, '../../samples/meeting.flac')))];
    const transfer = await page.evaluateHandle((content) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(content)], 'meeting.flac', { type: 'audio/flac' }));
      return data;
    }, bytes);
    await page.dispatchEvent('#stage', 'drop', { dataTransfer: transfer });
    await untilPhase(page, 'done');
    expectWhole(await wordsOn(page), 'meeting');
    expect(await page.locator('#session-name').textContent()).toContain('meeting.flac');
  });
});
