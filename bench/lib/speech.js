/** The speech that is measured on: the shared collection where it is there, our own samples otherwise. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeFile } from '@kikitori/audio/file';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const shared = join(root, '..', 'shared', 'speech', 'dev');

const lines = (path) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Which collection is measured on, for the heading of a table. */
export const collection = existsSync(shared) ? 'speech/dev' : 'samples/';

/**
 * English clips with their text: {file, path, text, kind, seconds}. `kind` also tells where the reference comes from
 * (edited ones favour Moonshine and are told apart) and whether we made the clip from another one.
 */
export function englishClips() {
  if (!existsSync(shared)) {
    return JSON.parse(readFileSync(join(root, 'samples', 'samples.json'), 'utf8')).map((clip) => {
      return { ...clip, kind: 'sample', path: join(root, 'samples', clip.file) };
    });
  }
  return lines(join(shared, 'manifest.jsonl'))
    .filter(({ lang }) => lang === 'en')
    .map(({ file, text, seconds, kind, ref, derived }) => {
      const label = [kind, ref === 'edited' ? '(edited)' : '', derived ? '(derived)' : '']
        .filter(Boolean)
        .join(' ');
      return { file, path: join(shared, file), text, seconds, kind: label };
    });
}

/** Clips in languages that the models do not hear: {file, path, lang, seconds}. */
export function foreignClips() {
  if (!existsSync(shared)) return [];
  return lines(join(shared, 'manifest.jsonl'))
    .filter(({ lang }) => lang !== 'en')
    .map(({ file, lang, seconds }) => ({ file, path: join(shared, file), lang, seconds }));
}

/** Noise, music, tones, silence: the right answer is nothing. */
export function nonSpeechClips() {
  if (!existsSync(shared)) return [];
  return lines(join(shared, 'nonspeech.jsonl')).map(({ file, note, seconds }) => {
    return { file, path: join(shared, file), note, seconds };
  });
}

/** All samples of a file: mono, 16 kHz, −1…1. */
export async function samplesOf(path) {
  const decoded = await decodeFile(path);
  const chunks = [];
  for await (const chunk of decoded.samples ?? decoded) chunks.push(chunk);
  const all = new Float32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The value below which a share `p` of the values lies. */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** `--name value` or `--name=value` from the command line. */
export function argument(name, fallback) {
  const at = process.argv.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (at < 0) return fallback;
  const word = process.argv[at] ?? '';
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (process.argv[at + 1] ?? fallback);
}

/** Prints rows as a Markdown table. */
export function table(head, rows) {
  process.stdout.write(`| ${head.join(' | ')} |\n|${head.map(() => ' --- |').join('')}\n`);
  for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
}
