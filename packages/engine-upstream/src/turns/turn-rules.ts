import type { EndpointRule } from '@kikitori/engine';

/**
 * When an utterance is ended for a model that ends none by itself. Other than those of an engine (`ENDPOINT_RULES`): these
 * models bear minutes, and where nothing but loudness is heard only a real pause may cut early.
 *
 * - `pause`: as there.
 * - `long`, `breath`: the longer it gets the shorter a pause may be; a line of text of half a minute is long enough.
 * - `limit`: wherever it is, speech or not: the longest utterance decides how much memory of the model server (KV cache)
 *   one speaker holds, and with `--max-model-len 2048`, the smallest in use, it is over after 160 s.
 */
export const RELAY_ENDPOINT_RULES: readonly EndpointRule[] = [
  { name: 'pause', trailingSilenceMs: 600 },
  { name: 'long', trailingSilenceMs: 300, utteranceMsMin: 25_000 },
  { name: 'breath', trailingSilenceMs: 100, utteranceMsMin: 50_000 },
  { name: 'limit', trailingSilenceMs: 0, utteranceMsMin: 120_000, mustHaveSpeech: false },
];
