/** The pages behind nginx and Caddy, below a path that those give them: speaking, samples, and what is shared. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { proxies, ReverseProxy, whyNoProxy } from '../reverse-proxies.js';
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

describe.each(proxies)('the pages behind %s, below a path', { timeout: 120_000 }, (_name, program) => {
  const whyNot = whyNoBrowser ?? whyNoProxy(program);
  if (whyNot !== undefined) {
    process.stderr.write(`the tests of the pages behind ${program.name} are skipped: ${whyNot}\n`);
  }
  const stage = new LiveStage();
  let browser: Browser;
  beforeAll(async () => {
    if (whyNot === undefined) browser = await launchBrowser([FAKE_MICROPHONE, ALL_ALLOWED]);
  });
  afterEach(async () => {
    await leave(browser);
    await stage.close();
  });
  afterAll(async () => {
    await browser?.close();
  });

  test.skipIf(whyNot !== undefined)('hear, read a sample, and share, all with a key', async () => {
    const server = await stage.serve({ apiKey: 'open-sesame' });
    await using proxy = await ReverseProxy.start(program, server.port);
    const lost: string[] = [];
    const come = async (): Promise<Page> => {
      const page = await visit(browser, `${proxy.url}#key=open-sesame`);
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
    expect(shared.startsWith(`${proxy.url}captions#k=`)).toBe(true);
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(shared);
    await reader
      .locator('.said')
      .filter({ hasText: SENTENCE.join(' ') })
      .waitFor(PATIENCE);
    expect(lost).toEqual([]);
  });
});
