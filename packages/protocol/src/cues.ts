/** Cuts utterances into cues: what is on the screen at one time. */

/** A word on a timeline in milliseconds. The engine's words and the client's have this shape. */
export interface SubtitleWord {
  /** With its own punctuation. */
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** One utterance. Words in order; times never decrease from one start to the next. */
export interface SubtitleUtterance {
  /** Used where there are no words; otherwise the words count. */
  readonly text?: string;
  readonly startMs: number;
  readonly endMs: number;
  /** May be empty: then the words of `text` share the time by their length. */
  readonly words: readonly SubtitleWord[];
  /** Whose words they are, where more than one voice is heard. */
  readonly label?: string;
}

/** The rules of the house; defaults are those of the large broadcasters' style guides for Latin script. */
export interface CueRules {
  /** Longest line in characters. A single longer word stays whole. 10…200. */
  readonly lineCharactersMax: number;
  /** Lines on the screen at one time. 1…4. */
  readonly linesMax: number;
  /** Shorter cues stay longer on the screen, as far as the next one allows. */
  readonly cueMsMin: number;
  /** Longer cues are split between words. */
  readonly cueMsMax: number;
  /** A pause between words at which a cue ends in any case. */
  readonly pauseMsMax: number;
}

/** Defaults of `CueRules`. */
export const CUE_RULES: CueRules = {
  lineCharactersMax: 42,
  linesMax: 2,
  cueMsMin: 1_000,
  cueMsMax: 7_000,
  pauseMsMax: 2_000,
};

/**
 * What is on the screen from `startMs` to `endMs`: whole milliseconds, start before end, in order, at least one line. Those of
 * different voices may be there at one time.
 */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly lines: readonly string[];
  /** That of its utterance, without control characters. */
  readonly label?: string;
}

/** Cost of ending a cue behind a word, against 1 for each further cue: sentences are best kept whole. */
const BREAK_COSTS = { sentence: 0, clause: 0.3, pause: 0.3, anywhere: 1.4 };
const PAUSE_MS = 300;
/** Cost of a cue too short to be read, at its worst. */
const SHORT_COST = 1;

/**
 * Cuts utterances into cues. No cue spans two utterances; an utterance without text gives none. Throws `RangeError`
 * for rules out of bounds.
 */
export function cuesOf(utterances: Iterable<SubtitleUtterance>, rules: Partial<CueRules> = {}): Cue[] {
  const checked = checkedRules({ ...CUE_RULES, ...rules });
  const cues: Cue[] = [];
  for (const utterance of utterances) {
    const label = clean(utterance.label ?? '');
    for (const cue of split(wordsOf(utterance), checked)) cues.push(label === '' ? cue : { ...cue, label });
  }
  return settled(cues, checked);
}

/** Cues with their times, in order. A cue makes way for the next one of its own voice; people do speak at once. */
function settled(cues: readonly Cue[], rules: CueRules): Cue[] {
  const nextOfVoice = new Map<string | undefined, Cue>();
  const found = [...cues].reverse().map((cue) => {
    const next = nextOfVoice.get(cue.label);
    nextOfVoice.set(cue.label, cue);
    return settledTimes(cue, next, rules);
  });
  found.reverse();
  return nextOfVoice.size > 1 ? found.sort((one, other) => one.startMs - other.startMs) : found;
}

function checkedRules(rules: CueRules): CueRules {
  const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;
  if (
    within(rules.lineCharactersMax, 10, 200) &&
    within(rules.linesMax, 1, 4) &&
    within(rules.cueMsMin, 0, rules.cueMsMax) &&
    within(rules.cueMsMax, 1, 60_000) &&
    within(rules.pauseMsMax, 1, 60_000)
  ) {
    return rules;
  }
  throw new RangeError(
    'A caption rule is out of bounds: lines of 10…200 characters, 1…4 lines, 0 <= cueMsMin <= cueMsMax <= 60000.',
  );
}

/** The utterance's words, cleaned: single spaces, no control characters, finite times. */
function wordsOf({ text = '', startMs, endMs, words }: SubtitleUtterance): SubtitleWord[] {
  const timed = words.length > 0 ? words : shared(clean(text).split(' '), startMs, endMs);
  return timed
    .map((word) => ({ text: clean(word.text), startMs: time(word.startMs), endMs: time(word.endMs) }))
    .filter((word) => word.text !== '');
}

/** One line of text alone: no control characters, nothing that turns the direction of what stands around it. */
export function clean(text: string): string {
  return text
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

function time(ms: number): number {
  return Number.isFinite(ms) && ms > 0 ? Math.round(ms) : 0;
}

/** Gives every word a part of the time by its length. */
function shared(texts: readonly string[], startMs: number, endMs: number): SubtitleWord[] {
  const total = texts.reduce((sum, text) => sum + text.length + 1, 0);
  let before = 0;
  return texts.map((text) => {
    const start = startMs + ((endMs - startMs) * before) / total;
    before += text.length + 1;
    return { text, startMs: start, endMs: startMs + ((endMs - startMs) * before) / total };
  });
}

/** The cheapest way to cut the words, found from the end: `best[i]` is that of the words from i on. */
function split(words: readonly SubtitleWord[], rules: CueRules): Cue[] {
  const best: { cost: number; end: number }[] = new Array(words.length + 1);
  best[words.length] = { cost: 0, end: words.length };
  for (let start = words.length - 1; start >= 0; start -= 1) {
    let choice = { cost: Number.POSITIVE_INFINITY, end: start + 1 };
    for (let end = start + 1, longest = longestCue(words, start, rules); end <= longest; end += 1) {
      const cost = 1 + cueCost(words, start, end, rules) + (best[end]?.cost ?? 0);
      if (cost < choice.cost) choice = { cost, end };
    }
    best[start] = choice;
  }
  const cues: Cue[] = [];
  for (let at = 0; at < words.length; ) {
    const end = best[at]?.end ?? words.length;
    const lines = layOut(words.slice(at, end), rules);
    cues.push({ startMs: words[at]?.startMs ?? 0, endMs: words[end - 1]?.endMs ?? 0, lines });
    at = end;
  }
  return cues;
}

/** Index behind the last word that one cue from `start` on can hold; at least one word, however long. */
function longestCue(words: readonly SubtitleWord[], start: number, rules: CueRules): number {
  const startMs = words[start]?.startMs ?? 0;
  let lines = 1;
  let lineCharacters = lengthOf(words[start]?.text ?? '');
  let end = start + 1;
  for (; end < words.length; end += 1) {
    const word = words[end];
    const previous = words[end - 1];
    if (word === undefined || previous === undefined) break;
    const wordCharacters = lengthOf(word.text);
    lineCharacters += 1 + wordCharacters;
    if (lineCharacters > rules.lineCharactersMax) {
      lines += 1;
      lineCharacters = wordCharacters;
    }
    if (lines > rules.linesMax || wordCharacters > rules.lineCharactersMax) break;
    if (word.endMs - startMs > rules.cueMsMax || word.startMs - previous.endMs >= rules.pauseMsMax) break;
  }
  return end;
}

function cueCost(words: readonly SubtitleWord[], start: number, end: number, rules: CueRules): number {
  const first = words[start];
  const last = words[end - 1];
  if (first === undefined || last === undefined) return 0;
  const next = words[end];
  const untilMs = next === undefined ? Number.POSITIVE_INFINITY : next.startMs;
  const shownMs = Math.max(last.endMs, Math.min(untilMs, first.startMs + rules.cueMsMin)) - first.startMs;
  const missing = rules.cueMsMin === 0 ? 0 : Math.max(0, 1 - shownMs / rules.cueMsMin);
  return breakCost(last, next) + SHORT_COST * missing;
}

function breakCost(last: SubtitleWord, next: SubtitleWord | undefined): number {
  if (next === undefined || /[.!?…。！？]["'”’)\]]*$/u.test(last.text)) return BREAK_COSTS.sentence;
  if (/[,;:—–、，]["'”’)\]]*$/u.test(last.text)) return BREAK_COSTS.clause;
  return next.startMs - last.endMs >= PAUSE_MS ? BREAK_COSTS.pause : BREAK_COSTS.anywhere;
}

/**
 * Lines for words that fit, as even as they can be: of the narrowest width into which filling line by line still
 * gives no more lines.
 */
function layOut(words: readonly SubtitleWord[], rules: CueRules): readonly string[] {
  const widest = fill(words, rules.lineCharactersMax);
  let lines = widest;
  for (let width = rules.lineCharactersMax - 1; width > 0; width -= 1) {
    const narrower = fill(words, width);
    if (narrower.length > widest.length || narrower.some((line) => lengthOf(line) > width)) break;
    lines = narrower;
  }
  return lines;
}

function fill(words: readonly SubtitleWord[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const { text } of words) {
    if (line !== '' && lengthOf(line) + 1 + lengthOf(text) > width) {
      lines.push(line);
      line = text;
    } else {
      line = line === '' ? text : `${line} ${text}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Characters as a reader counts them, near enough: code points. */
function lengthOf(text: string): number {
  return [...text].length;
}

/** At least `cueMsMin` where the next cue leaves room, never into the next cue, never empty. */
function settledTimes(cue: Cue, next: Cue | undefined, rules: CueRules): Cue {
  const { startMs, endMs } = cue;
  const wishedMs = Math.max(endMs, startMs + rules.cueMsMin);
  const untilMs = next === undefined || next.startMs <= startMs ? wishedMs : Math.min(wishedMs, next.startMs);
  return { ...cue, endMs: Math.max(untilMs, startMs + 1) };
}
