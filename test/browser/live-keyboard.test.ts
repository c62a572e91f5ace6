/** The live page with keys alone, and what somebody hears who does not see it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  focused,
  LiveStage,
  leave,
  PATIENCE,
  tabTo,
  untilPhase,
  untilSaid,
  untilState,
  visit,
} from './live-stage.js';
import { SlowDoor } from './slow-door.js';

const KEY = 'key-for-the-walk';

describe.skipIf(whyNoBrowser !== undefined)('the live page by keys alone', { timeout: 120_000 }, () => {
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

  const press = (page: Page, key: string): Promise<void> => page.keyboard.press(key);

  /** Everything that Tab comes to, from the top of the page; each has a ring around it. */
  async function walk(page: Page): Promise<readonly string[]> {
    const names: string[] = [];
    await page.evaluate(() => {
      // Tab goes on from what had the focus last: here, from the top.
      document.body.tabIndex = -1;
      document.body.focus();
      document.body.removeAttribute('tabindex');
    });
    for (let presses = 0; presses < 40; presses += 1) {
      await press(page, 'Tab');
      const { name, ringPx } = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return { name: '', ringPx: 0 };
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const value = element instanceof HTMLInputElement ? element.value : '';
        const own = element.id || element.textContent || value;
        return { name: own, ringPx: outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth) };
      });
      if (name === '' || name === names[0]) break;
      expect(ringPx, name).toBeGreaterThanOrEqual(2);
      names.push(name);
    }
    return names;
  }

  it('has everything in the order in which it stands, each with a ring that is seen', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    const above = [
      'smaller',
      'larger',
      'open-sessions',
      'language',
      'pick-file',
      'ferry',
      'kitchen',
      'meeting',
    ];
    // `real`: one stop for both paces, as arrows choose between them.
    expect(await walk(page)).toEqual([...above, 'real', 'record', 'source', 'share']);
    await page.click('#record');
    await untilSaid(page);
    expect(await walk(page)).toEqual([
      'smaller',
      'larger',
      'open-sessions',
      'language',
      'copy',
      'TXT',
      'SRT',
      'VTT',
      'JSON',
      'record',
      'mute',
      'share',
    ]);
  });

  it('starts, mutes, stops and starts again, and the focus stays where it was', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await tabTo(page, 'record');
    await press(page, 'Enter');
    await untilSaid(page);
    expect(await focused(page)).toBe('record');
    await press(page, 'Tab');
    await press(page, 'Space');
    await page.locator('#mute[aria-pressed="true"]').waitFor(PATIENCE);
    expect(await focused(page)).toBe('mute');
    await press(page, 'Shift+Tab');
    await press(page, 'Space');
    await untilPhase(page, 'done');
    expect(await focused(page)).toBe('record');
    await press(page, 'Space');
    await untilPhase(page, 'recording');
    expect(await focused(page)).toBe('record');
  });

  it('starts and stops by one shortcut from anywhere, but not while something is typed or asked', async () => {
    const page = await visit(browser, (await stage.serve({ apiKey: KEY })).url);
    expect(await page.locator('#record').getAttribute('aria-keyshortcuts')).toBe('Control+Enter');
    expect(await page.locator('#record kbd').isVisible()).toBe(true);
    await press(page, 'Control+Enter');
    await page.locator('#key').waitFor(PATIENCE);
    await page.keyboard.type(KEY);
    await press(page, 'Control+Enter');
    expect(await page.locator('body').getAttribute('data-phase')).toBe('idle');
    await press(page, 'Enter');
    await untilSaid(page);
    await tabTo(page, 'mute');
    await press(page, 'Control+Enter');
    await untilPhase(page, 'done');
    // Nor was the button pressed that had the focus.
    expect(await page.locator('#mute').getAttribute('aria-pressed')).toBe('false');
  });

  it('makes the words larger and smaller, and remembers it', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    const sizePx = (): Promise<number> =>
      page
        .locator('#transcript li')
        .first()
        .evaluate((line) => Number.parseFloat(getComputedStyle(line).fontSize));
    const before = await sizePx();
    await page.getByRole('button', { name: 'Larger letters' }).focus();
    await press(page, 'Enter');
    const after = await sizePx();
    expect(after).toBeGreaterThan(before);
    await page.reload();
    await untilSaid(page);
    expect(await sizePx()).toBe(after);
    await page.getByRole('button', { name: 'Smaller letters' }).focus();
    await press(page, 'Enter');
    expect(await sizePx()).toBe(before);
  });

  it('has each sentence and the state once for whoever reads the page with a screen reader', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await press(page, 'Control+Enter');
    await untilPhase(page, 'done');
    const lines = await page.locator('#transcript .stable').allTextContents();
    expect(lines).not.toEqual([]);
    const countOf = async (text: string): Promise<number> =>
      (await page.locator('body').ariaSnapshot()).split(text).length - 1;
    await expect.poll(() => countOf('<b>morning</b>'), PATIENCE).toBe(lines.join('').split('<b>').length - 1);
    expect(await countOf('Stopped; everything said is written')).toBe(1);
  });

  it('reads a sample, and the focus goes to what stops it', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await tabTo(page, 'ferry');
    await press(page, 'Enter');
    await untilSaid(page);
    expect(await focused(page)).toBe('record');
    await press(page, 'Enter');
    await untilPhase(page, 'done');
    expect(await page.getByRole('alert').textContent()).toBe('');
  });

  it('opens, deletes and leaves kept sessions', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await tabTo(page, 'record');
    await press(page, 'Enter');
    await untilSaid(page);
    await press(page, 'Enter');
    await untilPhase(page, 'done');
    await tabTo(page, 'open-sessions');
    await press(page, 'Enter');
    await page.locator('#session-list .session').waitFor(PATIENCE);
    expect(await page.locator('#sessions-dialog :focus').count()).toBe(1);
    await press(page, 'Escape');
    await page.locator('#sessions-dialog').waitFor({ state: 'hidden', ...PATIENCE });
    expect(await focused(page)).toBe('open-sessions');

    await press(page, 'Enter');
    // The list of the last time is still in the page, and is drawn anew before the dialog opens.
    await page.locator('#sessions-dialog').waitFor({ state: 'visible', ...PATIENCE });
    await page.locator('#session-list .session').focus();
    await press(page, 'Enter');
    await untilPhase(page, 'idle');
    await untilSaid(page);
    expect(await focused(page)).toBe('open-sessions');

    await press(page, 'Enter');
    await page.locator('#sessions-dialog').waitFor({ state: 'visible', ...PATIENCE });
    await tabTo(page, 'delete-all');
    await press(page, 'Enter');
    expect(await focused(page)).toBe('delete-no');
    await press(page, 'Enter');
    expect(await focused(page)).toBe('delete-all');
    await press(page, 'Enter');
    await press(page, 'Shift+Tab');
    await press(page, 'Enter');
    await page.getByText('Nothing is kept yet.').waitFor(PATIENCE);
    expect(await focused(page)).toBe('undo');
    await press(page, 'Escape');
    await page.locator('#intro').waitFor(PATIENCE);
    expect(await focused(page)).toBe('open-sessions');
  });

  it('shares, and ends sharing', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    const link = page.locator('#share-link');
    await tabTo(page, 'share');
    await press(page, 'Enter');
    await expect.poll(() => link.inputValue(), PATIENCE).toContain('/captions#k=');
    expect(await focused(page)).toBe('share-link');
    await press(page, 'Escape');
    expect(await focused(page)).toBe('share');
    await press(page, 'Enter');
    await tabTo(page, 'share-end');
    await press(page, 'Enter');
    await expect.poll(() => focused(page), PATIENCE).toBe('share');
    await expect.poll(() => page.locator('#share-state').textContent(), PATIENCE).toBe('');
  });

  it('gives the key, and leaves its dialog without one', async () => {
    const page = await visit(browser, (await stage.serve({ apiKey: KEY })).url);
    await tabTo(page, 'record');
    await press(page, 'Enter');
    await page.locator('#key').waitFor(PATIENCE);
    expect(await focused(page)).toBe('key');
    await press(page, 'Escape');
    await page.locator('#key-dialog').waitFor({ state: 'hidden', ...PATIENCE });
    expect(await focused(page)).toBe('record');
    expect(await page.locator('body').getAttribute('data-phase')).toBe('idle');
    await press(page, 'Enter');
    await page.keyboard.type(KEY);
    await press(page, 'Enter');
    await untilSaid(page);
    expect(await focused(page)).toBe('record');
  });

  it('says each finished sentence and each state once: no revision, and no seconds that are counted', async () => {
    const door = await SlowDoor.open((await stage.serve()).port);
    try {
      const page = await visit(browser, door.url);
      await page.evaluate(() => {
        const heard: string[] = [];
        Object.assign(window, { heard });
        // What is added in a live region is what a screen reader says.
        for (const region of document.querySelectorAll('[aria-live], [role=status], [role=alert]')) {
          new MutationObserver((changes) => {
            for (const { addedNodes } of changes) {
              for (const node of addedNodes) heard.push(node.textContent ?? '');
            }
          }).observe(region, { childList: true, subtree: true, characterData: true });
        }
      });
      await page.click('#record');
      await untilSaid(page);
      door.isShut = true;
      door.cut();
      await untilState(page, /Reconnecting: ([4-9]|\d\d) s/);
      door.isShut = false;
      await untilState(page, /^Live$/);
      await page.click('#record');
      await untilPhase(page, 'done');
      const heard = (await page.evaluate('heard')) as readonly string[];
      const finished = await page.locator('#transcript .stable').allTextContents();
      const states = heard.filter((text) => text !== '' && !finished.includes(text));
      expect(heard.filter((text) => finished.includes(text))).toEqual(finished);
      expect(states.filter((text) => text.startsWith('Reconnecting'))).toHaveLength(1);
      expect(new Set(states.filter((text) => text !== 'Live')).size).toBe(
        states.filter((text) => text !== 'Live').length,
      );
    } finally {
      await door.close();
    }
  });
});
