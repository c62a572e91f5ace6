/** What the live page says of itself and of its server, and what is in reach wherever it stands. */
import { createScriptedEngine, type SpeechEngine } from '@kikitori/engine';
import { loadPages, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  stop,
  untilPhase,
  untilSaid,
  visit,
} from './live-stage.js';

/** A name that is no computer's own name for itself: pages there are not secure. */
const OTHER_NAME = 'speech.test';

describe.skipIf(whyNoBrowser !== undefined)('the live page, of itself', { timeout: 120_000 }, () => {
  const stage = new LiveStage();
  let browser: Browser;
  beforeAll(async () => {
    const named = `--host-resolver-rules=MAP ${OTHER_NAME} 127.0.0.1`;
    browser = await launchBrowser([FAKE_MICROPHONE, ALL_ALLOWED, named]);
  });
  afterEach(async () => {
    await leave(browser);
    await stage.close();
  });
  afterAll(async () => {
    await browser?.close();
  });

  const listener = (page: Page, text: string): Promise<void> =>
    page.locator('#listener').filter({ hasText: text }).waitFor(PATIENCE);

  it('says that the model is fetched, that it is loaded, that it is ready, and that it listens: each when it does', async () => {
    const engine = createScriptedEngine({ script: [], streamsMax: 1 });
    let load: (engine: SpeechEngine) => void = () => undefined;
    let fetched: number | undefined = 30;
    const server = await startServer({
      engine: new Promise<SpeechEngine>((resolve) => {
        load = resolve;
      }),
      fetching: () => (fetched === undefined ? undefined : { receivedBytes: fetched, totalBytes: 120 }),
      attach: attachWebSockets,
      port: 0,
      pages: await loadPages(PAGES_FOLDER),
    });
    try {
      const page = await (await browser.newContext()).newPage();
      await page.goto(server.url);
      await listener(page, 'being fetched, once: 25 %');
      fetched = undefined;
      await listener(page, 'The model is being loaded');
      load(engine);
      await listener(page, 'scripted is ready for English');
      await page.click('#record');
      await listener(page, 'scripted is listening for English');
      await page.click('#mute');
      await listener(page, 'scripted is ready for English');
      await stop(page);
      await listener(page, 'scripted is ready for English');
    } finally {
      await server.close();
      await engine.close();
    }
  });

  it('says first that the microphone cannot work where it is not secure, and how it can', async () => {
    const { port } = await stage.serve({ apiKey: 'key-of-a-network' });
    const page = await visit(browser, `http://${OTHER_NAME}:${port}/`);
    const banner = page.locator('#no-microphone');
    expect(await banner.textContent()).toContain(`http://localhost:${port}`);
    expect(await banner.textContent()).toContain('--tls-self-signed');
    expect(await page.locator('#intro-title').textContent()).toBe('Open a recording.');
    expect(await axeViolations(page)).toEqual([]);
    await page.selectOption('#language', 'ja');
    await banner.filter({ hasText: 'マイクが使えません' }).waitFor(PATIENCE);
    const own = await visit(browser, `http://localhost:${port}/`);
    expect(await own.locator('#no-microphone').isVisible()).toBe(false);
  });

  it('has recordings, samples and a new beginning in reach after something was said', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    expect(await page.locator('#new').isVisible()).toBe(false);
    await page.click('#record');
    await untilSaid(page);
    expect(await page.locator('#new').isDisabled()).toBe(true);
    await stop(page);
    await page.getByRole('button', { name: 'Recordings' }).click();
    await page.getByRole('button', { name: 'Open a recording' }).waitFor(PATIENCE);
    await page.getByText('as fast as possible').click();
    await page.click('[data-sample="ferry"]');
    await page.locator('#session-name').filter({ hasText: 'ferry.flac' }).waitFor(PATIENCE);
    await untilPhase(page, 'done');
    await page.getByRole('button', { name: 'New' }).click();
    await page.locator('#intro #pick-file').waitFor(PATIENCE);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('record');
    await page.reload();
    await page.locator('#intro #pick-file').waitFor(PATIENCE);
    await page.click('#open-sessions');
    await expect.poll(() => page.locator('#session-list .session').count(), PATIENCE).toBe(2);
  });

  it('lets a sample be heard while it is read at the pace of speech, and ends with it', async () => {
    const script = `{
      const play = HTMLMediaElement.prototype.play;
      globalThis.played = [];
      HTMLMediaElement.prototype.play = function () {
        globalThis.played.push(this);
        return play.call(this);
      };
    }`;
    const page = await visit(browser, (await stage.serve()).url, { script });
    await page.click('[data-sample="ferry"]');
    await untilSaid(page);
    await page.waitForFunction('played[0].currentTime > 0', undefined, PATIENCE);
    await page.click('#mute');
    expect(await page.evaluate('played[0].muted')).toBe(true);
    await page.click('#mute');
    expect(await page.evaluate('[played.length, played[0].muted, played[0].paused]')).toEqual([
      1,
      false,
      false,
    ]);
    await stop(page);
    expect(await page.evaluate('played[0].paused')).toBe(true);
  });

  it.each([
    ['en-GB', 320, 256],
    ['ja-JP', 320, 256],
    ['ja-JP', 390, 800],
  ])('is read without scrolling sideways: %s, %i by %i', async (locale, width, height) => {
    const { url } = await stage.serve({ addresses: () => ['http://192.168.100.200:8000'] });
    const page = await visit(browser, url, { locale, viewport: { width, height } });
    const cut = (): Promise<readonly string[]> =>
      page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        const all = [...document.querySelectorAll('body :not(.unseen, .unseen *)')];
        return all
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > room + 1)
          .map(({ tagName, id, className }) => `${tagName}#${id}.${className}`);
      });
    expect(await cut(), 'idle').toEqual([]);
    await page.click('#record');
    await untilSaid(page);
    expect(await cut(), 'live').toEqual([]);
    await page.click('#share');
    await page.locator('#share-code').waitFor(PATIENCE);
    expect(await cut(), 'share').toEqual([]);
    await page.keyboard.press('Escape');
    await stop(page);
    expect(await cut(), 'done').toEqual([]);
    for (const [button, dialog] of [
      ['#open-recordings', '#recordings-dialog'],
      ['#open-sessions', '#sessions-dialog'],
    ] as const) {
      await page.click(button);
      await page.locator(dialog).waitFor(PATIENCE);
      expect(await cut(), dialog).toEqual([]);
      await page.keyboard.press('Escape');
    }
  });
});
