/** The live page in a real browser, in front of an engine that says what the test wants. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';

if (whyNoBrowser !== undefined) {
  process.stderr.write(`the tests of the live page are skipped: ${whyNoBrowser}\n`);
}

const PATIENCE = { timeout: 30_000 };
const KEY = 'a key for the test of the live page';
/** What is said also tries to be markup. */
const SENTENCE = ['Good', '<b>morning</b>', 'all.'];

function scripted(): ScriptedEngine {
  const words = SENTENCE.map((text, index) => ({
    text,
    startMs: 200 + index * 300,
    endMs: 450 + index * 300,
  }));
  return createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: 3_000 });
}

describe.skipIf(whyNoBrowser !== undefined)('the live page', { timeout: 90_000 }, () => {
  let browser: Browser;
  let deaf: Browser;
  let stranger: Server;
  const servers: RunningServer[] = [];
  const engines: ScriptedEngine[] = [];

  beforeAll(async () => {
    // The beeps of the browser's own fake microphone will do.
    browser = await launchBrowser([
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--host-resolver-rules=MAP stranger.test 127.0.0.1',
    ]);
    deaf = await launchBrowser(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
    stranger = createServer((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>A stranger</title>');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    const contexts = [browser, deaf].flatMap((each) => each.contexts());
    await Promise.all(contexts.map((context) => context.close()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });

  afterAll(async () => {
    await Promise.all([browser?.close(), deaf?.close()]);
    stranger?.close();
  });

  async function serve(options: { readonly apiKey?: string } = {}): Promise<RunningServer> {
    const engine = scripted();
    const pages = await loadPages(PAGES_FOLDER);
    const server = await startServer({ ...options, engine, attach: attachWebSockets, port: 0, pages });
    await server.ready;
    engines.push(engine);
    servers.push(server);
    return server;
  }

  async function visit(url: string, options: BrowserContextOptions = {}, by = browser): Promise<Page> {
    const page = await (await by.newContext(options)).newPage();
    await page.goto(url);
    await page.locator('#listener').filter({ hasText: 'scripted' }).waitFor(PATIENCE);
    return page;
  }

  const said = (page: Page): Promise<void> =>
    page
      .locator('#transcript')
      .filter({ hasText: SENTENCE.join(' ') })
      .waitFor(PATIENCE);

  it('puts text in as text', async () => {
    const page = await visit((await serve()).url);
    await page.click('#record');
    await said(page);
    expect(await page.locator('#transcript b').count()).toBe(0);
  });

  it('is walked through with the keyboard alone: start, mute, stop, delete', async () => {
    const page = await visit((await serve()).url);
    await tabTo(page, 'record');
    await page.keyboard.press('Enter');
    await said(page);
    await tabTo(page, 'mute');
    await page.keyboard.press('Space');
    await page.locator('#mute[aria-pressed="true"]').waitFor(PATIENCE);
    await tabTo(page, 'record');
    await page.keyboard.press('Space');
    await page.locator('body[data-phase="done"]').waitFor(PATIENCE);
    await tabTo(page, 'open-sessions');
    await page.keyboard.press('Enter');
    await page.locator('#session-list .session').waitFor(PATIENCE);
    await tabTo(page, 'delete-all');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing is kept yet.').waitFor(PATIENCE);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Close');
    await page.keyboard.press('Escape');
    await page.locator('#intro').waitFor(PATIENCE);
  });

  it('says what helps when the microphone is not allowed, with a way back', async () => {
    const page = await visit((await serve()).url, {}, deaf);
    await page.click('#record');
    await page.getByRole('alert').filter({ hasText: 'not allowed here' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Try again' }).waitFor(PATIENCE);
    expect(await axeViolations(page)).toEqual([]);
    expect(await page.locator('#record').isEnabled()).toBe(true);
  });

  it('speaks Japanese', async () => {
    const page = await visit((await serve()).url, { locale: 'ja-JP' });
    expect(await page.locator('html').getAttribute('lang')).toBe('ja');
    await page.getByRole('button', { name: '開始' }).click();
    await page.getByText('聞いています').waitFor(PATIENCE);
  });

  it('asks for the key, says when it is wrong, and goes on with a token', async () => {
    const server = await serve({ apiKey: KEY });
    const page = await visit(server.url);
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url()));
    page.on('websocket', (socket) => urls.push(socket.url()));
    await page.click('#record');
    await page.fill('#key', 'another key');
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByText('The server does not know this key.').waitFor(PATIENCE);
    await page.fill('#key', KEY);
    await page.keyboard.press('Enter');
    await said(page);
    expect(urls.filter((url) => /key|token|ek_/.test(url))).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain(
      KEY,
    );
  });

  it('takes the key out of the address at once, and mints a token for each connection', async () => {
    const server = await serve({ apiKey: KEY });
    const page = await visit(`${server.url}/#key=${encodeURIComponent(KEY)}`);
    expect(page.url()).toBe(`${server.url}/`);
    let minted = 0;
    await page.route('**/v1/realtime/client_secrets', async (route) => {
      minted += 1;
      // The first one is too old already.
      if (minted === 1) await route.fulfill({ json: { value: 'ek_too_old', expires_at: 1 } });
      else await route.continue();
    });
    await page.click('#record');
    await Promise.race([said(page), page.getByRole('button', { name: 'Try again' }).click(PATIENCE)]);
    await said(page);
    expect(minted).toBe(2);
  });

  it('is not open to pages of strangers', async () => {
    const server = await serve();
    const page = await (await browser.newContext()).newPage();
    // The port of a TCP server that listens.
    await page.goto(`http://stranger.test:${(stranger.address() as AddressInfo).port}/`);
    const outcome = await page.evaluate(
      async (url) => {
        const socket = new WebSocket(url);
        return await new Promise((resolve) => {
          socket.onopen = () => resolve('open');
          socket.onerror = () => resolve('refused');
        });
      },
      `${server.url.replace('http', 'ws')}/v1/realtime`,
    );
    expect(outcome).toBe('refused');
  });

  it.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)(
    'has no violation that axe knows, %s and %i px wide, in any state',
    async (colorScheme, width) => {
      const page = await visit((await serve()).url, { colorScheme, viewport: { width, height: 800 } });
      expect(await axeViolations(page), 'idle').toEqual([]);
      await page.click('#record');
      await said(page);
      expect(await axeViolations(page), 'live').toEqual([]);
      await page.click('#share');
      await page.locator('#share-link').waitFor(PATIENCE);
      expect(await axeViolations(page), 'share').toEqual([]);
      await page.keyboard.press('Escape');
      await page.click('#record');
      await page.locator('body[data-phase="done"]').waitFor(PATIENCE);
      expect(await axeViolations(page), 'done').toEqual([]);
      await page.click('#open-sessions');
      await page.locator('#session-list .session').waitFor(PATIENCE);
      expect(await axeViolations(page), 'sessions').toEqual([]);
    },
  );

  it('lets a reader who comes late read everything by a link', async () => {
    const page = await visit((await serve()).url);
    await page.click('#record');
    await said(page);
    await page.click('#share');
    await page.locator('#share-state').filter({ hasText: 'Shared' }).waitFor(PATIENCE);
    const link = await page.locator('#share-link').inputValue();
    const reader = await (await browser.newContext()).newPage();
    await reader.goto(link);
    await reader.getByText(SENTENCE.join(' ')).first().waitFor(PATIENCE);
  });
});

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if ((await page.evaluate(() => document.activeElement?.id)) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${id}.`);
}
