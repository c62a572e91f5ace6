/** The model itself on pieces of speech: `tiny`, where it is in the user's store. */
import { join } from 'node:path';
import { decodeFile } from '@kikitori/audio/file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llamaPieces } from '../../../src/families/moonshine/llama-tokens.js';
import { MoonshineModel } from '../../../src/families/moonshine/model.js';
import { decodeTokens } from '../../../src/families/moonshine/token-text.js';
import { type ResolvedModel, resolveModel } from '../../../src/store/index.js';

const found = await resolveModel('tiny').catch((error: unknown) => {
  process.stderr.write(`tests of the model are skipped: ${error instanceof Error ? error.message : ''}\n`);
  return undefined;
});

describe.skipIf(found === undefined)('a piece of speech to which the model answers nothing', () => {
  let model: MoonshineModel;
  let ferry: Float32Array;
  beforeAll(async () => {
    // Skipped where it is undefined.
    const resolved = found as ResolvedModel;
    model = await MoonshineModel.load(resolved.files);
    const blocks: Float32Array[] = [];
    const path = join(import.meta.dirname, '../../../../../samples/ferry.flac');
    for await (const block of await decodeFile(path)) blocks.push(block);
    ferry = Float32Array.from(blocks.flatMap((block) => [...block]));
  });
  afterAll(() => model.dispose());

  const answer = async (samples: Float32Array, mustSpeak: boolean): Promise<string> => {
    const { tokens } = await model.decode({ samples, prefix: [], draft: [], tokensMax: 24, mustSpeak });
    return decodeTokens(llamaPieces(), tokens).trim();
  };
  const cut = (startS: number, lengthS: number): Float32Array =>
    ferry.slice(startS * 16_000, (startS + lengthS) * 16_000);

  it('is answered when something was certainly said', async () => {
    const samples = cut(5, 3.2);
    expect(await answer(samples, false)).toBe('');
    expect(await answer(samples, true)).toBe('Please have your tickets ready.');
  });

  it('stays without an answer when the likeliest one is not likely', async () => {
    // Taken all the same, they would be "1.", "Please." and "You".
    const pieces = [cut(5.6, 0.9), cut(5, 1.6), new Float32Array(16_000)];
    for (const samples of pieces) {
      expect(await answer(samples, false)).toBe('');
      expect(await answer(samples, true)).toBe('');
    }
  });
});
