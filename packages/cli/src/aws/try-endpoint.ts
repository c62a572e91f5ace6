import { openFileSource } from '../audio/file-source.js';
import type { Context } from '../context.js';
import { SAMPLE_PATH } from '../measure/sample.js';
import { openLink } from '../session/open-link.js';
import { runTranscription } from '../session/transcription.js';
import type { Display } from '../terminal/display.js';
import { seconds } from '../terminal/figures.js';
import { outputFor } from '../transcript/formats.js';

/** Sends ten seconds of speech through an endpoint as they would be spoken; prints the words, and how soon the first came. */
export async function tryEndpoint(
  target: { readonly endpoint: string; readonly region: string },
  context: Context,
  display: Display,
): Promise<void> {
  display.note('… Sending ten seconds of speech through it');
  const source = await openFileSource({ file: SAMPLE_PATH, rawFormat: undefined }, context, (sentence) =>
    display.note(sentence),
  );
  try {
    const request = {
      ...target,
      url: undefined,
      endpointUrl: undefined,
      apiKey: undefined,
      model: undefined,
    };
    const link = await openLink(request, context, display);
    const output = outputFor({ format: 'text', json: false }, context, display);
    const { firstDeltaMs } = await runTranscription(
      { source, link, output, display, pace: 'realtime' },
      context,
    );
    display.note(
      firstDeltaMs === undefined
        ? 'No words came back; "kikitori logs" shows what the container said.'
        : `✓ First words after ${seconds(firstDeltaMs)}`,
    );
  } finally {
    await source.close();
  }
}
