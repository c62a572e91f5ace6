import type { EndpointRule } from '@kikitori/engine';

/**
 * When a relayed utterance is ended for a model that ends none by itself. Other than those of an engine
 * (`ENDPOINT_RULES`): these models bear minutes, and what is heard is loudness alone, so only a real pause may cut
 * early.
 *
 * - `pause`: as there.
 * - `long`, `breath`: the longer it gets the shorter a pause may be; a line of text of half a minute is long enough.
 * - `limit`: wherever it is, speech or not. vLLM's engine dies for everybody when one utterance reaches
 *   `--max-model-len`; with 2,048 tokens, the smallest in use, that is after 160 s.
 */
export const RELAY_ENDPOINT_RULES: readonly EndpointRule[] = [
  { name: 'pause', trailingSilenceMs: 600 },
  { name: 'long', trailingSilenceMs: 300, utteranceMsMin: 25_000 },
  { name: 'breath', trailingSilenceMs: 100, utteranceMsMin: 50_000 },
  { name: 'limit', trailingSilenceMs: 0, utteranceMsMin: 120_000, mustHaveSpeech: false },
];
