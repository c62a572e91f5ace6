import { toSrt, toVtt } from '@kikitori/protocol/subtitles';
import type { Context } from '../context.js';
import type { Display } from '../terminal/display.js';
import { withLiveTail } from './live-tail.js';
import { documentAtEnd, jsonDocument, jsonLines, labelledLines, type TranscriptOutput } from './output.js';
import { textOutput } from './text-output.js';

/** What `--format` takes. */
export const FORMATS = ['text', 'json', 'srt', 'vtt'] as const;
export type Format = (typeof FORMATS)[number];

/** The writer for `--format`, or for `--json`, which wins. `hasLanes`: several voices are told apart. */
export function outputFor(
  options: { readonly format: Format; readonly json: boolean; readonly hasLanes?: boolean },
  context: Pick<Context, 'stdout'>,
  display: Display,
): TranscriptOutput {
  if (options.json) return withLiveTail(jsonLines(display), display);
  switch (options.format) {
    case 'text':
      return options.hasLanes === true
        ? withLiveTail(labelledLines(display), display)
        : textOutput(context, display);
    case 'json':
      return withLiveTail(documentAtEnd(display, jsonDocument), display);
    case 'srt':
      return withLiveTail(
        documentAtEnd(display, (summary) => toSrt(summary.utterances)),
        display,
      );
    case 'vtt':
      return withLiveTail(
        documentAtEnd(display, (summary) => toVtt(summary.utterances)),
        display,
      );
  }
}
