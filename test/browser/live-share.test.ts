/** The link for readers: the same for as long as the speaker wants it, and at an address that others reach. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  SENTENCE,
  stop,
  untilSaid,
  visit,
} from './live-stage.js';

const ELSEWHERE = ['http://192.0.2.5:8000', 'http://192.0.2.6:8000'];

describe.skipIf(whyNoBrowser !== undefined)('the link for readers', { timeout: 120_000 }, () => {
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

  const standing = (reader: Page, text: string): Promise<void> =>
    reader.locator('.state-text').filter({ hasText: text }).waitFor(PATIENCE);

  async function shared(page: Page): Promise<string> {
    await page.click('#share');
    const link = page.locator('#share-link');
    await expect.poll(() => link.inputValue(), PATIENCE).toContain('/captions#k=');
    const { value } = await link.evaluate((input) => ({
      value: input instanceof HTMLInputElement ? input.value : '',
    }));
    await page.keyboard.press('Escape');
    return value;
  }

  it('is the same after a reload, and readers keep what they have read', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    const link = await shared(page);
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(link);
    await standing(reader, 'Live');
    const before = await reader.locator('.said p').count();
    await page.reload();
    await page.locator('#share-state').filter({ hasText: 'Shared' }).waitFor(PATIENCE);
    await standing(reader, 'Ended');
    expect(await reader.locator('.said p').count()).toBeGreaterThanOrEqual(before);
    expect(await shared(page)).toBe(link);
    await page.click('#record');
    await standing(reader, 'Live');
    await reader.getByText(SENTENCE.join(' ')).first().waitFor(PATIENCE);
    await stop(page);
  });

  it('is the same the next time: it is shared as soon as somebody begins, and nothing is taken from another tab', async () => {
    const { url } = await stage.serve();
    const page = await visit(browser, url);
    await page.click('#record');
    await untilSaid(page);
    const link = await shared(page);
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(link);
    await standing(reader, 'Live');
    const next = await page.context().newPage();
    await next.goto(url);
    await next.locator('#share-state').filter({ hasText: 'Link from before' }).waitFor(PATIENCE);
    expect(await page.locator('#share-state').textContent()).toBe('Shared, 1 reading');
    await page.close();
    await standing(reader, 'Paused');
    await next.click('#record');
    await standing(reader, 'Live');
    expect(await shared(next)).toBe(link);
  });

  it('ends when it is ended, and another one is made when that is wished', async () => {
    const { url } = await stage.serve();
    const page = await visit(browser, url);
    const first = await shared(page);
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(first);
    await standing(reader, 'Waiting');
    await page.click('#share');
    await page.click('#share-new');
    await standing(reader, 'Ended');
    const link = page.locator('#share-link');
    await expect.poll(() => link.inputValue(), PATIENCE).toMatch(/#k=(?!$)/);
    const second = await link.inputValue();
    expect(second).not.toBe(first);
    await page.click('#share-end');
    await expect.poll(() => page.locator('#share-state').textContent(), PATIENCE).toBe('');
    await page.reload();
    expect(await page.locator('#share-state').textContent()).toBe('');
    expect(await shared(page)).not.toBe(second);
  });

  it('names an address that others reach, with a code to photograph; and the overlay on this computer', async () => {
    const { url } = await stage.serve({ addresses: () => ELSEWHERE });
    const page = await visit(browser, url);
    const link = await shared(page);
    expect(link).toMatch(/^http:\/\/192\.0\.2\.5:8000\/captions#k=[\w-]{43}$/);
    await page.click('#share');
    expect(await page.locator('#share-overlay').inputValue()).toBe(
      link.replace(/^http:.*#/, `${url}/captions?view=overlay#`),
    );
    const code = page.locator('#share-code');
    expect(await code.getAttribute('aria-label')).toBe('QR code of the link');
    const drawn = await code.locator('path').getAttribute('d');
    await page.selectOption('#share-address', { label: '192.0.2.6:8000' });
    expect(await page.locator('#share-open').getAttribute('href')).toBe(link.replace('.5:', '.6:'));
    expect(await code.locator('path').getAttribute('d')).not.toBe(drawn);
    expect(await page.locator('#share-reach').textContent()).toBe('');
  });

  it('says that nobody else reaches a server that listens for its own computer', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await shared(page);
    expect(await page.locator('#share-reach').textContent()).toContain('--host 0.0.0.0');
  });
});
