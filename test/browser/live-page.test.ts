/** The live page in a real browser, in front of an engine that says what the test wants. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  SENTENCE,
  stop,
  untilSaid,
  untilState,
  visit,
} from './live-stage.js';

if (whyNoBrowser !== undefined) {
  process.stderr.write(`the tests of the live page are skipped: ${whyNoBrowser}\n`);
}

describe.skipIf(whyNoBrowser !== undefined)('the live page', { timeout: 120_000 }, () => {
  const stage = new LiveStage();
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser([FAKE_MICROPHONE, ALL_ALLOWED]);
  });
  afterEach(async () => {
    await leave(browser);
    await stage.close();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it('puts text in as text', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    expect(await page.locator('#transcript b').count()).toBe(0);
  });

  it('speaks Japanese, and remembers which language was chosen', async () => {
    const page = await visit(browser, (await stage.serve()).url, { locale: 'ja-JP' });
    expect(await page.locator('html').getAttribute('lang')).toBe('ja');
    expect(await page.locator('#listener').textContent()).toBe('scripted は英語を聞き取れます');
    expect(await page.locator('#hears').textContent()).toMatch(/^英語で話してください。/);
    await page.getByRole('button', { name: '開始' }).click();
    await untilState(page, '聞いています');
    await page.locator('#listener').filter({ hasText: 'が英語を聞き取っています' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: '停止' }).click();
    await page.selectOption('#language', 'en');
    await page.getByRole('button', { name: 'Start' }).waitFor(PATIENCE);
    expect(await page.locator('#listener').textContent()).toBe('scripted is ready for English');
    await page.reload();
    await page.getByRole('button', { name: 'Start' }).waitFor(PATIENCE);
  });

  it('marks words that do not sound like what the model hears, says so once, and withholds none', async () => {
    const page = await visit(browser, (await stage.serve({ unsureFrom: 2 })).url, { locale: 'ja-JP' });
    await page.click('#record');
    const notice = page.locator('#notice').filter({ hasText: '英語には聞こえません。' });
    const doubts = page
      .locator('#transcript li:not(.is-live) .doubt')
      .filter({ hasText: '聞き取れていません' });
    await notice.waitFor(PATIENCE);
    await doubts.first().waitFor(PATIENCE);
    await untilSaid(page);
    await page.getByRole('button', { name: '閉じる' }).first().click();
    await doubts.nth(1).waitFor(PATIENCE);
    await stop(page);
    expect(await notice.count()).toBe(0);
    await page.reload();
    await doubts.first().waitFor(PATIENCE);
  });

  it('keeps what is said while the server is full, and sends it when there is room', async () => {
    const { url } = await stage.serve({ streamsMax: 1 });
    const [first, second] = [await visit(browser, url), await visit(browser, url)];
    await first.click('#record');
    await untilSaid(first);
    await second.click('#record');
    await untilState(second, /recording, ([3-9]|\d\d) s kept/);
    await stop(first);
    await untilSaid(second);
    expect(await second.locator('#transcript .gap').count()).toBe(0);
  });

  it.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)(
    'has no violation that axe knows, %s and %i px wide, in any state',
    async (colorScheme, width) => {
      const viewport = { width, height: 800 };
      const page = await visit(browser, (await stage.serve()).url, { colorScheme, viewport });
      expect(await axeViolations(page), 'idle').toEqual([]);
      await page.click('#record');
      await untilSaid(page);
      expect(await axeViolations(page), 'live').toEqual([]);
      await page.click('#share');
      await page.locator('#share-link').waitFor(PATIENCE);
      expect(await axeViolations(page), 'share').toEqual([]);
      await page.keyboard.press('Escape');
      await stop(page);
      expect(await axeViolations(page), 'done').toEqual([]);
      await page.click('#open-sessions');
      await page.locator('#session-list .session').waitFor(PATIENCE);
      expect(await axeViolations(page), 'sessions').toEqual([]);
    },
  );

  it('lets a reader who comes late read everything by a link', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await page.click('#share');
    await page.locator('#share-state').filter({ hasText: 'Shared' }).waitFor(PATIENCE);
    const link = await page.locator('#share-link').inputValue();
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(link);
    await reader.getByText(SENTENCE.join(' ')).first().waitFor(PATIENCE);
    await page.keyboard.press('Escape');
    const standing = reader.locator('.state-text');
    await standing.filter({ hasText: 'Live' }).waitFor(PATIENCE);
    await page.click('#mute');
    await standing.filter({ hasText: 'Paused' }).waitFor(PATIENCE);
    await page.click('#mute');
    await standing.filter({ hasText: 'Live' }).waitFor(PATIENCE);
    await stop(page);
    await standing.filter({ hasText: 'Ended' }).waitFor(PATIENCE);
  });
});
