/** The pages behind nginx, below a path that nginx gives them: speaking, samples, and what is shared. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Nginx, whyNoNginx } from '../nginx.js';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  SENTENCE,
  untilSaid,
  visit,
} from './live-stage.js';

const whyNot = whyNoBrowser ?? whyNoNginx;
if (whyNot !== undefined)
  process.stderr.write(`the tests of the pages behind nginx are skipped: ${whyNot}\n`);

describe.skipIf(whyNot !== undefined)('the pages behind nginx, below a path', { timeout: 120_000 }, () => {
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

  it('hear the microphone, read a sample, and share what is said, all with a key', async () => {
    const server = await stage.serve({ apiKey: 'open-sesame' });
    await using nginx = await Nginx.start(server.port);
    const lost: string[] = [];
    const come = async (): Promise<Page> => {
      const page = await visit(browser, `${nginx.url}#key=open-sesame`);
      page.on('response', (response) => {
        if (response.status() >= 400) lost.push(response.url());
      });
      return page;
    };
    const listener = await come();
    await listener.click('[data-sample="ferry"]');
    await untilSaid(listener);
    const page = await come();
    await page.click('#record');
    await untilSaid(page);
    await page.click('#share');
    const link = page.locator('#share-link');
    await expect.poll(() => link.inputValue(), PATIENCE).toMatch(/#k=/);
    const shared = await link.inputValue();
    expect(shared.startsWith(`${nginx.url}captions#k=`)).toBe(true);
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(shared);
    await reader
      .locator('.said')
      .filter({ hasText: SENTENCE.join(' ') })
      .waitFor(PATIENCE);
    expect(lost).toEqual([]);
  });
});
