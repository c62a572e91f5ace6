/** A whole clip through the model at once, without any streaming: what the streams are compared with. */
import { resolveModel } from '@kikitori/engine-moonshine';
import { MoonshineModel } from '../../packages/engine-moonshine/dist/model/moonshine.js';
import { decodeTokens } from '../../packages/engine-moonshine/dist/model/token-text.js';
import { llamaVocabulary } from '../../packages/engine-moonshine/dist/model/tokens.js';
import { gatherWords } from '../../packages/engine-moonshine/dist/model/words.js';

/** Tokens a second that speech has at most, as in the model's own reference code. */
const TOKENS_PER_SECOND_MAX = 8;

/** Loads a model that was pulled before; `words` gives the text with the moment each word ended. */
export async function oneShot(name) {
  const model = await MoonshineModel.load((await resolveModel(name)).files);
  const vocabulary = llamaVocabulary();
  const decode = (samples) => {
    const tokensMax = Math.ceil((samples.length / 16_000) * TOKENS_PER_SECOND_MAX);
    return model.decode({ samples, prefix: [], draft: [], tokensMax });
  };
  return {
    async text(samples) {
      return decodeTokens(vocabulary, (await decode(samples)).tokens).trim();
    },
    async words(samples) {
      const { tokens, endMs, logProbabilities, entropies } = await decode(samples);
      return gatherWords(vocabulary, tokens, endMs, logProbabilities, entropies);
    },
    dispose: () => model.dispose(),
  };
}
