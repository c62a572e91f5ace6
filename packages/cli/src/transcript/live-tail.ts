import type { Display } from '../terminal/display.js';
import type { TranscriptOutput } from './output.js';

/** Adds the live words to an output that shows none by itself: captions and JSON on the way to a file. Of several voices those of the last. */
export function withLiveTail(output: TranscriptOutput, display: Display): TranscriptOutput {
  if (!display.isLive) return output;
  const texts = new Map<string, string>();
  return {
    change(change, atMs) {
      const label = (change.type === 'utterance' ? change.utterance.label : change.label) ?? '';
      const before = texts.get(label) ?? '';
      const text = change.type === 'delta' ? before + change.text : change.type === 'utterance' ? '' : before;
      texts.set(label, text);
      const who = label === '' ? '' : `${label}: `;
      display.tail(`${who}${text.trimStart()}`, change.type === 'partial' ? change.text : '');
      output.change(change, atMs);
    },
    end: (summary) => output.end(summary),
  };
}
