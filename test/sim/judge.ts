import type { SessionEvent, Span, Transcript } from '@kikitori/client';
import type { Word } from '@kikitori/engine';
import type { Schedule } from './schedule.js';

/** What a session said. */
export interface Heard {
  readonly transcript: Transcript;
  readonly events: readonly SessionEvent[];
  readonly gaps: readonly Span[];
}

/** What is wrong with it: `words` were spoken, and nothing else. */
export function* flawsOf(schedule: Schedule, words: readonly Word[], heard: Heard): Generator<string> {
  const { transcript, events, gaps } = heard;
  const expected = words.filter((word) => !gaps.some((gap) => isTouched(word, gap)));
  const text = expected.map((word) => word.text).join(' ');
  const inGaps = words.filter((word) => !expected.includes(word)).map((word) => word.text);
  const told = (type: 'delta' | 'done'): string =>
    events.flatMap((event) => (event.type === type ? [event.text] : [])).join('');
  yield* difference('text', withoutCut(transcript.text, inGaps), text);
  yield* difference('deltas', withoutCut(told('delta'), inGaps), text);
  yield* difference('answers', withoutCut(told('done'), inGaps), text);
  if (events.some(({ type }) => type === 'ambiguous')) yield 'two texts did not fit';
  const saidGaps = events.flatMap((event) => (event.type === 'gap' ? [event] : []));
  yield* difference('gaps', spans(saidGaps), spans(gaps));
  if (schedule.keepMs === undefined) yield* difference('gaps', spans(gaps), '');
  if (schedule.kind === 'ours' && schedule.wantsWords && gaps.length === 0) {
    yield* wordFlaws(transcript, words, schedule.shiftMsMax);
  }
  yield* progressFlaws(events);
}

/** A word that lies in a gap, be it in part. */
function isTouched({ startMs, endMs }: Word, gap: Span): boolean {
  return endMs > gap.startMs && startMs < gap.endMs;
}

/** Without words that the end of a gap has cut: they sound like others. */
function withoutCut(text: string, inGaps: readonly string[]): string {
  const said = text.trim();
  if (inGaps.length === 0) return said;
  return said
    .split(' ')
    .filter((word) => !word.startsWith('~'))
    .join(' ');
}

function spans(gaps: readonly Span[]): string {
  return gaps.map(({ startMs, endMs }) => `${startMs} to ${endMs}`).join(', ');
}

function* wordFlaws(
  { words: found }: Transcript,
  words: readonly Word[],
  shiftMs: number,
): Generator<string> {
  const textOf = (each: readonly Word[]): string => each.map(({ text }) => text).join(' ');
  yield* difference('words', textOf(found), textOf(words));
  for (const [index, { text, startMs, endMs }] of found.entries()) {
    const truth = words[index];
    if (truth === undefined) return;
    const offMs = Math.max(Math.abs(startMs - truth.startMs), Math.abs(endMs - truth.endMs));
    if (offMs > shiftMs * 2) yield `"${text}" is off by ${offMs} ms at ${truth.startMs} ms`;
  }
}

function* progressFlaws(events: readonly SessionEvent[]): Generator<string> {
  let settledMs = 0;
  for (const event of events) {
    if (event.type !== 'progress') continue;
    if (event.settledMs < settledMs) yield 'progress went back';
    settledMs = event.settledMs;
  }
}

function* difference(what: string, found: string, expected: string): Generator<string> {
  if (found !== expected) yield `${what}:\n  ${found}\n  instead of\n  ${expected}`;
}
