/** A page of another site asks the server over HTTP, with the headers that OpenAI's SDK sends from a browser. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeWav } from '@kikitori/audio';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import { LiveStage, leave } from './live-stage.js';

if (whyNoBrowser !== undefined) {
  process.stderr.write(`the test of a page of another site is skipped: ${whyNoBrowser}\n`);
}

/** openai-node, src/client.ts and src/internal/detect-platform.ts. */
const SDK_HEADERS = {
  'x-stainless-lang': 'js',
  'x-stainless-package-version': '6.0.0',
  'x-stainless-os': 'Unknown',
  'x-stainless-arch': 'unknown',
  'x-stainless-runtime': 'browser:chrome',
  'x-stainless-runtime-version': '140.0.0',
  'x-stainless-retry-count': '0',
  'x-stainless-timeout': '600',
};

describe.skipIf(whyNoBrowser !== undefined)('a page of another site', { timeout: 120_000 }, () => {
  const stage = new LiveStage();
  let browser: Browser;
  let site: Server;
  beforeAll(async () => {
    browser = await launchBrowser();
    site = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end('<p>Hello.'),
    );
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await leave(browser);
    await stage.close();
  });
  afterAll(async () => {
    await browser?.close();
    site?.closeAllConnections();
    await new Promise((resolve) => (site === undefined ? resolve(undefined) : site.close(resolve)));
  });

  it('sends a file as OpenAI’s SDK does, and reads the text', async () => {
    const { url } = await stage.serve({ apiKey: 'open-sesame' });
    const page = await (await browser.newContext()).newPage();
    // It listens on TCP. Pages of this machine are let in by a server on loopback.
    await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
    const wav = [...encodeWav(new Float32Array(16_000), { sampleRateHz: 16_000 })];
    const told = await page.evaluate(
      async ({ address, headers, bytes }) => {
        const form = new FormData();
        form.set('file', new Blob([new Uint8Array(bytes)]), 'speech.wav');
        form.set('model', 'scripted');
        const init = {
          method: 'POST',
          headers: { ...headers, authorization: 'Bearer open-sesame' },
          body: form,
        };
        const answer = await fetch(address, init);
        return [answer.status, await answer.text()];
      },
      { address: `${url}/v1/audio/transcriptions`, headers: SDK_HEADERS, bytes: wav },
    );
    expect(told).toEqual([200, expect.stringContaining('"text"')]);
  });
});
