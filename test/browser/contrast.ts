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
const MEASURE = `(least, shares) => {
  const { getBackgroundColor, getForegroundColor, getContrast } = axe.commons.color;
  const isText = ({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim() !== '';
  const running = document.getAnimations();
  const moving = running.flatMap(({ effect }) => effect?.target ?? []);
  const isTouched = (each) => {
    const box = each.getBoundingClientRect();
    return moving.some((mover) => {
      const { left, right, top, bottom } = mover.getBoundingClientRect();
      const isOver = left < box.right && right > box.left && top < box.bottom && bottom > box.top;
      return isOver || mover.contains(each);
    });
  };
  const low = [];
  const measure = (share) => {
    axe.setup(document);
    for (const each of document.body.querySelectorAll('*')) {
      if (!each.matches('button') && ![...each.childNodes].some(isText)) continue;
      if (each.closest('.unseen, script, style, noscript, option') !== null) continue;
      if (!each.checkVisibility({ visibilityProperty: true })) continue;
      if (share < 1 && !isTouched(each)) continue;
      const ground = getBackgroundColor(each, []);
      // Out of sight, or under a dialog.
      if (ground === null) continue;
      const contrast = getContrast(ground, getForegroundColor(each, [], ground));
      const place = each.id === '' ? each.tagName.toLowerCase() + '.' + each.className : '#' + each.id;
      if (contrast < least) low.push(place + ' ' + contrast.toFixed(2) + ' at ' + share);
    }
    axe.teardown();
  };
  for (const share of running.length > 0 ? shares : [1]) {
    for (const each of running) {
      if (share === 1) each.finish();
      else each.currentTime = Number(each.effect?.getComputedTiming().endTime ?? 0) * share;
    }
    measure(share);
  }
  return low;
}`;

const SHARES = [0, 0.25, 0.5, 0.75, 1];

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
