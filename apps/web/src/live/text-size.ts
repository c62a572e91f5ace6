import { recall, remember } from '../shared/storage.js';
import { byId } from './element.js';

const STORED_AT = 'kikitori.scale';
/** Steps of the letters' size, as factors. */
const SCALES = [0.8, 1, 1.25, 1.5, 2, 2.5, 3] as const;
const SCALE_USUAL = 1;

/** Makes the words larger and smaller; what is chosen is kept for the next visit. */
export function listenToTextSize(): void {
  const kept = Number(recall(STORED_AT) ?? SCALE_USUAL);
  let step = SCALES[kept] === undefined ? SCALE_USUAL : kept;
  const draw = (): void => document.documentElement.style.setProperty('--scale', String(SCALES[step] ?? 1));
  const change = (by: number): void => {
    step = Math.min(SCALES.length - 1, Math.max(0, step + by));
    remember(STORED_AT, String(step));
    draw();
  };
  byId('smaller', HTMLButtonElement).addEventListener('click', () => change(-1));
  byId('larger', HTMLButtonElement).addEventListener('click', () => change(1));
  draw();
}
