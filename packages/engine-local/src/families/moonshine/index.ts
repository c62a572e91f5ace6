import type { ModelFamily } from '../family.js';
import { findLayout, LAYOUT_SENTENCE } from './layout.js';
import { readPieces } from './token-text.js';
import { traitsOf } from './traits.js';
import { vocabularyOf } from './words.js';

/**
 * Moonshine (Useful Sensors, arXiv:2410.15608), in its ONNX export with a merged decoder. An export without a
 * `tokenizer.json` speaks the Llama tokens of the published English models.
 */
export const moonshine: ModelFamily = {
  name: 'moonshine',
  label: 'Moonshine',
  roles: { needed: ['encoder', 'decoder'], optional: ['tokenizer', 'config'] },
  looksFor: LAYOUT_SENTENCE,
  find: findLayout,
  vocabulary: async ({ tokenizer }) => {
    if (tokenizer !== undefined) return vocabularyOf(await readPieces(tokenizer));
    // Its table unpacks itself for a tenth of a second: not before it is needed.
    const { llamaPieces } = await import('./llama-tokens.js');
    return vocabularyOf(llamaPieces());
  },
  traits: traitsOf,
  load: async (files) => {
    // The runtime is loaded by the threads that run it, and by nobody who only looks for a model.
    const { MoonshineModel } = await import('./model.js');
    return await MoonshineModel.load(files);
  },
};
