/** Our server in front of the real vLLM: sessions, files, the page in a browser, and a model server that comes and goes. Some three minutes. */
import { readFile } from 'node:fs/promises';
import { connect, type Session } from '@kikitori/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../packages/cli/src/free-ports.js';
import { launchBrowser, whyNoBrowser } from '../browser/chromium.js';
import { ALL_ALLOWED, FAKE_MICROPHONE, PATIENCE, visit } from '../browser/live-stage.js';
import { Command, KIKITORI, SAMPLE } from './command.js';
import { RealVllm, whyNoVllm } from './real-server.js';

const VERSION = '0.32.0';
/** A guard against what hangs, as in `bridge.test.ts`. */
const LOADED_MS_MAX = 900_000;
const PATIENT = { timeout: 120_000 };
const RATE = 16_000;

describe.skipIf(whyNoVllm(VERSION) !== undefined)('kikitori serve in front of vLLM', () => {
  let vllm: RealVllm;
  let server: Command;
  let http = '';
  let browser: Browser | undefined;
  let before: number[] = [];
  const status = async (path: string): Promise<number> => (await fetch(`${http}${path}`)).status;

  beforeAll(async () => {
    const port = await freePort();
    const upstream = `ws://127.0.0.1:${port}/v1/realtime`;
    server = new Command(KIKITORI, ['serve', '--port', '0', '--upstream', upstream, '--wait', '600']);
    http = `http://127.0.0.1:${await server.written('stderr', /Listening on 127\.0\.0\.1 port (\d+)/)}`;
    before = [await status('/health'), await status('/ready')];
    vllm = await RealVllm.start(VERSION, { port, flags: ['--max-model-len', '256'] });
  }, LOADED_MS_MAX);
  afterAll(async () => {
    server?.signal('SIGTERM');
    await server?.ended;
    await vllm?.stop();
    await browser?.close();
  }, LOADED_MS_MAX);

  /** Loud noise: the model says something whatever it hears. */
  function noise(seconds: number): Int16Array {
    return Int16Array.from({ length: seconds * RATE }, () => (Math.random() - 0.5) * 20_000);
  }

  async function speak(seconds: number, onSession: (session: Session) => void = () => undefined) {
    const session = await connect({ url: http.replace('http', 'ws'), words: true });
    onSession(session);
    await session.send(noise(seconds));
    const transcript = await session.finish();
    return { transcript, continuity: session.continuity };
  }

  it('takes its port while nobody is behind it, and lets in when vLLM comes', async () => {
    expect(before).toEqual([503, 503]);
    await expect.poll(() => status('/ready'), PATIENT).toBe(200);
    expect(await status('/health')).toBe(200);
  }, 120_000);

  it('has as many places as its KV cache holds, and says what the model bears', async () => {
    const models = await (await fetch(`${http}/v1/models`)).json();
    expect(models).toMatchObject({ data: [{ id: 'voxtral-toy', max_model_len: 256 }] });
    const said = await server.written('stdout', /(\d+) speakers at once: /);
    expect(Number(said)).toBeGreaterThan(1);
  });

  it(
    'lets four speak at once for longer than the model bears, and is not disturbed by one who goes',
    async () => {
      let leaver: Session | undefined;
      const speaking = speak(40, (session) => {
        leaver = session;
      });
      const leaving = expect(speaking).rejects.toThrow();
      const others = Promise.all([speak(40), speak(40), speak(40)]);
      await expect.poll(() => leaver?.transcript.text ?? '', PATIENT).not.toBe('');
      leaver?.destroy();
      await leaving;
      for (const { transcript, continuity } of await others) {
        expect(continuity).toMatchObject({ reconnects: 0, gaps: [] });
        // The model says something all the time: a hole would be audio that it never heard.
        let endMs = 0;
        for (const word of transcript.words) {
          expect(word.startMs - endMs).toBeLessThan(2_000);
          endMs = word.endMs;
        }
        expect(endMs).toBeGreaterThan(39_000);
        expect(endMs).toBeLessThanOrEqual(40_000);
      }
    },
    PATIENT.timeout,
  );

  it(
    'takes files, with words and their times',
    async () => {
      const form = new FormData();
      form.append('file', new Blob([await readFile(SAMPLE)]), 'ferry.flac');
      form.append('model', 'voxtral-toy');
      form.append('response_format', 'verbose_json');
      form.append('timestamp_granularities[]', 'word');
      const answer = await fetch(`${http}/v1/audio/transcriptions`, { method: 'POST', body: form });
      expect(answer.status).toBe(200);
      const { duration, words } = (await answer.json()) as {
        duration: number;
        words: { start: number; end: number }[];
      };
      expect(duration).toBeCloseTo(10.7, 0);
      expect(words.length).toBeGreaterThan(5);
      for (const { start, end } of words) expect(end).toBeGreaterThanOrEqual(start);
      expect(words.at(-1)?.end).toBeLessThanOrEqual(duration);
    },
    PATIENT.timeout,
  );

  it.skipIf(whyNoBrowser !== undefined)(
    'is spoken to from the page',
    async () => {
      browser = await launchBrowser([FAKE_MICROPHONE, ALL_ALLOWED]);
      const page = await visit(browser, http, { listener: /another server|voxtral/ });
      await page.click('#record');
      await page
        .locator('#transcript')
        .filter({ hasText: /[a-z]{3}/ })
        .waitFor(PATIENCE);
      await page.click('#record');
      await browser.close();
    },
    PATIENT.timeout,
  );

  it(
    'is not well while it is dead, lets in when it is back, and loses no word of who spoke meanwhile',
    async () => {
      const session = await connect({ url: http.replace('http', 'ws'), words: true });
      await session.send(noise(3));
      await expect.poll(() => session.transcript.text, PATIENT).not.toBe('');
      vllm.killEngine();
      await expect.poll(() => status('/health'), PATIENT).toBe(503);
      await session.send(noise(3));
      const { port } = vllm;
      await vllm.stop();
      vllm = await RealVllm.start(VERSION, { port, flags: ['--max-model-len', '256'] });
      await expect.poll(() => status('/health'), PATIENT).toBe(200);
      await session.send(noise(3));
      const { words } = await session.finish();
      expect(session.continuity).toMatchObject({ reconnects: 0, gaps: [] });
      expect(words.at(-1)?.endMs).toBeGreaterThan(8_000);
    },
    LOADED_MS_MAX,
  );
});
