import type { Display } from '../terminal/display.js';
import type { TranscriptOutput } from './output.js';

/** Adds the live words to an output that shows none by itself: captions and JSON on the way to a file. */
export function withLiveTail(output: TranscriptOutput, display: Display): TranscriptOutput {
  if (!display.isLive) return output;
  let text = '';
  return {
    change(change, atMs) {
      if (change.type === 'delta') text += change.text;
      else if (change.type === 'utterance') text = '';
      display.tail(text.trimStart(), change.type === 'partial' ? change.text : '');
      output.change(change, atMs);
    },
    end: (summary) => output.end(summary),
  };
}
