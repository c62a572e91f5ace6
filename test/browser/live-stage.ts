/** What tests of the live page share: servers that say what the test wants, visitors, and how to wait. */

import type { Clock } from '@kikitori/core';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** How long a state may take to come on a machine that is busy with other things. */
export const PATIENCE = { timeout: 60_000 };

/** What the scripted engine says, over and over. It also tries to be markup. */
export const SENTENCE = ['Good', '<b>morning</b>', 'all.'];

/** The beeps of the browser's own microphone. */
export const FAKE_MICROPHONE = '--use-fake-device-for-media-stream';
/** Nobody is asked: everything is allowed. */
export const ALL_ALLOWED = '--use-fake-ui-for-media-stream';

/** Servers with a scripted engine, closed together. */
export class LiveStage {
  readonly #servers: RunningServer[] = [];
  readonly #engines: ScriptedEngine[] = [];

  async serve(
    options: {
      readonly apiKey?: string;
      readonly clock?: Clock;
      readonly streamsMax?: number;
      /** Where others find it. */
      readonly addresses?: () => readonly string[];
      /** The engine is unsure of each utterance from its so many-th word on. */
      readonly unsureFrom?: number;
    } = {},
  ): Promise<RunningServer> {
    const { streamsMax = 4, unsureFrom, ...rest } = options;
    const words = SENTENCE.map((text, index) => ({
      text,
      startMs: 200 + index * 100,
      endMs: 280 + index * 100,
    }));
    const script = [{ words, ...(unsureFrom === undefined ? {} : { unsureFrom }) }];
    const engine = createScriptedEngine({ script, afterScript: 'repeat', streamsMax });
    this.#engines.push(engine);
    const pages = await loadPages(PAGES_FOLDER);
    const server = await startServer({ ...rest, engine, attach: attachWebSockets, port: 0, pages });
    this.#servers.push(server);
    await server.ready;
    return server;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
    await Promise.all(this.#engines.splice(0).map((engine) => engine.close()));
  }
}

/** A visitor of its own, who waits until the page knows who listens. `script` runs before the page's own. */
export async function visit(
  browser: Browser,
  url: string,
  {
    script,
    listener = /scripted|moonshine/,
    ...options
  }: BrowserContextOptions & { readonly script?: string; readonly listener?: RegExp } = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  if (script !== undefined) await context.addInitScript(script);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('#listener').filter({ hasText: listener }).waitFor(PATIENCE);
  return page;
}

/** Closes every visitor. */
export async function leave(...browsers: readonly (Browser | undefined)[]): Promise<void> {
  const contexts = browsers.flatMap((browser) => browser?.contexts() ?? []);
  await Promise.all(contexts.map((context) => context.close()));
}

/** Waits until the page has written this; tells what it wrote instead. */
export async function untilSaid(page: Page, text: RegExp | string = SENTENCE.join(' ')): Promise<void> {
  const transcript = page.locator('#transcript');
  await transcript
    .filter({ hasText: text })
    .waitFor(PATIENCE)
    .catch(async (cause: unknown) => {
      const state = await page.locator('#state').textContent();
      const said = await transcript.textContent();
      throw new Error(`no ${text} was said, but "${said}" (the page: "${state}")`, { cause });
    });
}

export async function untilPhase(
  page: Page,
  phase: 'idle' | 'recording' | 'reading' | 'done',
): Promise<void> {
  await page.locator(`body[data-phase="${phase}"]`).waitFor(PATIENCE);
}

export async function untilState(page: Page, text: RegExp | string): Promise<void> {
  await page.locator('#state').filter({ hasText: text }).waitFor(PATIENCE);
}

/** Waits until so many words are on the page, whichever they are. */
export async function untilWords(page: Page, least: number): Promise<void> {
  await page.waitForFunction(
    (count) => {
      const lines = document.querySelectorAll('#transcript p:not(.doubt)');
      const texts = [...lines].map(({ textContent }) => textContent);
      return texts.join(' ').split(/\s+/).filter(Boolean).length >= count;
    },
    least,
    PATIENCE,
  );
}

/** All of the sound was taken in: the microphone, or whatever it is, gives nothing but zeros by now. */
export async function untilSilent(page: Page): Promise<void> {
  await untilState(page, 'Only silence comes');
}

export async function stop(page: Page): Promise<void> {
  await page.click('#record');
  await untilPhase(page, 'done');
}

/** Every word that was heard, utterance by utterance; not what the page says of them. */
export async function wordsOn(page: Page): Promise<string> {
  return (await page.locator('#transcript p:not(.doubt)').allTextContents()).join(' ');
}

/** The id of what has the focus, or its text where it has none. */
export async function focused(page: Page): Promise<string> {
  const { id, text } = await page.evaluate(() => {
    const { activeElement } = document;
    return { id: activeElement?.id ?? '', text: activeElement?.textContent ?? '' };
  });
  return id === '' ? text : id;
}

/** Presses Tab until the element has the focus. */
export async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${id}.`);
}
