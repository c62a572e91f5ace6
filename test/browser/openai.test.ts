/** OpenAI's own library in a page of another site: files, and realtime transcription with a token. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { KEY, type Stage, spoken, useStage, whyNoClients } from '../clients/stage.js';
import { launchBrowser, whyNoBrowser } from './chromium.js';
import { expectWhole } from './spoken.js';

const why = whyNoBrowser ?? whyNoClients;
if (why !== undefined) process.stderr.write(`OpenAI's library is not tried in a page: ${why}\n`);

const RATE_HZ = 16_000;
/** What the page runs: the library, and nothing of ours. */
const SCRIPT = `
import OpenAI from 'openai';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

globalThis.transcribeFile = async ({ url, apiKey, file }) => {
  const client = new OpenAI({ apiKey, baseURL: url + '/v1', dangerouslyAllowBrowser: true });
  const audio = new File([Uint8Array.from(atob(file), (sign) => sign.charCodeAt(0))], 'speech.flac');
  const { text } = await client.audio.transcriptions.create({ file: audio, model: 'whisper-1' });
  return text;
};

globalThis.transcribeLive = async ({ url, apiKey, pcm, rate }) => {
  const client = new OpenAI({ apiKey, baseURL: url + '/v1', dangerouslyAllowBrowser: true });
  const realtime = new OpenAIRealtimeWebSocket({ intent: 'transcription', dangerouslyAllowBrowser: true }, client);
  const opened = new Promise((resolve) => realtime.socket.addEventListener('open', resolve));
  const done = new Promise((resolve, reject) => {
    realtime.on('conversation.item.input_audio_transcription.completed', ({ transcript }) => resolve(transcript));
    realtime.on('error', reject);
  });
  await opened;
  const input = { format: { type: 'audio/pcm', rate }, turn_detection: null };
  realtime.send({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
  const bytes = Uint8Array.from(atob(pcm), (sign) => sign.charCodeAt(0));
  for (let at = 0; at < bytes.length; at += 3200) {
    realtime.send({ type: 'input_audio_buffer.append', audio: base64(bytes.subarray(at, at + 3200)) });
  }
  realtime.send({ type: 'input_audio_buffer.commit' });
  const text = await done;
  realtime.close();
  return text;
};
`;

describe.skipIf(why !== undefined)('OpenAI’s library in a page of another site', { timeout: 120_000 }, () => {
  const stage = useStage();
  let browser: Browser;
  let site: Server;
  let page: Page;

  beforeAll(async () => {
    if (why !== undefined) return;
    const bundle = await build({
      stdin: { contents: SCRIPT, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
    });
    const script = bundle.outputFiles[0]?.text ?? '';
    site = createServer((request, response) => {
      const isScript = request.url === '/openai.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(
        isScript ? script : '<!doctype html><title>Another site</title><script src="/openai.js"></script>',
      );
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    browser = await launchBrowser(['--ignore-certificate-errors']);
    page = await browser.newPage();
    // It listens on TCP. Pages of this machine are let in by a server on loopback.
    await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  });
  afterAll(async () => {
    await browser?.close();
    site?.closeAllConnections();
    await new Promise((resolve) => (site === undefined ? resolve(undefined) : site.close(resolve)));
  });

  /** Calls what the script has put there. */
  const inPage = (name: string, parameters: object): Promise<string> =>
    page.evaluate(`globalThis[${JSON.stringify(name)}](${JSON.stringify(parameters)})`);

  it('sends a file and reads its text', async () => {
    const file = await readFile(join(import.meta.dirname, '../../samples/ferry.flac'), 'base64');
    const said = await inPage('transcribeFile', { url: stage.plain.url, apiKey: KEY, file });
    expectWhole(said, 'ferry');
  });

  it('speaks with a token of a minute, and reads what was said', async () => {
    const pcm = (await spoken(RATE_HZ, 'kitchen.flac')).toString('base64');
    const said = await inPage('transcribeLive', {
      url: stage.secure.url,
      apiKey: await tokenOf(stage),
      pcm,
      rate: RATE_HZ,
    });
    expectWhole(said, 'kitchen');
  });
});

/** What a site's own server asks for, so that its pages never see the key. */
async function tokenOf({ secure, authority }: Stage): Promise<string> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  return await new Promise((resolve, reject) => {
    const asking = request(
      `${secure.url}/v1/realtime/client_secrets`,
      { method: 'POST', headers, ca: authority },
      async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part);
        resolve(JSON.parse(Buffer.concat(parts).toString()).value);
      },
    );
    asking.once('error', reject);
    asking.end('{"session":{"type":"transcription"}}');
  });
}
