/** Captions: SubRip, WebVTT and plain text from utterances with word times. Subpath `@kikitori/protocol/subtitles`. */
import { type CueRules, clean, cuesOf, type SubtitleUtterance } from './cues.js';
import type { KikitoriUtterance } from './events/server.js';

export type { Cue, CueRules, SubtitleUtterance, SubtitleWord } from './cues.js';
export { CUE_RULES, cuesOf } from './cues.js';

/** Turns the wire's utterance into one that captions are made of. */
export function subtitleUtterance({ text, start_ms, end_ms, words }: KikitoriUtterance): SubtitleUtterance {
  return {
    text,
    startMs: start_ms,
    endMs: end_ms,
    words: words.map((word) => ({ text: word.text, startMs: word.start_ms, endMs: word.end_ms })),
  };
}

/**
 * SubRip (`.srt`): cues numbered from 1, `\n` line ends, an empty line after each. No cue gives the empty string.
 * A label stands in front of the first line. SubRip has no escapes; an arrow in the text, which would end the cue for some players, is shortened.
 */
export function toSrt(utterances: Iterable<SubtitleUtterance>, rules?: Partial<CueRules>): string {
  return cuesOf(utterances, rules)
    .map(({ startMs, endMs, lines, label }, index) => {
      const times = `${timestamp(startMs, ',')} --> ${timestamp(endMs, ',')}`;
      const text = `${label === undefined ? '' : `${label}: `}${lines.join('\n')}`;
      return `${index + 1}\n${times}\n${text.replaceAll('-->', '->')}\n\n`;
    })
    .join('');
}

/** WebVTT (`.vtt`, W3C): header, then cues without identifiers, a label as its voice; `&`, `<` and `>` are escaped. */
export function toVtt(utterances: Iterable<SubtitleUtterance>, rules?: Partial<CueRules>): string {
  const cues = cuesOf(utterances, rules).map(({ startMs, endMs, lines, label }) => {
    const voice = label === undefined ? '' : `<v ${escapedVtt(label)}>`;
    return `${timestamp(startMs, '.')} --> ${timestamp(endMs, '.')}\n${voice}${escapedVtt(lines.join('\n'))}\n\n`;
  });
  return `WEBVTT\n\n${cues.join('')}`;
}

/** One utterance a line, behind its label where it has one; each line ended by `\n`. Utterances without text are left out. */
export function toPlainText(utterances: Iterable<SubtitleUtterance>): string {
  let result = '';
  for (const { text = '', words, label = '' } of utterances) {
    const line = words.length > 0 ? words.map((word) => word.text).join(' ') : text;
    const cleaned = clean(line);
    const who = clean(label);
    if (cleaned !== '') result += `${who === '' ? '' : `${who}: `}${cleaned}\n`;
  }
  return result;
}

/** `HH:MM:SS` and milliseconds; hours have two digits or as many as they need. */
function timestamp(ms: number, mark: ',' | '.'): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const clock = `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${clock}${mark}${String(ms % 1000).padStart(3, '0')}`;
}

function escapedVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
