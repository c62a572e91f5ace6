/** Regular expressions whose work grows faster than what they are given. */
import { analyse } from 'scslre';
import type { SourceFile } from './source-file.js';

/**
 * One sentence for each that can be made to go over the same characters again and again: by two quantifiers that take
 * the same (`a+b?a+$`), by one inside another, or by beginning anew at each character (`\s+$`).
 */
export function checkRegexes({ path, regexes }: SourceFile): string[] {
  return regexes.flatMap(({ literal, line }) => {
    const end = literal.lastIndexOf('/');
    const { reports } = analyse({ source: literal.slice(1, end), flags: literal.slice(end + 1) });
    return reports.length === 0
      ? []
      : [
          `${path}:${line} ${literal} can take time that grows faster than the text; take the text apart, or let the parts exclude each other.`,
        ];
  });
}
