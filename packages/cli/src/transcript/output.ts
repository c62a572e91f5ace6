import type { Utterance } from '@kikitori/client';
import { toPlainText } from '@kikitori/protocol/subtitles';
import type { Display } from '../terminal/display.js';
import { jsonText } from '../terminal/screened.js';
import type { Change } from './record.js';

/** What is known when a session is over. Times in milliseconds. */
export interface Summary {
  readonly text: string;
  readonly utterances: readonly Utterance[];
  /** Audio sent. */
  readonly audioMs: number;
  /** From the first audio sent to the first text; undefined when nothing was said. */
  readonly firstDeltaMs: number | undefined;
  /** From the last audio sent to the last text; undefined when nothing was sent. */
  readonly finalMs: number | undefined;
  readonly reconnects: number;
}

/** Writes a transcript to stdout in one form, as it comes or at the end. */
export interface TranscriptOutput {
  /** `atMs`: since the first audio was sent. */
  change(change: Change, atMs: number): void;
  /** The session is over, be it done or interrupted. Called once, after the display's rows are gone. */
  end(summary: Summary): void;
}

/** One JSON object a line, as things happen: `delta`, `final`, last `summary`. */
export function jsonLines(display: Display): TranscriptOutput {
  const line = (value: unknown): void => display.print(`${jsonText(value)}\n`);
  return {
    change(change, atMs) {
      if (change.type === 'delta') {
        line({
          type: 'delta',
          text: change.text,
          audio_ms: Math.round(change.audioMs),
          at_ms: Math.round(atMs),
          ...(change.label === undefined ? {} : { label: change.label }),
        });
      } else if (change.type === 'utterance') {
        line({ type: 'final', ...utteranceOf(change.utterance) });
      }
    },
    end(summary) {
      line({ type: 'summary', text: summary.text, ...figuresOf(summary) });
    },
  };
}

/** A line for each utterance of several voices, behind its label. */
export function labelledLines(display: Display): TranscriptOutput {
  return {
    change(change) {
      if (change.type === 'utterance') display.print(toPlainText([change.utterance]));
    },
    end() {
      // Each line was written when its utterance was told.
    },
  };
}

/** One document at the end, made by `render`. */
export function documentAtEnd(display: Display, render: (summary: Summary) => string): TranscriptOutput {
  return {
    change() {
      // The document is written whole.
    },
    end(summary) {
      display.print(render(summary));
    },
  };
}

/** The document of `--format json`: the text, the utterances with their words, the figures of the summary line. */
export function jsonDocument(summary: Summary): string {
  const document = {
    text: summary.text,
    utterances: summary.utterances.map(utteranceOf),
    ...figuresOf(summary),
  };
  return `${jsonText(document, 2)}\n`;
}

function utteranceOf(utterance: Utterance): Record<string, unknown> {
  return {
    text: utterance.text,
    start_ms: Math.round(utterance.startMs),
    end_ms: Math.round(utterance.endMs),
    words: utterance.words.map((word) => ({
      text: word.text,
      start_ms: Math.round(word.startMs),
      end_ms: Math.round(word.endMs),
    })),
    ...(utterance.label === undefined ? {} : { label: utterance.label }),
    // It does not sound like a language that the model hears.
    ...(utterance.unsure === undefined ? {} : { unsure: utterance.unsure }),
  };
}

/** Members that are not known are null, so that every line has the same ones. */
function figuresOf(summary: Summary): Record<string, unknown> {
  const whole = (value: number | undefined): number | null =>
    value === undefined ? null : Math.round(value);
  return {
    audio_ms: Math.round(summary.audioMs),
    first_delta_ms: whole(summary.firstDeltaMs),
    final_ms: whole(summary.finalMs),
    reconnects: summary.reconnects,
  };
}
