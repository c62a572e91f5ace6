/** The captions page in a real browser: what readers see of a speaker's session, in a room and over a picture. */
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';
import { holdTransitions, lowContrasts, lowUnderPointer } from './contrast.js';
import { PATIENCE } from './live-stage.js';

if (whyNoBrowser !== undefined) {
  process.stderr.write(`the tests of the captions page are skipped: ${whyNoBrowser}\n`);
}

interface Live {
  readonly stable: string;
  readonly unstable: string;
}

/** A speaker, as its program talks to the server. */
class Speaker {
  readonly texts: string[] = [];
  publisherSecret: string | undefined;
  readerSecret = '';

  async open(server: RunningServer, language = 'en'): Promise<void> {
    const answer = await this.#post(server, 'shares', undefined, {
      session: 's1',
      language,
      publisher_secret: this.publisherSecret,
    });
    const { publisher_secret: publisher, reader_secret: reader } = await answer.json();
    this.publisherSecret = publisher;
    this.readerSecret = reader;
  }

  /** Everything that was said so far, and these words. */
  async say(
    server: RunningServer,
    texts: readonly string[],
    live: Partial<Live> = {},
    speaker?: string,
  ): Promise<void> {
    this.texts.push(...texts);
    const utterances = this.texts.map((text, number) => ({ number, text, start_ms: 0, end_ms: 0 }));
    const body = { session: 's1', utterances, live: { stable: '', unstable: '', ...live }, speaker };
    const { status } = await this.#post(server, 'updates', this.publisherSecret, body);
    expect(status).toBe(200);
  }

  async end(server: RunningServer): Promise<void> {
    await this.#post(server, 'end', this.publisherSecret, {});
  }

  #post(server: RunningServer, path: string, secret: string | undefined, body: unknown): Promise<Response> {
    return fetch(`${server.url}/v1/captions/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify(body),
    });
  }
}

describe.skipIf(whyNoBrowser !== undefined)('the captions page', () => {
  let browser: Browser;
  let engine: ScriptedEngine;
  let server: RunningServer;
  let speaker: Speaker;
  beforeAll(async () => {
    browser = await launchBrowser();
    engine = createScriptedEngine({ script: [], streamsMax: 1, model: 'scripted' });
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.close();
  });

  const start = async (port = 0): Promise<RunningServer> =>
    await startServer({ engine, attach: attachWebSockets, port, pages: await loadPages(PAGES_FOLDER) });

  beforeEach(async () => {
    server = await start();
    speaker = new Speaker();
    await speaker.open(server);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server.close();
  });

  async function read(
    query = '',
    { prepare, ...options }: BrowserContextOptions & { prepare?: (page: Page) => Promise<void> } = {},
  ): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(`${server.url}/captions${query}#k=${speaker.readerSecret}`);
    return page;
  }

  const said = (page: Page) => page.locator('.said p');
  const status = (page: Page) => page.locator('.state-text');
  const shows = async (page: Page, text: string): Promise<void> =>
    await page.getByText(text, { exact: true }).first().waitFor();

  it('shows the same to two readers, one of whom comes late, word by word', async () => {
    const early = await read();
    await speaker.say(server, ['Good morning.'], { stable: 'The ferry', unstable: 'leaves' });
    await shows(early, 'The ferry leaves');
    const late = await read();
    await shows(late, 'The ferry leaves');
    await speaker.say(server, ['The ferry leaves at nine.']);
    for (const page of [early, late]) {
      await shows(page, 'The ferry leaves at nine.');
      expect(await said(page).allTextContents()).toEqual(['Good morning.', 'The ferry leaves at nine.']);
      expect(await page.locator('.live').isHidden()).toBe(true);
      expect(await status(page).textContent()).toBe('Live');
    }
  });

  it('says that it waits while nobody shares, and begins by itself', async () => {
    await speaker.end(server);
    const page = await read();
    await shows(page, 'Waiting for the speaker');
    await shows(page, 'What is said appears here.');
    await speaker.open(server);
    await speaker.say(server, ['Here I am.']);
    await shows(page, 'Here I am.');
    expect(await page.locator('.empty').isHidden()).toBe(true);
    await page.goto(`${server.url}/captions#k=short`);
    await shows(page, 'Link not complete');
  });

  it('says Live only while somebody is, and tells apart who waits, pauses and has ended', async () => {
    const page = await read();
    await shows(page, 'Waiting for the speaker');
    for (const [state, text] of [
      ['live', 'Live'],
      ['paused', 'Paused by the speaker'],
      ['live', 'Live'],
      ['ended', 'Ended'],
    ] as const) {
      await speaker.say(server, state === 'live' ? ['Words.'] : [], {}, state);
      await shows(page, text);
    }
    await speaker.end(server);
    await page.waitForRequest(/v1\/captions$/);
    expect(await status(page).textContent()).toBe('Ended');
    // Of what was before somebody came nothing is known.
    await shows(await read(), 'Waiting for the speaker');
  });

  it('keeps its words while the server is away, and goes on when it is back', async () => {
    const page = await read();
    await speaker.say(server, ['Before.']);
    await shows(page, 'Before.');
    const { port } = server;
    await server.close();
    await shows(page, 'Connection lost. Trying again…');
    expect(await said(page).allTextContents()).toEqual(['Before.']);
    server = await start(port);
    await speaker.open(server);
    await speaker.say(server, ['After.']);
    await shows(page, 'After.');
    expect(await said(page).allTextContents()).toEqual(['Before.', 'After.']);
    expect(await status(page).textContent()).toBe('Live');
  });

  it('puts text in as text, and talks to nobody but its server', async () => {
    const evil = '<img src=x onerror="document.title=1"><b>bold</b> &amp;';
    const hosts = new Set<string>();
    const page = await read('', {
      prepare: async (each) => {
        each.on('request', (request) => hosts.add(new URL(request.url()).host));
      },
    });
    await speaker.say(server, [evil], { stable: evil, unstable: evil });
    await shows(page, evil);
    expect(await page.locator('.scroller img, .scroller b').count()).toBe(0);
    expect(await page.title()).toBe('Live captions');
    expect([...hosts]).toEqual([`127.0.0.1:${server.port}`]);
  });

  it('announces final words once, never revisions, and nothing that was said before', async () => {
    await speaker.say(server, ['Before you came.']);
    const page = await read();
    await shows(page, 'Before you came.');
    const log = page.locator('[role=log]');
    await expect.poll(() => log.getAttribute('aria-live')).toBe('polite');
    expect(await log.getAttribute('aria-relevant')).toBe('additions');
    await log.evaluate((element) => {
      new MutationObserver((changes) => {
        const added = changes.flatMap(({ addedNodes }) => [...addedNodes].map((node) => node.textContent));
        element.setAttribute('data-added', `${element.getAttribute('data-added') ?? ''}|${added.join('|')}`);
      }).observe(element, { childList: true, subtree: true });
    });
    for (const word of ['One', 'One and', 'One and a half']) {
      await speaker.say(server, [], { unstable: word });
      await shows(page, word);
    }
    await speaker.say(server, ['One and a half hours.']);
    await shows(page, 'One and a half hours.');
    expect(await log.getAttribute('data-added')).toBe('|One and a half hours.');
    expect(await page.locator('.live').getAttribute('aria-hidden')).toBe('true');
  });

  it('takes no line back while words change, and stays where somebody reads', async () => {
    const page = await read('', { viewport: { width: 600, height: 400 } });
    await speaker.say(server, [], { stable: 'One line and then', unstable: `${'more '.repeat(12)}words` });
    await shows(page, `One line and then ${'more '.repeat(12)}words`);
    const live = page.locator('.live');
    const tall = (await live.boundingBox())?.height ?? 0;
    await speaker.say(server, [], { stable: 'One line and then', unstable: 'less' });
    await shows(page, 'One line and then less');
    expect((await live.boundingBox())?.height).toBe(tall);
    await speaker.say(
      server,
      Array.from({ length: 30 }, (_, at) => `Utterance ${at}.`),
    );
    await shows(page, 'Utterance 29.');
    const scroller = page.locator('.scroller');
    const fromEnd = () =>
      scroller.evaluate((box) => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop));
    expect(await fromEnd()).toBe(0);
    await scroller.evaluate((box) => box.scrollTo(0, 100));
    await page.getByRole('button', { name: 'Back to now' }).waitFor();
    await speaker.say(server, ['One more.']);
    await shows(page, 'One more.');
    expect(await scroller.evaluate((box) => box.scrollTop)).toBe(100);
    await page.getByRole('button', { name: 'Back to now' }).click();
    await expect.poll(fromEnd).toBe(0);
    expect(await page.locator('.now').isHidden()).toBe(true);
  });

  it('as an overlay is so many lines of text on nothing at all', async () => {
    const page = await read('?view=overlay&lines=3&size=40&width=50');
    const words = 'The lighthouse that you see on your left was built in 1864 and has been burning since.';
    await speaker.say(server, [words, words, words], { stable: words });
    await expect.poll(() => page.locator('.live').isVisible()).toBe(true);
    expect(await page.locator('.bar').isHidden()).toBe(true);
    const box = await page.locator('.scroller').evaluate((element) => ({
      height: element.clientHeight,
      lineHeight: Number.parseFloat(getComputedStyle(element).lineHeight),
      fromEnd: element.scrollHeight - element.clientHeight - element.scrollTop,
      canBeScrolled: element.scrollHeight > element.clientHeight,
    }));
    expect(box.height / box.lineHeight).toBeCloseTo(3, 1);
    expect([Math.round(box.fromEnd), box.canBeScrolled]).toEqual([0, true]);
    // A picture of the page: how much of it is not there?
    const picture = (await page.screenshot({ omitBackground: true })).toString('base64');
    const blank = await (await browser.newContext()).newPage();
    const shares = await blank.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      const context = canvas.getContext('2d');
      context?.drawImage(image, 0, 0);
      const { data: pixels } = context?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      let [clear, above] = [0, 0];
      for (let at = 3; at < pixels.length; at += 4) {
        if (pixels[at] === 0) clear += 1;
        else if (at / 4 / canvas.width < canvas.height / 2) above += 1;
      }
      return { clear: clear / (pixels.length / 4), above };
    }, picture);
    expect(shares.clear).toBeGreaterThan(0.85);
    expect(shares.clear).toBeLessThan(0.99);
    expect(shares.above).toBe(0);
  });

  it('clears an overlay after a pause, and shows what is said afterwards and nothing from before', async () => {
    const page = await read('?view=overlay&clear=30', { prepare: (each) => each.clock.install() });
    await speaker.say(server, ['Before the pause.'], { stable: 'and', unstable: 'more' });
    await shows(page, 'and more');
    const now = await page.evaluate(() => Date.now());
    await page.clock.pauseAt(now + 1_000);
    await page.clock.runFor(27_000);
    expect(await said(page).count()).toBe(1);
    await page.clock.runFor(4_000);
    expect(await said(page).count()).toBe(0);
    expect(await page.locator('.live').isVisible()).toBe(false);
    await speaker.say(server, ['After it.']);
    await shows(page, 'After it.');
    expect(await said(page).allTextContents()).toEqual(['After it.']);
    await speaker.say(server, [], { stable: 'Still' });
    await shows(page, 'Still');
  });

  it('shows everything later by as much as it is told', async () => {
    await speaker.say(server, ['Late.']);
    const page = await read('?view=overlay&delay=20', { prepare: (each) => each.clock.install() });
    await page.waitForFunction(() => document.body.dataset['status'] === 'live');
    const now = await page.evaluate(() => Date.now());
    await page.clock.pauseAt(now + 1_000);
    await page.clock.runFor(17_000);
    expect(await said(page).count()).toBe(0);
    await page.clock.runFor(4_000);
    await shows(page, 'Late.');
  });

  it('speaks Japanese to a Japanese browser, and gives the words the language of the speaker', async () => {
    const page = await read('', { locale: 'ja-JP' });
    await shows(page, '話者を待っています');
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ja');
    await speaker.say(server, ['Good morning.']);
    await shows(page, 'ライブ');
    await shows(page, 'Good morning.');
    expect(await page.locator('.scroller').getAttribute('lang')).toBe('en');
    await page.getByRole('button', { name: '文字を大きく' }).waitFor();
  });

  it('is worked by keys alone, and remembers what was chosen', async () => {
    const page = await read();
    const size = () =>
      page.locator('.scroller').evaluate((box) => Number.parseFloat(getComputedStyle(box).fontSize));
    const before = await size();
    for (const name of ['Smaller letters', 'Larger letters']) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(name);
    }
    await page.keyboard.press('Enter');
    expect(await size()).toBeGreaterThan(before);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('scroller');
    const after = await size();
    await page.reload();
    expect([await size(), await page.evaluate(() => document.documentElement.dataset['theme'])]).toEqual([
      after,
      'light',
    ]);
  });

  it.each([
    ['a room', '', 'light'],
    ['a dark room', '', 'dark'],
    ['high contrast', '?theme=contrast', 'light'],
    ['an overlay', '?view=overlay', 'light'],
  ] as const)('has nothing that axe objects to: %s', async (_name, query, colorScheme) => {
    const page = await read(query, { colorScheme });
    await speaker.say(server, ['Good morning.', 'Welcome.'], { stable: 'The ferry', unstable: 'leaves' });
    await expect.poll(() => page.locator('.unstable').textContent()).toContain('leaves');
    expect(await axeViolations(page)).toEqual([]);
    await speaker.end(server);
    await expect.poll(() => page.evaluate(() => document.body.dataset['status'])).toBe('ended');
    expect(await axeViolations(page)).toEqual([]);
  });

  it.each([
    ['light', ''],
    ['dark', ''],
    ['light', '?theme=dark'],
    ['dark', '?theme=light'],
    ['dark', '?theme=contrast'],
  ] as const)('can be read, and under the pointer: %s, "%s"', async (colorScheme, query) => {
    const page = await read(query, { colorScheme });
    await holdTransitions(page);
    const texts = Array.from({ length: 30 }, (_, at) => `Utterance ${at}.`);
    await speaker.say(server, texts, { stable: 'The ferry', unstable: 'leaves' });
    await shows(page, 'The ferry leaves');
    await page.locator('.scroller').evaluate((box) => box.scrollTo(0, 100));
    await page.locator('.now').waitFor(PATIENCE);
    expect([await lowContrasts(page), await lowUnderPointer(page)]).toEqual([[], []]);
    await speaker.end(server);
    await page.locator('body[data-status="ended"]').waitFor(PATIENCE);
    expect(await lowContrasts(page)).toEqual([]);
  });
});
