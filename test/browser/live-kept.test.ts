/** What the live page keeps and hands out: after a reload, at any moment, and nothing once it is deleted. */
import { readFile } from 'node:fs/promises';
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
  untilPhase,
  untilSaid,
  visit,
  wordsOn,
} from './live-stage.js';

const SAID = SENTENCE.join(' ');

describe.skipIf(whyNoBrowser !== undefined)('what the live page keeps', { timeout: 120_000 }, () => {
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

  /** What is in the browser's own database, whatever the page shows. */
  const kept = (page: Page, store: 'sessions' | 'parts'): Promise<unknown> =>
    page.evaluate(
      (name) =>
        new Promise((resolve) => {
          const opening = indexedDB.open('kikitori');
          opening.onsuccess = () => {
            const count = opening.result.transaction(name).objectStore(name).count();
            count.onsuccess = () => {
              opening.result.close();
              resolve(count.result);
            };
          };
        }),
      store,
    );
  const keptSessions = (page: Page): Promise<unknown> => kept(page, 'sessions');

  /** The first utterance is over: it has its time. */
  const untilClosed = (page: Page): Promise<void> =>
    page.locator('#transcript .time').first().filter({ hasText: '0:00' }).waitFor(PATIENCE);

  async function exported(page: Page, format: string): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent('download', PATIENCE),
      page.click(`[data-export="${format}"]`),
    ]);
    expect(download.suggestedFilename()).toMatch(new RegExp(`^kikitori-.*\\.${format}$`));
    return await readFile(await download.path(), 'utf8');
  }

  it.each(['while somebody speaks', 'after the stop', 'after a reload'] as const)(
    'is exported in every format %s',
    async (moment) => {
      const page = await visit(browser, (await stage.serve()).url);
      await page.click('#record');
      await untilSaid(page);
      await untilClosed(page);
      if (moment !== 'while somebody speaks') await stop(page);
      if (moment === 'after a reload') {
        await page.reload();
        await untilSaid(page);
      }
      expect(await exported(page, 'txt')).toMatch(new RegExp(`^${SAID}`));
      expect(await exported(page, 'srt')).toMatch(/^1\n00:00:00,200 --> 00:00:\d\d,\d{3}\nGood/);
      const vtt = await exported(page, 'vtt');
      expect(vtt).toMatch(/^WEBVTT\n\n/);
      // WebVTT is markup: what was said is not.
      expect(vtt).toContain('&lt;b&gt;morning&lt;/b&gt;');
      const { text, model, utterances } = JSON.parse(await exported(page, 'json'));
      expect(text).toContain(SAID);
      expect(model).toBe('scripted');
      expect(utterances[0].words.map((word: { readonly text: string }) => word.text)).toEqual(SENTENCE);
      expect(await page.locator('body').getAttribute('data-phase')).toBe(
        { 'while somebody speaks': 'recording', 'after the stop': 'done', 'after a reload': 'idle' }[moment],
      );
    },
  );

  it('says whose words they are, where it was told', async () => {
    const { url } = await stage.serve();
    const page = await visit(browser, url);
    // Looking for what is kept makes the place for it.
    await page.click('#open-sessions');
    await page.locator('#sessions-dialog').waitFor(PATIENCE);
    await page.keyboard.press('Escape');
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open('kikitori');
          opening.onsuccess = () => {
            const writing = opening.result.transaction('sessions', 'readwrite');
            const words = { startMs: 0, endMs: 900, words: [] };
            writing.objectStore('sessions').put({
              id: 'call',
              startedAtMs: Date.now(),
              name: 'A call',
              model: 'scripted',
              open: '',
              gaps: [],
              utterances: [
                { ...words, text: 'How can I help?', label: '<b>Agent</b>' },
                { ...words, text: 'My line is dead.', label: 'Caller' },
                { ...words, text: 'Nobody knows whose.' },
              ],
            });
            writing.oncomplete = () => resolve(opening.result.close());
            writing.onabort = reject;
          };
        }),
    );
    await page.click('#open-sessions');
    await page.locator('#session-list .session').click();
    const lines = page.locator('#transcript p');
    await lines.filter({ hasText: 'Nobody' }).waitFor(PATIENCE);
    const said = ['<b>Agent</b>: How can I help?', 'Caller: My line is dead.', 'Nobody knows whose.'];
    expect(await lines.allTextContents()).toEqual(said);
    expect(await exported(page, 'txt')).toBe(`${said.join('\n')}\n`);
    expect(await exported(page, 'vtt')).toContain('<v Caller>My line is dead.');
  });

  it('is copied at any moment', async () => {
    const { url } = await stage.serve();
    const permissions = ['microphone', 'clipboard-read', 'clipboard-write'];
    const page = await visit(browser, url, { permissions });
    const copied = async (): Promise<string> => {
      await page.evaluate(() => navigator.clipboard.writeText(''));
      await page.click('#copy');
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), PATIENCE).not.toBe('');
      return await page.evaluate(() => navigator.clipboard.readText());
    };
    await page.click('#record');
    await untilSaid(page);
    await untilClosed(page);
    expect(await copied()).toContain(SAID);
    await stop(page);
    expect((await copied()).trim().replaceAll('\n', ' ')).toBe(await wordsOn(page));
  });

  it('survives a reload in the middle of speech', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await untilClosed(page);
    await page.reload();
    await untilSaid(page);
    await untilPhase(page, 'idle');
  });

  it('survives a reload that comes before anything was saved, and what is said behind it', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await page.reload();
    await untilSaid(page);
    await page.reload();
    await untilSaid(page);
    expect((await wordsOn(page)).split(SAID)).toHaveLength(2);
  });

  it('is gone when it is deleted, also while it is being said', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await stop(page);
    await page.click('#record');
    await untilSaid(page);
    await expect.poll(() => keptSessions(page), PATIENCE).toBe(2);
    await page.click('#open-sessions');
    await page
      .getByRole('button', { name: /^Delete the session/ })
      .first()
      .click();
    await expect.poll(() => page.locator('#session-list .session').count(), PATIENCE).toBe(1);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.click('#delete-yes');
    await page.getByText('Nothing is kept yet.').waitFor(PATIENCE);
    await page.keyboard.press('Escape');
    await stop(page);
    expect(await Promise.all([keptSessions(page), kept(page, 'parts')])).toEqual([0, 0]);
    await page.reload();
    await page.locator('#intro').waitFor(PATIENCE);
    expect(await keptSessions(page)).toBe(0);
    expect(await page.locator('#transcript li').count()).toBe(0);
  });

  it('is asked for before all of it is deleted, and had back, also what is being said', async () => {
    const page = await visit(browser, (await stage.serve()).url);
    await page.click('#record');
    await untilSaid(page);
    await stop(page);
    const first = await wordsOn(page);
    await page.click('#record');
    await untilSaid(page);
    await untilClosed(page);
    await expect.poll(() => keptSessions(page), PATIENCE).toBe(2);
    await page.click('#open-sessions');
    await page.click('#delete-all');
    await page.getByRole('button', { name: 'Keep them' }).click();
    expect(await keptSessions(page)).toBe(2);
    await page.click('#delete-all');
    await page.click('#delete-yes');
    await page.getByText('Nothing is kept yet.').waitFor(PATIENCE);
    expect(await keptSessions(page)).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => page.locator('#session-list .session').count(), PATIENCE).toBe(2);
    await page.keyboard.press('Escape');
    await stop(page);
    const second = await wordsOn(page);
    await page.reload();
    await expect.poll(() => wordsOn(page), PATIENCE).toBe(second);
    await page.click('#open-sessions');
    await page.locator('#session-list .session').last().click();
    await expect.poll(() => wordsOn(page), PATIENCE).toBe(first);
    // What was offered is gone with the window.
    await page.click('#open-sessions');
    await page.locator('#session-list .session').first().waitFor(PATIENCE);
    expect(await page.locator('#undo').isVisible()).toBe(false);
  });

  it('is written once, utterance by utterance, and read back as a whole', async () => {
    const script = `{
      const put = IDBObjectStore.prototype.put;
      const written = [];
      IDBObjectStore.prototype.put = function (value) {
        written.push(JSON.parse(JSON.stringify(value)));
        return put.call(this, value);
      };
      Object.assign(window, { written });
    }`;
    const page = await visit(browser, (await stage.serve()).url, { script });
    await page.check('input[name="rate"][value="max"]');
    await page.click('[data-sample="ferry"]');
    await untilPhase(page, 'done');
    const shown = await page.locator('#transcript li').count();
    expect(shown).toBeGreaterThan(2);
    const starts = await page.evaluate(
      `written.flatMap(({ utterances = [], said }) => [...utterances, ...(said?.utterances ?? [])]).map(({ startMs }) => startMs)`,
    );
    expect(starts).toHaveLength(shown);
    expect(new Set(Array.isArray(starts) ? starts : []).size).toBe(shown);
    const words = await wordsOn(page);
    await page.reload();
    await untilSaid(page);
    expect(await wordsOn(page)).toBe(words);
    await page.click('#open-sessions');
    await page.evaluate(() => document.querySelector('#transcript')?.replaceChildren());
    await page.locator('#session-list .session').first().click();
    await expect.poll(() => wordsOn(page), PATIENCE).toBe(words);
  });

  it('is read as an older page has kept it, too', async () => {
    const { url } = await stage.serve();
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${url}/health`);
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open('kikitori', 1);
          opening.onupgradeneeded = () => {
            const store = opening.result.createObjectStore('sessions', { keyPath: 'id' });
            store.createIndex('startedAtMs', 'startedAtMs');
            const utterances = ['One.', 'Two.'].map((text, at) => ({
              text,
              startMs: at,
              endMs: at + 1,
              words: [],
            }));
            const about = { id: 'old', startedAtMs: 1_700_000_000_000, name: 'Old', model: '' };
            store.put({ ...about, utterances, gaps: [], open: 'Three.' });
          };
          opening.onsuccess = () => {
            opening.result.close();
            resolve();
          };
        }),
    );
    await page.goto(url);
    await page.click('#open-sessions');
    await page.getByRole('button', { name: /One\. Two\. Three\./ }).click();
    await untilSaid(page, 'Three.');
    expect(await wordsOn(page)).toBe('One. Two. Three.');
  });
});
