import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PAGES_FOLDER } from '@kikitori/web';
import { type Browser, chromium, type Page } from 'playwright-core';

const EXECUTABLES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = EXECUTABLES.find((path) => existsSync(path));
/** The same browser without what draws windows and asks people: half the processor time. */
const shellPath = ['/usr/bin/chromium-headless-shell'].find((path) => existsSync(path));
const isBuilt = existsSync(join(PAGES_FOLDER, 'index.html'));

/** Why tests in a browser cannot run here; undefined when they can. Say it on stderr and skip. */
export const whyNoBrowser: string | undefined =
  executablePath === undefined
    ? 'no Chromium (Debian: apt-get install chromium)'
    : isBuilt
      ? undefined
      : 'the pages are not built (npm run build)';

export interface BrowserNeeds {
  /** Its tabs make sound that can be shared. */
  readonly isLoud?: boolean;
  /** It refuses or shares what a person would be asked about, and knows of a screen. */
  readonly isWhole?: boolean;
}

/** Starts a browser without a window, that talks to nobody by itself. */
export async function launchBrowser(
  flags: readonly string[] = [],
  { isLoud = false, isWhole = isLoud }: BrowserNeeds = {},
): Promise<Browser> {
  const path = isWhole ? executablePath : (shellPath ?? executablePath);
  return await chromium.launch({
    ...(isLoud ? { ignoreDefaultArgs: ['--mute-audio'] } : {}),
    ...(path === undefined ? {} : { executablePath: path }),
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', ...flags],
  });
}

const axeSource = (): string =>
  readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Brings axe into the page; once is enough. */
export async function loadAxe(page: Page): Promise<void> {
  // Not a script tag, which the page's own policy would refuse.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource());
}

/** What axe finds wrong with a page: rule and place, one line each. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await loadAxe(page);
  const found = await page.evaluate('axe.run().then(({ violations }) => JSON.stringify(violations))');
  const violations: { id: string; nodes: { target: string[] }[] }[] = JSON.parse(String(found));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}
