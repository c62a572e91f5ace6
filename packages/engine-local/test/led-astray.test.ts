/** The real `tiny` on real speech, its first words misheard: forced to begin with those it passes over the next ones. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeFile } from '@kikitori/audio/file';
import type { DecodeRequest, Hypothesis } from '@kikitori/engine';
import { DEFAULT_POLICY, Recogniser } from '@kikitori/engine/recognition';
import { describe, expect, it } from 'vitest';
import { llamaPieces } from '../src/families/moonshine/llama-tokens.js';
import { MoonshineModel } from '../src/families/moonshine/model.js';
import { vocabularyOf } from '../src/families/moonshine/words.js';
import { resolveModel } from '../src/index.js';
import { createSileroState, SileroVad } from '../src/vad/silero.js';

const FRAME_SAMPLES = 512;
const kitchenPath = join(dirname(fileURLToPath(import.meta.url)), '../../../samples/kitchen.flac');

const found = await Promise.all([resolveModel('tiny'), resolveModel('silero')]).catch(() => undefined);
const [tiny, silero] = found ?? [];
const files =
  tiny === undefined || silero === undefined ? undefined : { tiny: tiny.files, silero: silero.files };
if (files === undefined)
  process.stderr.write('no model is led astray: `kikitori models pull tiny` brings it\n');

describe.skipIf(files === undefined)('a model whose first words were misheard', () => {
  it('says what it would have passed over', { timeout: 120_000 }, async () => {
    if (files === undefined) return;
    const [model, vad] = await Promise.all([
      MoonshineModel.load(files.tiny),
      SileroVad.load(files.silero['v5'] ?? ''),
    ]);
    const chunks: Float32Array[] = [];
    for await (const chunk of await decodeFile(kitchenPath)) chunks.push(chunk);
    const samples = Float32Array.from(chunks.flatMap((chunk) => [...chunk]));
    const voice = await vad.probabilities(samples, createSileroState());
    const pieces = llamaPieces();
    const recogniser = new Recogniser({
      policy: DEFAULT_POLICY,
      vocabulary: vocabularyOf(pieces),
      mode: 'live',
      partials: false,
      onsets: false,
      endpoint: () => undefined,
    });
    const frames = 60;
    recogniser.pushAudio(samples.slice(0, frames * FRAME_SAMPLES));
    recogniser.pushProbabilities(voice.subarray(0, frames));
    const asked = beginNext(recogniser);
    if (asked === undefined) throw new Error('there is something to decode');
    // "Heat two cups", misheard, and sure of it.
    const tokens = ['▁', '8', '▁to', '▁', '1', '0', '▁minutes'].map((piece) => pieces.indexOf(piece));
    recogniser.finish({
      tokens,
      logProbabilities: tokens.map(() => 0),
      entropies: [],
      endMs: [350, 400, 450, 500, 550, 600, 1200],
      ended: true,
    });
    recogniser.pushAudio(samples.slice(frames * FRAME_SAMPLES));
    recogniser.pushProbabilities(voice.subarray(frames));
    recogniser.flush(1);
    const said: Hypothesis[] = [];
    const forced: (readonly number[])[] = [];
    for (let next = beginNext(recogniser); next !== undefined; next = beginNext(recogniser)) {
      forced.push(next.prefix);
      recogniser.finish(await model.decode(next));
      said.push(...recogniser.drain());
    }
    await Promise.all([model.dispose(), vad.dispose()]);
    const text = said.flatMap((hypothesis) => (hypothesis.type === 'words' ? hypothesis.words : []));
    expect(forced[0]).toEqual(tokens.slice(0, 6));
    expect(text.map((word) => word.text).join(' ')).toMatch(
      /^8 to 10\b.*milk in a small pan,? but do not let it boil/,
    );
  });
});

function beginNext(recogniser: Recogniser): DecodeRequest | undefined {
  const plan = recogniser.plan();
  return plan === undefined ? undefined : recogniser.begin(plan);
}
