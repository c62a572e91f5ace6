import type { Environment, Output } from '../context.js';
import { own } from './screened.js';

/** Colours as functions: text in, text with escapes out; or the same text where colour is not wanted. */
export interface Style {
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** Colour only in a terminal, and not where NO_COLOR (https://no-color.org) holds anything. */
export function styleFor(output: Output, env: Environment): Style {
  const enabled = output.isTerminal && (env.NO_COLOR ?? '') === '';
  const paint =
    (open: number, close: number) =>
    (text: string): string =>
      enabled && text !== '' ? `${own(`\x1b[${open}m`)}${text}${own(`\x1b[${close}m`)}` : text;
  return {
    dim: paint(2, 22),
    bold: paint(1, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}
