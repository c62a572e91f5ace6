/**
 * What a terminal would obey is shown instead: whatever comes from outside (a transcript, an error, a name, a line of a
 * log) may hold it, and every text that is written passes here. Our own sequences carry a mark that nobody outside can know.
 */
import { randomBytes } from 'node:crypto';

const MARK = `\u0000${randomBytes(16).toString('hex')}`;

/** C0 but the tab and the line feed, DEL, C1, and what turns the direction of the text behind it. */
const OBEYED = String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]`;
const EACH_OBEYED = new RegExp(OBEYED, 'gu');
const OURS_OR_OBEYED = new RegExp(String.raw`${MARK}(\r|\u001b\[[?\d;]*[A-Za-z])|${OBEYED}`, 'gu');
const LINE_BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu;

/** A carriage return or a control sequence of our own: the terminal is to obey it. */
export function own(sequence: string): string {
  return `${MARK}${sequence}`;
}

/** As it is written: own sequences are let through, everything else that would be obeyed is one cell that shows it. */
export function screened(text: string): string {
  return text.replace(OURS_OR_OBEYED, (found: string, sequence?: string) => sequence ?? pictureOf(found));
}

/** The same text on one line, for a place where a second one would be taken for ours. */
export function oneLine(text: string): string {
  return text.replace(LINE_BREAKS, ' ');
}

/** JSON with nothing in it that a terminal obeys: what JSON itself leaves as it is, is escaped as well. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    EACH_OBEYED,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** C0 and DEL have pictures in Unicode (`␛`); the others do not. */
function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
