import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, text } from '../options.js';
import {
  apiKeyOption,
  delayOption,
  endpointOption,
  endpointUrlOption,
  languageOption,
  maxModelLenOption,
  modelOption,
  regionOption,
  urlOption,
  waitOption,
} from '../options-shared.js';
import { openLink } from '../session/open-link.js';
import { runTranscription } from '../session/transcription.js';
import { createDisplay } from '../terminal/display.js';
import { oneLine } from '../terminal/screened.js';
import { FORMATS, outputFor } from '../transcript/formats.js';

const options = {
  device: text({
    flags: '--device <device>',
    description: "number or part of the name of the microphone (default: the system's)",
    fallback: undefined,
  }),
  listDevices: flag({ flags: '--list-devices', description: 'print the microphones and end' }),
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
  format: choice({
    flags: '--format <format>',
    description: 'what to print',
    choices: FORMATS,
    fallback: 'text',
  }),
  json: flag({ flags: '--json', description: 'print one JSON event a line, as it happens' }),
};

/** `kikitori listen`: the microphone in, text out, until Ctrl-C. */
export const listen = defineCommand({
  summary: 'turn what the microphone hears into text; the embedded models hear English',
  operands: [],
  options,
  isForOutput: true,
  examples: [
    'kikitori listen',
    'kikitori listen --list-devices',
    'kikitori listen --device usb --url ws://127.0.0.1:8000/v1/realtime | tee notes.txt',
  ],
  run: (input, context) =>
    input.options.listDevices ? listDevices(context) : listenUntilInterrupted(input, context),
});

async function listDevices(context: Context): Promise<number> {
  const devices = await context.factories.listMicrophones();
  if (devices.length === 0) {
    throw new CliError('service_failed', 'No microphone was found; plug one in and try again.');
  }
  for (const { number, name } of devices) context.stdout.write(`${number}  ${oneLine(name)}\n`);
  return 0;
}

async function listenUntilInterrupted(
  input: CommandInput<typeof options>,
  context: Context,
): Promise<number> {
  await assertMicrophone(input.options.device, context);
  const display = createDisplay(context);
  try {
    // The model first: what is said while it loads would be lost in between.
    const link = await openLink(input.options, context, display);
    try {
      const { device } = input.options;
      const microphone = await context.factories.openMicrophone({ device, signal: context.signal });
      display.note('Listening; Ctrl-C ends.');
      const source = { samples: microphone.samples, durationMs: undefined, close: () => microphone.close() };
      const output = outputFor(input.options, context, display);
      await runTranscription({ source, link, output, display, pace: 'max' }, context);
    } finally {
      await link.close();
    }
  } finally {
    display.close();
  }
  throw context.signal.reason ?? new CliError('service_failed', 'The microphone ended.');
}

/** Nobody should wait for a model to be fetched to hear that there is no microphone. */
async function assertMicrophone(device: string | undefined, context: Context): Promise<void> {
  const { signal, factories } = context;
  if ((await factories.listMicrophones()).length > 0) return;
  // Programs of the system may still record; whether one does is known when it was tried.
  const microphone = await factories.openMicrophone({ device, signal });
  microphone.close();
}
