/** How well the texts of a page can be read, in the middle of its transitions as well: measured with the means of axe. */
import type { Page } from 'playwright-core';
import { loadAxe } from './chromium.js';

/** WCAG 2.2 AA for texts of normal size. What is switched off is read too, so nothing is excepted. */
const CONTRAST_MIN = 4.5;

/** From here on transitions stand still where they begin, until they are moved on: nothing depends on when one looks. */
export async function holdTransitions(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Animation.enable');
  await session.send('Animation.setPlaybackRate', { playbackRate: 0 });
}

// In the page. A text that is only for screen readers is none; some buttons have their text from the style sheet. What
// nothing that moves lies over or under looks in the middle of a transition as it does at its end: it is measured then.
// So with what has changed since the page was last measured, which is remembered: all else was found to be readable.
const MEASURE = `(least, shares) => {
  const { getBackgroundColor, getForegroundColor, getContrast } = axe.commons.color;
  const isText = ({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim() !== '';
  const all = [...document.body.querySelectorAll('*')];
  const running = document.getAnimations();
  const moving = running.flatMap(({ effect }) => effect?.target ?? []);
  const isTouchedBy = (movers, each) => {
    const box = each.getBoundingClientRect();
    return movers.some((mover) => {
      const { left, right, top, bottom } = mover.getBoundingClientRect();
      const isOver = left < box.right && right > box.left && top < box.bottom && bottom > box.top;
      return isOver || mover.contains(each);
    });
  };
  const low = [];
  const measure = (share, movers) => {
    axe.setup(document);
    for (const each of all) {
      if (!each.matches('button') && ![...each.childNodes].some(isText)) continue;
      if (each.closest('.unseen, script, style, noscript, option') !== null) continue;
      if (!each.checkVisibility({ visibilityProperty: true })) continue;
      if (!isTouchedBy(movers, each)) continue;
      const ground = getBackgroundColor(each, []);
      // Out of sight, or under a dialog.
      if (ground === null) continue;
      const contrast = getContrast(ground, getForegroundColor(each, [], ground));
      const place = each.id === '' ? each.tagName.toLowerCase() + '.' + each.className : '#' + each.id;
      if (contrast < least) low.push(place + ' ' + contrast.toFixed(2) + ' at ' + share);
    }
    axe.teardown();
  };
  for (const share of running.length > 0 ? shares : []) {
    for (const each of running) each.currentTime = Number(each.effect?.getComputedTiming().endTime ?? 0) * share;
    measure(share, moving);
  }
  for (const each of running) each.finish();
  const looks = new Map(all.map((each) => {
    const { color, background, opacity, filter } = getComputedStyle(each);
    const { left, top, width, height } = each.getBoundingClientRect();
    return [each, [color, background, opacity, filter, left, top, width, height].join()];
  }));
  // What comes or goes may have lain over anything.
  const shown = all.filter((each) => each.checkVisibility({ visibilityProperty: true }));
  const { looks: before, shown: shownBefore } = globalThis.measured ?? { looks: new Map(), shown: [] };
  const isSame = shown.length === shownBefore.length && shown.every((each, i) => each === shownBefore[i]);
  measure(1, isSame ? [...moving, ...all.filter((each) => before.get(each) !== looks.get(each))] : all);
  globalThis.measured = low.length > 0 ? undefined : { looks, shown };
  return low;
}`;

/** Of a transition, before its end. */
const SHARES = [0, 0.25, 0.5, 0.75];

/** Texts that are hard to read at any point of the transitions that run: place and contrast. They have ended then. */
export async function lowContrasts(page: Page): Promise<readonly string[]> {
  await loadAxe(page);
  const low = await page.evaluate(`(${MEASURE})(${CONTRAST_MIN}, ${JSON.stringify(SHARES)})`);
  return Array.isArray(low) ? low.map(String) : [];
}

/** The same while the pointer is over each of what can be pressed. */
export async function lowUnderPointer(page: Page, within = 'body'): Promise<readonly string[]> {
  const found: string[] = [];
  const all = page.locator(`${within} :is(button, select, a)`).filter({ visible: true });
  for (const each of await all.all()) {
    await each.hover({ force: true });
    found.push(...(await lowContrasts(page)));
  }
  return found;
}
