import { EndFollower } from '../shared/end-follower.js';
import { recall, remember } from '../shared/storage.js';
import type { CaptionOptions } from './caption-options.js';
import type { Wording } from './caption-wording.js';

/** Steps of the letters' size in a room, as factors. */
const SCALES = [0.4, 0.5, 0.6, 0.75, 0.9, 1, 1.2, 1.45, 1.75, 2.1, 2.5] as const;
const SCALE_USUAL = 5;
const THEMES: readonly string[] = ['auto', 'light', 'dark', 'contrast'];
/** Whoever scrolls down to within this of the end reads what is said now again. */
const NEAR_END_PX = 48;

/** Puts the options onto the page. Style sheets hold everything else: nothing but values goes in here. */
export function dressPage(options: CaptionOptions): void {
  const { body, documentElement: root } = document;
  root.dataset['view'] = options.view;
  root.dataset['theme'] = options.theme;
  root.dataset['position'] = options.position;
  body.classList.toggle('uppercase', options.isUppercase);
  const values: Readonly<Record<string, string | undefined>> = {
    '--lines': String(options.lines),
    '--size': options.sizePx === undefined ? undefined : `${options.sizePx}px`,
    '--color': options.color,
    '--background': options.background,
    '--box': options.box,
    '--outline': `${options.outlinePx}px`,
    '--outline-color': options.outlineColor,
    '--font': options.font,
    '--weight': options.weight === undefined ? undefined : String(options.weight),
    '--align': options.align,
    '--width': `${options.widthPercent}%`,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) root.style.setProperty(name, value);
  }
}

/** What of the page the words have to know. */
export interface PageTools {
  /** Changes the words; whoever reads what is said now stays there, whoever reads further up stays there. */
  keepingPlace(change: () => void): void;
}

/** Makes the buttons of a room work. What is chosen is kept for the next visit. */
export function wireTools(options: CaptionOptions, wording: Wording): PageTools {
  const root = document.documentElement;
  document.title = wording.title;
  element('.title').textContent = wording.title;
  let scale = Number(recall('captions-scale') ?? SCALE_USUAL);
  const resize = (by: number): void => {
    scale = Math.min(SCALES.length - 1, Math.max(0, scale + by));
    root.style.setProperty('--scale', String(SCALES[scale] ?? 1));
    remember('captions-scale', String(scale));
    end.keep();
  };
  const scroller = element('.scroller');
  const end = new EndFollower(scroller, NEAR_END_PX);
  const now = element('.now');
  const noteEnd = (): void => {
    end.note();
    now.hidden = end.isFollowing || options.view === 'overlay';
  };
  const toEnd = (): void => {
    end.toEnd();
    noteEnd();
  };
  if (options.view === 'room') {
    // Whoever has no pointer scrolls by keys.
    scroller.tabIndex = 0;
    resize(0);
    const kept = recall('captions-theme');
    if (options.theme === 'auto' && kept !== undefined) root.dataset['theme'] = kept;
  }
  label('.smaller', wording.smaller, () => resize(-1));
  label('.larger', wording.larger, () => resize(1));
  label('.theme', wording.theme, () => {
    const at = THEMES.indexOf(root.dataset['theme'] ?? '');
    const next = THEMES[(at + 1) % THEMES.length] ?? 'auto';
    root.dataset['theme'] = next;
    remember('captions-theme', next);
  });
  now.textContent = wording.now;
  now.addEventListener('click', toEnd);
  scroller.addEventListener('scroll', noteEnd, { passive: true });
  addEventListener('resize', () => {
    if (end.isFollowing) toEnd();
  });
  return {
    keepingPlace: (change) => {
      change();
      if (end.isFollowing) end.toEnd();
      else noteEnd();
    },
  };
}

function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`The page lacks ${selector}.`);
  return found;
}

function label(selector: string, text: string, onClick: () => void): void {
  const button = element(selector);
  button.ariaLabel = text;
  button.title = text;
  button.addEventListener('click', onClick);
}
