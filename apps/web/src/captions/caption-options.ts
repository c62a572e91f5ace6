/** How captions look and behave, from the query string of the address. docs/captions.md has the same table for people. */
export interface CaptionOptions {
  readonly view: 'room' | 'overlay';
  /** Lines of an overlay. */
  readonly lines: number;
  /** Size of the letters, CSS pixels; undefined: as fits the window. */
  readonly sizePx: number | undefined;
  /** CSS colours; undefined: the theme's. */
  readonly color: string | undefined;
  readonly background: string | undefined;
  /** Behind the letters of each line. */
  readonly box: string | undefined;
  readonly outlinePx: number;
  readonly outlineColor: string;
  readonly font: string | undefined;
  readonly weight: number | undefined;
  readonly align: 'left' | 'center' | 'right';
  readonly position: 'top' | 'bottom';
  /** Of the window's width, percent. */
  readonly widthPercent: number;
  /** Everything is shown so much later. */
  readonly delayMs: number;
  /** So long after the last change an overlay is cleared; 0: never. */
  readonly clearMs: number;
  readonly theme: 'auto' | 'light' | 'dark' | 'contrast';
  /** Words that may still change are shown. */
  readonly showsUnstable: boolean;
  readonly isUppercase: boolean;
  /** Final words are announced to screen readers. */
  readonly announces: boolean;
  /** Of the interface; undefined: the browser's. */
  readonly language: 'en' | 'ja' | undefined;
  /** Shows words of its own, to set up a scene without a speaker. */
  readonly isSample: boolean;
}

const FONTS: Readonly<Record<string, string>> = {
  sans: 'system-ui, "Segoe UI", Roboto, "Hiragino Sans", "Noto Sans JP", sans-serif',
  serif: 'Georgia, Charter, "Hiragino Mincho ProN", "Noto Serif JP", serif',
  mono: 'ui-monospace, Menlo, Consolas, "Noto Sans Mono CJK JP", monospace',
  rounded: 'ui-rounded, "Hiragino Maru Gothic ProN", Quicksand, system-ui, sans-serif',
};

/** Longest delay and pause, seconds. */
const DELAY_S_MAX = 60;
const CLEAR_S_MAX = 3_600;

/** Reads a query string. What is not there or not valid is the default: an overlay must not break on air. */
export function readCaptionOptions(query: string): CaptionOptions {
  const given = new URLSearchParams(query);
  const view = oneOf(given.get('view'), ['room', 'overlay'], 'room');
  const isOverlay = view === 'overlay';
  return {
    view,
    lines: Math.round(numberOf(given.get('lines'), { min: 1, max: 12 }) ?? 2),
    sizePx: numberOf(given.get('size'), { min: 10, max: 300 }),
    color: colorOf(given.get('color')),
    background: colorOf(given.get('background')),
    box: colorOf(given.get('box')),
    outlinePx: numberOf(given.get('outline'), { min: 0, max: 20 }) ?? (isOverlay ? 3 : 0),
    outlineColor: colorOf(given.get('outlinecolor')) ?? '#000000',
    font: fontOf(given.get('font')),
    weight: numberOf(given.get('weight'), { min: 100, max: 900 }),
    align: oneOf(given.get('align'), ['left', 'center', 'right'], 'left'),
    position: oneOf(given.get('position'), ['top', 'bottom'], 'bottom'),
    widthPercent: numberOf(given.get('width'), { min: 10, max: 100 }) ?? (isOverlay ? 80 : 100),
    delayMs: (numberOf(given.get('delay'), { min: 0, max: DELAY_S_MAX }) ?? 0) * 1000,
    clearMs: (numberOf(given.get('clear'), { min: 0, max: CLEAR_S_MAX }) ?? (isOverlay ? 6 : 0)) * 1000,
    theme: oneOf(given.get('theme'), ['auto', 'light', 'dark', 'contrast'], 'auto'),
    showsUnstable: given.get('unstable') !== '0',
    isUppercase: given.get('uppercase') === '1',
    announces: given.get('announce') !== '0',
    language: given.get('lang') === 'ja' ? 'ja' : given.get('lang') === 'en' ? 'en' : undefined,
    isSample: given.get('sample') === '1',
  };
}

function oneOf<T extends string>(text: string | null, choices: readonly T[], fallback: T): T {
  return choices.find((choice) => choice === text) ?? fallback;
}

function numberOf(text: string | null, { min, max }: { min: number; max: number }): number | undefined {
  if (text === null || !/^\d{1,5}(?:\.\d{1,3})?$/.test(text)) return undefined;
  const value = Number(text);
  return value < min || value > max ? undefined : value;
}

/** Hexadecimal, with 3, 4, 6 or 8 digits, with `#` or without; or `none`. */
function colorOf(text: string | null): string | undefined {
  if (text === 'none') return 'transparent';
  const [, digits] = /^#?((?:[0-9a-f]{3,4}){1,2})$/i.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : `#${digits}`;
}

/** One of ours, or the name of a font that is installed. */
function fontOf(text: string | null): string | undefined {
  if (text === null) return undefined;
  if (Object.hasOwn(FONTS, text)) return FONTS[text];
  return /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,59}$/u.test(text) ? `"${text}", ${FONTS['sans']}` : undefined;
}
