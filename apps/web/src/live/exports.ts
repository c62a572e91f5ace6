import { toPlainText, toSrt, toVtt } from '@kikitori/protocol/subtitles';
import { inOrder, type SpokenRecord } from './conversation.js';

export const EXPORT_FORMATS = ['txt', 'srt', 'vtt', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const TYPES: Readonly<Record<ExportFormat, string>> = {
  txt: 'text/plain',
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
  json: 'application/json',
};

/** The whole text, an utterance a line; also what was not closed yet. */
export function plainText(record: SpokenRecord): string {
  return toPlainText(withOpen(record));
}

/** The record in that format. */
export function exported(record: SpokenRecord, format: ExportFormat): string {
  switch (format) {
    case 'txt':
      return plainText(record);
    case 'srt':
      return toSrt(withOpen(record));
    case 'vtt':
      return toVtt(withOpen(record));
    case 'json': {
      const { startedAtMs, name, model, gaps } = record;
      const utterances = withOpen(record);
      const started = new Date(startedAtMs).toISOString();
      return `${JSON.stringify({ started, name, model, text: plainText(record).trim(), utterances, gaps }, undefined, 2)}\n`;
    }
  }
}

/** Hands a file to the browser's downloads. */
export function download(record: SpokenRecord, format: ExportFormat): void {
  const blob = new Blob([exported(record, format)], { type: `${TYPES[format]};charset=utf-8` });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${fileName(record)}.${format}`;
  link.click();
  // Browsers read the address right after the click; some of them a moment later.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName({ startedAtMs, name }: SpokenRecord): string {
  const at = new Date(startedAtMs).toISOString().slice(0, 16).replace(/[:T]/g, '-');
  const plain = name.replace(/\.\w{2,4}$/, '').replace(/[^\p{L}\p{N}-]+/gu, '-');
  return `kikitori-${at}${plain === '' ? '' : `-${plain}`}`.slice(0, 80);
}

/** Words that are in no utterance yet become one, from the end of the last on. */
function withOpen(record: SpokenRecord): SpokenRecord['utterances'] {
  const { open } = record;
  const utterances = inOrder(record.utterances);
  if (open === '') return utterances;
  const startMs = utterances.at(-1)?.endMs ?? 0;
  const endMs = startMs + 400 * open.split(/\s+/).length;
  return [...utterances, { text: open, startMs, endMs, words: [] }];
}
