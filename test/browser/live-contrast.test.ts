/** Every text of the live page can be read: in every state, on the way from one to the next, and under the pointer. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import { holdTransitions, lowContrasts, lowUnderPointer } from './contrast.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  stop,
  untilSaid,
  visit,
} from './live-stage.js';

if (whyNoBrowser !== undefined) {
  process.stderr.write(`the tests of the live page's colours are skipped: ${whyNoBrowser}\n`);
}

/** Every way from one phase to another, one after the other. */
const WALK =
  'idle asking idle asking recording finishing done asking recording finishing idle decoding reading finishing done decoding idle';
const CAN_BE_PRESSED = ['idle', 'decoding', 'recording', 'reading', 'done'];

/** Dresses the page as its program does in that phase: some are too short to be looked at. */
async function dress(page: Page, phase: string): Promise<void> {
  const isOff = !CAN_BE_PRESSED.includes(phase);
  await page.evaluate(
    ([name, disabled]) => {
      document.body.dataset['phase'] = name;
      document.querySelector('#record')?.setAttribute('aria-disabled', String(disabled));
    },
    [phase, isOff] as const,
  );
}

/** What is seldom there: lost sound, doubt, a failure, a key that was refused. */
async function addRareTexts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const rare = (parent: string, name: string, html: string): void => {
      const made = document.createElement(name);
      made.innerHTML = html;
      document.querySelector(parent)?.append(made);
    };
    rare(
      '#transcript',
      'li',
      '<span class="time">0:01</span><p>lost <span class="unstable">or not</span></p><p class="doubt">Is it?</p>',
    );
    document.querySelector('#transcript li:last-child')?.classList.add('gap');
    rare('#notice', 'p', '<span class="notice-text">It failed.</span>');
    rare('#key-wrong', 'span', 'It was refused.');
    rare('#share-state', 'span', 'Shared.');
  });
}

describe.skipIf(whyNoBrowser !== undefined)('the colours of the live page', { timeout: 120_000 }, () => {
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

  const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
    [1280, 390].map((width) => [colorScheme, width] as const),
  );
  it.each(looks)('can be read in all states, %s, %i px wide', async (colorScheme, width) => {
    const viewport = { width, height: 800 };
    const page = await visit(browser, (await stage.serve()).url, { colorScheme, viewport });
    await holdTransitions(page);
    expect(await lowContrasts(page), 'idle').toEqual([]);
    expect(await lowUnderPointer(page), 'idle, pointer').toEqual([]);
    await page.click('#record');
    await untilSaid(page);
    expect(await lowContrasts(page), 'live').toEqual([]);
    await page.click('#mute');
    expect(await lowUnderPointer(page), 'muted, pointer').toEqual([]);
    await page.click('#share');
    await page.locator('#share-link').waitFor(PATIENCE);
    expect(await lowUnderPointer(page, '#share-dialog'), 'share').toEqual([]);
    await page.keyboard.press('Escape');
    await stop(page);
    expect(await lowContrasts(page), 'done').toEqual([]);
    await addRareTexts(page);
    for (const phase of WALK.split(' ')) {
      await dress(page, phase);
      expect(await lowContrasts(page), `on the way to ${phase}`).toEqual([]);
    }
    await page.click('#open-sessions');
    await page.locator('#session-list .session').waitFor(PATIENCE);
    expect(await lowUnderPointer(page, '#sessions-dialog'), 'sessions').toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('#key-dialog').evaluate((dialog) => {
      if (dialog instanceof HTMLDialogElement) dialog.showModal();
    });
    expect(await lowUnderPointer(page, '#key-dialog'), 'key').toEqual([]);
  });
});
