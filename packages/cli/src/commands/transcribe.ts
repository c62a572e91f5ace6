import { type ChannelWish, parseChannelWish } from '@kikitori/audio/channels';
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
  maxModelLenOption,
  modelOption,
  parsePace,
  regionOption,
  urlOption,
  waitOption,
} from '../options-shared.js';
import { openLinks } from '../session/open-link.js';
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
  wait: waitOption,
  maxModelLen: maxModelLenOption,
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
  channels: parsed<ChannelWish, ChannelWish>({
    flags: '--channels <which>',
    description:
      'auto tells two voices on two channels apart; mix hears all as one, each every channel apart, 1 or 2 that one alone',
    fallback: 'auto',
    fallbackText: 'auto',
    parse: channelWish,
  }),
};

function channelWish(text: string, label: string): ChannelWish {
  const wish = parseChannelWish(text);
  if (wish !== undefined) return wish;
  throw new CliError(
    'usage',
    `${label} must be auto, mix, each, or the number of a channel, such as 1 or 2.`,
  );
}

/** `kikitori transcribe FILE|-`: a file or a pipe in, text out while it is being sent. */
export const transcribe = defineCommand({
  summary: 'turn a file or piped audio into text while it is being sent; the embedded models hear English',
  operands: [{ name: 'file', description: 'any audio or video file, or - for stdin', required: true }],
  options,
  isForOutput: true,
  examples: [
    'kikitori transcribe talk.mp3',
    'kikitori transcribe talk.mp4 --format srt > talk.srt',
    'kikitori transcribe call.wav --channels each --format json',
    'kikitori transcribe talk.wav --url ws://127.0.0.1:8000/v1/realtime --pace realtime --json',
    'arecord -f S16_LE -r 16000 -t raw | kikitori transcribe - --raw-format s16le:16000:1',
  ],
  run: transcribeFile,
});

async function transcribeFile(input: CommandInput<typeof options>, context: Context): Promise<number> {
  const [file = ''] = input.operands;
  const { pace, rawFormat, channels } = input.options;
  const display = createDisplay(context);
  try {
    // The source first: a file that is not there should not wait for a model.
    const request = { file, rawFormat, channels };
    const source = await openFileSource(request, context, (sentence) => display.note(sentence));
    try {
      const { lanes } = source;
      const link = await openLinks(input.options, lanes?.labels.length ?? 1, context, display);
      const output = outputFor({ ...input.options, hasLanes: lanes !== undefined }, context, display);
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
