/** A whole clip through the model at once, without any streaming: what the streams are compared with. */
import { resolveModel } from '@kikitori/engine-local';
import { familyOf } from '../../packages/engine-local/dist/families/index.js';

/** Tokens a second that speech has at most, as in the model's own reference code. */
const TOKENS_PER_SECOND_MAX = 8;

/** Loads a model that was pulled before; `words` gives the text with the moment each word ended. */
export async function oneShot(name) {
  const { kind, files } = await resolveModel(name);
  const family = familyOf(kind);
  const [model, vocabulary] = await Promise.all([family.load(files), family.vocabulary(files)]);
  const words = async (samples) => {
    const tokensMax = Math.ceil((samples.length / 16_000) * TOKENS_PER_SECOND_MAX);
    const { tokens, ...heard } = await model.decode({ samples, prefix: [], draft: [], tokensMax });
    return vocabulary.words(tokens, heard);
  };
  return {
    words,
    text: async (samples) => (await words(samples)).map(({ text }) => text).join(' '),
    dispose: () => model.dispose(),
  };
}
