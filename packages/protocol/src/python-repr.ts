/**
 * Python's `repr` and `str` of decoded JSON. vLLM is Python, and some of its error texts contain them.
 *
 * Not told apart: 5 and 5.0 (JSON.parse gives the same number; printed as 5), and whole numbers from 1e16 on
 * (printed as Python's float).
 */
import { ECHO_UNITS_MAX } from './limits.js';

/** `str.isprintable` is false for these (Python docs), space excepted. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
/** Strings that are printed as they are: printable ASCII without quotes and backslash. */
const PLAIN = /^[ !#-&(-[\]-~]*$/;
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

/** Name of the Python type that the decoded JSON value would have. */
export function pythonTypeName(value: unknown): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return isPythonInt(value) ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

/** Python's `str(value)`, cut to `ECHO_UNITS_MAX` units. A missing value is None. */
export function pythonStr(value: unknown): string {
  const text = typeof value === 'string' ? value : pythonRepr(value ?? null);
  return text.length <= ECHO_UNITS_MAX ? text : `${text.slice(0, ECHO_UNITS_MAX)}...`;
}

/**
 * Python's `repr(value)`. Of long strings, arrays and objects the middle is left out, which nobody can see: all
 * callers cut the text to a shorter length. Recursion is bounded by `JSON_DEPTH_MAX`.
 */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return numberRepr(value);
  if (typeof value === 'string') return stringRepr(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${shown(value, pythonRepr)}]`;
  return `{${shown(Object.entries(value), ([key, item]) => `${stringRepr(key)}: ${pythonRepr(item)}`)}}`;
}

function shown<T>(items: readonly T[], print: (item: T) => string): string {
  const kept =
    items.length <= 2 * ECHO_UNITS_MAX
      ? items
      : [...items.slice(0, ECHO_UNITS_MAX), ...items.slice(-ECHO_UNITS_MAX)];
  return kept.map(print).join(', ');
}

/** Would Python decode it to an int, as far as can be told? */
export function isPythonInt(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 1e16;
}

function numberRepr(value: number): string {
  if (isPythonInt(value)) return String(value === 0 ? 0 : value);
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return String(value);
  // Python writes at least two digits of exponent.
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const kept =
    text.length <= 2 * ECHO_UNITS_MAX ? text : text.slice(0, ECHO_UNITS_MAX) + text.slice(-ECHO_UNITS_MAX);
  if (PLAIN.test(kept)) return quote + kept + quote;
  let result = quote;
  for (const character of kept) result += escaped(character, quote);
  return result + quote;
}

function escaped(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const named = NAMED_ESCAPES[character];
  if (named !== undefined) return named;
  if (character === ' ' || !UNPRINTABLE.test(character)) return character;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
