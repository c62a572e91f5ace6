/** The live page and what it listens to: a microphone that goes, one that is not there, the sound of a tab. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  focused,
  LiveStage,
  leave,
  PATIENCE,
  stop,
  tabTo,
  untilPhase,
  untilSaid,
  untilState,
  visit,
} from './live-stage.js';

/** Keeps every wake lock that the page takes, so that a test sees which are held. */
const WATCH_WAKE_LOCKS = `{
  const locks = [];
  const take = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = async (kind) => {
    const lock = await take(kind);
    locks.push(lock);
    return lock;
  };
  Object.assign(window, { heldLocks: () => locks.filter(({ released }) => !released).length });
}`;

/** The recorder is loaded when the test says so, and the test sees which tracks are open. */
const SLOW_RECORDER = `{
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const opened = [];
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await open(wish);
    opened.push(...stream.getTracks());
    return stream;
  };
  const load = AudioWorklet.prototype.addModule;
  const loaded = new Promise((resolve) => Object.assign(window, { loadRecorder: resolve }));
  AudioWorklet.prototype.addModule = async function (url) {
    await loaded;
    return await load.call(this, url);
  };
  Object.assign(window, { openTracks: () => opened.filter(({ readyState }) => readyState === 'live').length });
}`;

describe.skipIf(whyNoBrowser !== undefined)('what the live page listens to', { timeout: 120_000 }, () => {
  const stage = new LiveStage();
  let asked: Browser;
  let deaf: Browser;
  let bare: Browser;
  beforeAll(async () => {
    // One whose permissions a test gives and takes; one that always says no; one with the devices of this machine.
    const isWhole = true;
    [asked, deaf, bare] = await Promise.all([
      launchBrowser([FAKE_MICROPHONE, '--auto-accept-this-tab-capture'], { isWhole }),
      launchBrowser([FAKE_MICROPHONE, '--deny-permission-prompts'], { isWhole }),
      launchBrowser([ALL_ALLOWED]),
    ]);
  });
  afterEach(async () => {
    await leave(asked, deaf, bare);
    await stage.close();
  });
  afterAll(async () => {
    await Promise.all([asked?.close(), deaf?.close(), bare?.close()]);
  });

  const alert = (page: Page) => page.getByRole('alert');
  const again = (page: Page) => page.getByRole('button', { name: 'Try again' });
  const heldLocks = (page: Page) => page.evaluate('heldLocks()');

  it('is not allowed: a sentence that helps, and a way back', async () => {
    const page = await visit(deaf, (await stage.serve()).url);
    await page.click('#record');
    await alert(page).filter({ hasText: 'not allowed here' }).waitFor(PATIENCE);
    await again(page).waitFor(PATIENCE);
    expect(await axeViolations(page)).toEqual([]);
    expect(await page.locator('#record').isEnabled()).toBe(true);
  });

  it('is tried again by keys alone, and the sentence closed', async () => {
    const page = await visit(deaf, (await stage.serve()).url);
    await tabTo(page, 'record');
    await page.keyboard.press('Enter');
    await again(page).waitFor(PATIENCE);
    await again(page).focus();
    await page.keyboard.press('Enter');
    await again(page).waitFor(PATIENCE);
    expect(await focused(page)).toBe('record');
    await page.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('record');
    expect(await alert(page).textContent()).toBe('');
  });

  it('is not there: a sentence that helps, and recordings work all the same', async ({ skip }) => {
    const page = await visit(bare, (await stage.serve()).url);
    const devices = await page.evaluate(() => navigator.mediaDevices.enumerateDevices());
    if (devices.some(({ kind }) => kind === 'audioinput')) skip('this machine has a microphone');
    await page.click('#record');
    await alert(page).filter({ hasText: 'No microphone was found' }).waitFor(PATIENCE);
    await again(page).click();
    await alert(page).filter({ hasText: 'No microphone was found' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'ferry' }).click();
    await untilSaid(page);
    expect(await alert(page).textContent()).toBe('');
  });

  it('goes away in the middle: the words are kept, a sentence helps, and it goes on when it is back', async () => {
    const page = await visit(asked, (await stage.serve()).url, { permissions: ['microphone'] });
    await page.click('#record');
    await untilSaid(page);
    // The browser ends the track, as it does when a device is pulled out.
    await page.context().clearPermissions();
    await alert(page).filter({ hasText: 'The microphone is gone' }).waitFor(PATIENCE);
    await untilPhase(page, 'done');
    const before = await page.locator('#transcript li').count();
    expect(before).toBeGreaterThan(0);
    expect(await axeViolations(page)).toEqual([]);
    await page.context().grantPermissions(['microphone']);
    await again(page).click();
    await untilPhase(page, 'recording');
    await untilSaid(page);
    await stop(page);
    await page.click('#open-sessions');
    await expect.poll(() => page.locator('#session-list .session').count(), PATIENCE).toBe(2);
  });

  it('is the sound of a tab: taken in as a microphone is, and its end ends the session in order', async () => {
    // Only the page itself can be picked without a hand at the mouse.
    const script = `{
      const share = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getDisplayMedia = async (wish) => {
        const stream = await share({ ...wish, preferCurrentTab: true });
        Object.assign(window, { shared: stream });
        return stream;
      };
    }`;
    const page = await visit(asked, (await stage.serve()).url, { script });
    await page.selectOption('#source', 'tab');
    await page.click('#record');
    await untilSaid(page);
    expect(await page.locator('#session-name').textContent()).toContain('Sound of a tab');
    // "Stop sharing" in the browser's own bar ends the tracks.
    await page.evaluate(`for (const track of shared.getTracks()) {
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }`);
    await untilPhase(page, 'done');
    await alert(page).filter({ hasText: 'is gone' }).waitFor(PATIENCE);
  });

  it('is a tab without its sound: says which box to tick', async () => {
    const script = `navigator.mediaDevices.getDisplayMedia = async () => document.createElement('canvas').captureStream();`;
    const page = await visit(asked, (await stage.serve()).url, { script });
    await page.selectOption('#source', 'tab');
    await page.click('#record');
    await alert(page).filter({ hasText: 'Also share tab audio' }).waitFor(PATIENCE);
    await again(page).waitFor(PATIENCE);
  });

  it('gives nothing but zeros: says that it is silent, and that there is a switch', async () => {
    const script = `navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext();
      return context.createMediaStreamDestination().stream;
    };`;
    const page = await visit(asked, (await stage.serve()).url, { script });
    await page.click('#record');
    await untilState(page, 'Only silence comes');
  });

  it('is let go of when Stop comes before the recorder is there, and heard again at the next Start', async () => {
    const permissions = ['microphone'];
    const page = await visit(asked, (await stage.serve()).url, { permissions, script: SLOW_RECORDER });
    await page.click('#record');
    await untilState(page, 'the microphone is starting');
    expect(await page.evaluate('openTracks()')).toBe(1);
    await stop(page);
    expect(await page.evaluate('openTracks()')).toBe(0);
    await page.evaluate('loadRecorder()');
    expect(await page.evaluate('openTracks()')).toBe(0);
    await page.click('#record');
    await untilSaid(page);
    expect(await page.evaluate('openTracks()')).toBe(1);
    await stop(page);
    expect(await page.evaluate('openTracks()')).toBe(0);
  });

  it('that is taken away before the recorder is there is gone', async () => {
    const permissions = ['microphone'];
    const page = await visit(asked, (await stage.serve()).url, { permissions, script: SLOW_RECORDER });
    await page.click('#record');
    await untilState(page, 'the microphone is starting');
    await page.context().clearPermissions();
    await expect.poll(() => page.evaluate('openTracks()'), PATIENCE).toBe(0);
    await page.evaluate('loadRecorder()');
    await alert(page).filter({ hasText: 'The microphone is gone' }).waitFor(PATIENCE);
  });

  it('keeps the screen on while it is live, and no longer', async () => {
    const { url } = await stage.serve();
    const permissions = ['microphone', 'screen-wake-lock'];
    const page = await visit(asked, url, { permissions, script: WATCH_WAKE_LOCKS });
    expect(await heldLocks(page)).toBe(0);
    await page.click('#record');
    await untilSaid(page);
    await expect.poll(() => heldLocks(page), PATIENCE).toBe(1);
    await stop(page);
    await expect.poll(() => heldLocks(page), PATIENCE).toBe(0);
    await page.click('#record');
    await untilPhase(page, 'recording');
    await expect.poll(() => heldLocks(page), PATIENCE).toBe(1);
    await page.context().clearPermissions();
    await alert(page).filter({ hasText: 'The microphone is gone' }).waitFor(PATIENCE);
    await expect.poll(() => heldLocks(page), PATIENCE).toBe(0);
  });
});
