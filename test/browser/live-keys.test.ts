/** The live page in front of a server with a key: tokens that live shortly, and pages of strangers. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@kikitori/core';
import type { RunningServer } from '@kikitori/server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser, whyNoBrowser } from './chromium.js';
import {
  ALL_ALLOWED,
  FAKE_MICROPHONE,
  LiveStage,
  leave,
  PATIENCE,
  untilSaid,
  untilState,
  visit,
} from './live-stage.js';
import { SlowDoor } from './slow-door.js';

// Letters that a subprotocol may have, so that a stranger can try it there.
const KEY = 'key-for-the-test-of-the-live-page';

describe.skipIf(whyNoBrowser !== undefined)('a live page that needs a key', { timeout: 120_000 }, () => {
  const stage = new LiveStage();
  let browser: Browser;
  let stranger: Server;
  beforeAll(async () => {
    browser = await launchBrowser([
      FAKE_MICROPHONE,
      ALL_ALLOWED,
      '--host-resolver-rules=MAP stranger.test 127.0.0.1',
    ]);
    stranger = createServer((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>A stranger</title>');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await leave(browser);
    await stage.close();
  });
  afterAll(async () => {
    await browser?.close();
    stranger?.close();
  });

  const withKey = (url: string): string => `${url}/#key=${encodeURIComponent(KEY)}`;

  it('asks for it, says when it is wrong, and goes on with a token', async () => {
    const server = await stage.serve({ apiKey: KEY });
    const page = await visit(browser, server.url);
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
    await untilSaid(page);
    expect(urls.filter((url) => /key|token|ek_/.test(url))).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain(
      KEY,
    );
  });

  it('asks again at once where somebody leaves the dialog and starts anew in the same moment', async () => {
    const page = await visit(browser, (await stage.serve({ apiKey: KEY })).url);
    await page.click('#record');
    await page.locator('#key').waitFor(PATIENCE);
    await page.evaluate(() => {
      // Its `close` event comes behind both.
      document.querySelector<HTMLDialogElement>('#key-dialog')?.close();
      document.querySelector<HTMLElement>('#record')?.click();
    });
    await page.fill('#key', KEY);
    await page.keyboard.press('Enter');
    await untilSaid(page);
  });

  it('takes it out of the address at once, and mints a token for each connection', async () => {
    const server = await stage.serve({ apiKey: KEY });
    const page = await visit(browser, withKey(server.url));
    expect(page.url()).toBe(`${server.url}/`);
    let minted = 0;
    await page.route('**/v1/realtime/client_secrets', async (route) => {
      minted += 1;
      // The first one is too old already.
      if (minted === 1) await route.fulfill({ json: { value: 'ek_too_old', expires_at: 1 } });
      else await route.continue();
    });
    await page.click('#record');
    await Promise.race([untilSaid(page), page.getByRole('button', { name: 'Try again' }).click(PATIENCE)]);
    await untilSaid(page);
    expect(minted).toBe(2);
  });

  it('goes on when its token has expired, and asks for a new one when it has to connect again', async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, unixMs: () => Date.now() + aheadMs };
    const server = await stage.serve({ apiKey: KEY, clock });
    const door = await SlowDoor.open(server.port);
    try {
      const page = await visit(browser, withKey(door.url));
      const tokens = noteTokens(page);
      await page.click('#record');
      await untilSaid(page);
      expect(tokens).toHaveLength(1);
      expect(await statusWith(server, tokens[0])).toBe(200);

      aheadMs = 3_600_000;
      expect(await statusWith(server, tokens[0])).toBe(401);
      const heard = await page.locator('#transcript li').count();
      await expect.poll(() => page.locator('#transcript li').count(), PATIENCE).toBeGreaterThan(heard + 1);
      expect(tokens).toHaveLength(1);

      door.isShut = true;
      door.cut();
      await untilState(page, 'Reconnecting');
      door.isShut = false;
      await untilState(page, /^Live$/);
      const before = await page.locator('#transcript li').count();
      await expect.poll(() => page.locator('#transcript li').count(), PATIENCE).toBeGreaterThan(before + 1);
      expect(new Set(tokens).size).toBe(tokens.length);
      expect(await statusWith(server, tokens.at(-1))).toBe(200);
    } finally {
      await door.close();
    }
  });

  it.each([
    ['a WebSocket', {}],
    ['a WebSocket, with the key in its protocols', { apiKey: KEY }],
  ] as const)('refuses pages of strangers %s', async (_name, options) => {
    const server = await stage.serve(options);
    const page = await visitStranger();
    const protocols = 'apiKey' in options ? ['realtime', `openai-insecure-api-key.${KEY}`] : [];
    const outcome = await page.evaluate(
      async ([url, names]) => {
        const socket = new WebSocket(url, names);
        return await new Promise((resolve) => {
          socket.onopen = () => resolve('open');
          socket.onerror = () => resolve('refused');
        });
      },
      [`${server.url.replace('http', 'ws')}/v1/realtime`, protocols] as const,
    );
    expect(outcome).toBe('refused');
  });

  it('refuses pages of strangers tokens, shares and recordings, with the key and without', async () => {
    const server = await stage.serve({ apiKey: KEY });
    const page = await visitStranger();
    for (const path of ['realtime/client_secrets', 'captions/shares', 'audio/transcriptions']) {
      for (const headers of [{}, { authorization: `Bearer ${KEY}` }]) {
        const outcome = await page.evaluate(
          async ([url, head]) =>
            await fetch(url, { method: 'POST', headers: { ...head } }).then(
              () => 'read',
              () => 'refused',
            ),
          [`${server.url}/v1/${path}`, headers] as const,
        );
        expect(outcome, path).toBe('refused');
      }
    }
  });

  async function visitStranger(): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    // The port of a TCP server that listens.
    await page.goto(`http://stranger.test:${(stranger.address() as AddressInfo).port}/`);
    return page;
  }
});

/** Every token that the server gives to the page, in order. */
function noteTokens(page: Page): string[] {
  const tokens: string[] = [];
  page.on('response', (response) => {
    if (!response.url().endsWith('/client_secrets')) return;
    void response.json().then(
      ({ value }: { readonly value: string }) => tokens.push(value),
      // Cut in the middle: nobody got it.
      () => undefined,
    );
  });
  return tokens;
}

/** What the server answers to somebody who shows this token. */
async function statusWith(server: RunningServer, token: string | undefined): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${server.url}/v1/models`, { headers })).status;
}
