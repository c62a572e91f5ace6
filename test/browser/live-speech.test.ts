/** The live page in a real browser, a WAV as its microphone, the real recogniser behind it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMoonshineEngine } from '@kikitori/engine-moonshine';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import { microphoneFlags, speech, writeMicrophone } from './microphone.js';
import { SlowDoor } from './slow-door.js';

const engine =
  whyNoBrowser === undefined
    ? await createMoonshineEngine({ model: 'tiny', threads: 2, streamsMax: 4 }).catch(() => undefined)
    : undefined;
if (engine === undefined) {
  process.stderr.write(`the live page is not spoken to: ${whyNoBrowser ?? 'no model tiny'}\n`);
}

const PATIENCE = { timeout: 60_000 };

describe.skipIf(engine === undefined)('the live page, spoken to', { timeout: 120_000 }, () => {
  let folder = '';
  let server: RunningServer;
  let ferry: Browser;
  let kitchen: Browser;

  beforeAll(async () => {
    if (engine === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'kikitori-page-'));
    const pages = await loadPages(PAGES_FOLDER);
    server = await startServer({ engine, attach: attachWebSockets, port: 0, pages });
    await server.ready;
    [ferry, kitchen] = await Promise.all([browserThatHears('ferry'), browserThatHears('kitchen')]);
  });

  afterEach(async () => {
    const contexts = [ferry, kitchen].flatMap((browser) => browser.contexts());
    await Promise.all(contexts.map((context) => context.close()));
  });

  afterAll(async () => {
    await Promise.all([ferry?.close(), kitchen?.close()]);
    await server?.close();
    await engine?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function browserThatHears(name: string): Promise<Browser> {
    const path = join(folder, `${name}.wav`);
    await writeMicrophone(path, await speech(`${name}.flac`));
    return await launchBrowser(microphoneFlags(path));
  }

  async function visit(browser: Browser, url = server.url): Promise<Page> {
    const context = await browser.newContext({ acceptDownloads: true });
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  const words = async (page: Page): Promise<string> =>
    (await page.locator('#transcript p').allTextContents()).join(' ');

  async function untilSaid(page: Page, text: RegExp): Promise<void> {
    const transcript = page.locator('#transcript');
    await transcript
      .filter({ hasText: text })
      .waitFor(PATIENCE)
      .catch(async (cause: unknown) => {
        const state = await page.locator('#state').textContent();
        const said = await transcript.textContent();
        throw new Error(`no ${text} was said, but "${said}" (the page: "${state}")`, { cause });
      });
  }

  async function stop(page: Page): Promise<void> {
    await page.click('#record');
    await page.locator('body[data-phase="done"]').waitFor(PATIENCE);
  }

  it('shows the words while they are spoken, stops, exports, and has them after a reload', async () => {
    const page = await visit(ferry);
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.locator('#listener').filter({ hasText: 'moonshine-tiny' }).waitFor(PATIENCE);
    await page.click('#record');
    await untilSaid(page, /ferry/i);
    await page
      .locator('#lag-number')
      .filter({ hasText: /\d\.\d s/ })
      .waitFor(PATIENCE);
    await untilSaid(page, /minutes/i);
    await stop(page);

    const said = await words(page);
    expect(said).toMatch(/^Good morning.*ferry.*island.*crossing.*minutes/i);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-export="srt"]')]);
    expect(download.suggestedFilename()).toMatch(/^kikitori-.*\.srt$/);
    expect(await readFile(await download.path(), 'utf8')).toMatch(/^1\n00:00:0\d,\d{3} --> .*\nGood morning/);

    await page.reload();
    await untilSaid(page, /minutes/i);
    expect(await words(page)).toBe(said);
    expect([...hosts]).toEqual([new URL(server.url).host]);
  });

  it('announces every finished sentence to screen readers once, and never a revision', async () => {
    const page = await visit(ferry);
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) {
          for (const node of addedNodes) heard.push(node.textContent ?? '');
        }
      }).observe(document.getElementById('announcer') ?? document.body, { childList: true, subtree: true });
    });
    await page.click('#record');
    await untilSaid(page, /minutes/i);
    await stop(page);
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    expect(heard.filter((text) => text !== '')).toEqual(
      await page.locator('#transcript .stable').allTextContents(),
    );
    expect(await page.locator('#transcript').getAttribute('aria-live')).toBe(null);
  });

  it('has the first word although the connection comes 2 s late', async () => {
    const door = await SlowDoor.open(server.port);
    try {
      door.socketDelayMs = 2_000;
      const page = await visit(ferry, door.url);
      await page.click('#record');
      await page
        .locator('#state')
        .filter({ hasText: /kept, connecting/ })
        .waitFor(PATIENCE);
      await untilSaid(page, /ferry/i);
      expect(await words(page)).toMatch(/^Good morning/i);
    } finally {
      await door.close();
    }
  });

  it('loses nothing that was said while the server was gone', async () => {
    const door = await SlowDoor.open(server.port);
    try {
      const page = await visit(ferry, door.url);
      await page.click('#record');
      await untilSaid(page, /\w/);
      door.isShut = true;
      door.cut();
      await page
        .locator('#state')
        .filter({ hasText: /Reconnecting: [3-9] s of sound kept/ })
        .waitFor(PATIENCE);
      door.isShut = false;
      await untilSaid(page, /minutes/i);
      await stop(page);
      expect(await words(page)).toMatch(/ferry.*island.*crossing.*minutes/i);
      expect(await page.locator('#transcript .gap').count()).toBe(0);
    } finally {
      await door.close();
    }
  });

  it('gives two visitors two transcripts', async () => {
    const [one, other] = await Promise.all([visit(ferry), visit(kitchen)]);
    await Promise.all([one.click('#record'), other.click('#record')]);
    await Promise.all([untilSaid(one, /ferry|island/i), untilSaid(other, /milk|boil/i)]);
    expect(await words(one)).not.toMatch(/milk|boil/i);
    expect(await words(other)).not.toMatch(/ferry|island/i);
  });

  it('reads a file that is dropped on it, as fast as possible', async () => {
    const page = await visit(ferry);
    await page.getByText('as fast as possible').click();
    const bytes = [...(await readFile(join(import.meta.dirname, '../../samples/meeting.flac')))];
    const transfer = await page.evaluateHandle((content) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(content)], 'meeting.flac', { type: 'audio/flac' }));
      return data;
    }, bytes);
    await page.dispatchEvent('#stage', 'drop', { dataTransfer: transfer });
    await page.locator('body[data-phase="done"]').waitFor(PATIENCE);
    expect(await words(page)).toMatch(/meeting.*Monday.*second floor/i);
    expect(await page.locator('#session-name').textContent()).toContain('meeting.flac');
  });
});
