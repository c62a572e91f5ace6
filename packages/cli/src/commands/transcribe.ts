import type { PaceRate } from '@kikitori/client';
import { openFileSource } from '../audio/file-source.js';
import { parseRawFormat } from '../audio/raw-format.js';
import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, parsed } from '../options.js';
import {
  apiKeyOption,
  delayOption,
  endpointOption,
  endpointUrlOption,
  languageOption,
  modelOption,
  parsePace,
  regionOption,
  urlOption,
} from '../options-shared.js';
import { openLink } from '../session/open-link.js';
import { runTranscription } from '../session/transcription.js';
import { createDisplay } from '../terminal/display.js';
import { FORMATS, outputFor } from '../transcript/formats.js';

const options = {
  url: urlOption,
  endpoint: endpointOption,
  region: regionOption,
  endpointUrl: endpointUrlOption,
  apiKey: apiKeyOption,
  model: modelOption,
  language: languageOption,
  delayMs: delayOption,
  pace: parsed<PaceRate, PaceRate>({
    flags: '--pace <pace>',
    description: 'how fast to send: realtime, max, or a factor such as 2x',
    fallback: 'max',
    fallbackText: 'max',
    parse: parsePace,
  }),
  format: choice({
    flags: '--format <format>',
    description: 'what to print',
    choices: FORMATS,
    fallback: 'text',
  }),
  json: flag({ flags: '--json', description: 'print one JSON event a line, as it happens' }),
  rawFormat: parsed({
    flags: '--raw-format <format>',
    description: 'the audio has no header: ENCODING:RATE:CHANNELS, e.g. s16le:16000:1, mulaw:8000',
    fallback: undefined,
    parse: parseRawFormat,
  }),
};

/** `kikitori transcribe FILE|-`: a file or a pipe in, text out while it is being sent. */
export const transcribe = defineCommand({
  summary: 'turn a file or piped audio into text while it is being sent; the embedded models hear English',
  operands: [{ name: 'file', description: 'any audio or video file, or - for stdin', required: true }],
  options,
  isForOutput: true,
  examples: [
    'kikitori transcribe talk.mp3',
    'kikitori transcribe talk.mp4 --format srt > talk.srt',
    'kikitori transcribe talk.wav --url ws://127.0.0.1:8000/v1/realtime --pace realtime --json',
    'arecord -f S16_LE -r 16000 -t raw | kikitori transcribe - --raw-format s16le:16000:1',
  ],
  run: transcribeFile,
});

async function transcribeFile(input: CommandInput<typeof options>, context: Context): Promise<number> {
  const [file = ''] = input.operands;
  const { pace, rawFormat } = input.options;
  const display = createDisplay(context);
  try {
    // The source first: a file that is not there should not wait for a model.
    const source = await openFileSource({ file, rawFormat }, context, (sentence) => display.note(sentence));
    try {
      const link = await openLink(input.options, context, display);
      const output = outputFor(input.options, context, display);
      await runTranscription({ source, link, output, display, pace }, context);
    } finally {
      await source.close();
    }
  } finally {
    display.close();
  }
  if (context.signal.aborted) throw context.signal.reason ?? new CliError('interrupted', 'Interrupted.');
  return 0;
}
