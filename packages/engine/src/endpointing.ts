/**
 * When an utterance is over: rules as data and one pure function. The model is sherpa-onnx's `endpoint.h` (rules
 * of trailing silence, utterance length and "must have speech", any of which may fire); ours are ordered and named.
 */

/** One way for an utterance to end. It fires when every condition holds. */
export interface EndpointRule {
  /** Told in `utterance.rule`; unique among the rules. */
  readonly name: string;
  /** Silence behind the last speech, at least; 0 fires in the middle of speech. Milliseconds. */
  readonly trailingSilenceMs: number;
  /** Only utterances at least this long. Milliseconds; default 0. */
  readonly utteranceMsMin?: number;
  /** Only utterances shorter than this. Milliseconds; default no bound. */
  readonly utteranceMsMax?: number;
  /** Only when there was speech. Default true. */
  readonly mustHaveSpeech?: boolean;
}

/** Where a running utterance stands. Milliseconds of audio, 0 or more. */
export interface UtteranceState {
  /** Speech in it, summed. */
  readonly speechMs: number;
  /** Since its last speech; since its start when there was none. */
  readonly trailingSilenceMs: number;
  /** Since its start, trailing silence included. */
  readonly utteranceMs: number;
}

/**
 * The rules an engine starts with, first match first.
 *
 * - `pause`: 600 ms is longer than the pauses inside a sentence mostly are (stops and breaths take 100–400 ms) and
 *   short enough to answer a speaker who has finished.
 * - `long`: from 25 s on a breath is enough. A recogniser's cost and its errors grow with the window, and a speaker
 *   who did not pause for 25 s does not pause for 600 ms soon.
 * - `limit`: at 30 s the utterance is cut wherever it is, so that work and memory are bounded whatever the speaker
 *   does. It comes last: where there is a breath too, its name tells that no word was cut.
 */
export const ENDPOINT_RULES: readonly EndpointRule[] = [
  { name: 'pause', trailingSilenceMs: 600 },
  { name: 'long', trailingSilenceMs: 250, utteranceMsMin: 25_000 },
  { name: 'limit', trailingSilenceMs: 0, utteranceMsMin: 30_000 },
];

/** The first rule that ends this utterance, or undefined: it goes on. Pure. */
export function findEndpoint(
  rules: readonly EndpointRule[],
  { speechMs, trailingSilenceMs, utteranceMs }: UtteranceState,
): EndpointRule | undefined {
  return rules.find(
    (rule) =>
      trailingSilenceMs >= rule.trailingSilenceMs &&
      utteranceMs >= (rule.utteranceMsMin ?? 0) &&
      utteranceMs < (rule.utteranceMsMax ?? Number.POSITIVE_INFINITY) &&
      (speechMs > 0 || rule.mustHaveSpeech === false),
  );
}

/**
 * Refuses rules that cannot do their work.
 *
 * @throws RangeError when a bound is negative or empty, a name is missing or doubled, or when no rule ends an
 *   utterance that never pauses: its length would be unbounded
 */
export function checkEndpointRules(rules: readonly EndpointRule[]): void {
  const names = new Set<string>();
  for (const { name, trailingSilenceMs, utteranceMsMin = 0, utteranceMsMax } of rules) {
    if (name === '' || names.has(name)) throw new RangeError('An endpoint rule has no name of its own.');
    names.add(name);
    const isBounded = utteranceMsMax === undefined || utteranceMsMax > utteranceMsMin;
    if (!(trailingSilenceMs >= 0 && utteranceMsMin >= 0 && isBounded)) {
      throw new RangeError('A bound of an endpoint rule is negative, or its range is empty.');
    }
  }
  const hasLimit = rules.some((rule) => rule.trailingSilenceMs === 0 && rule.utteranceMsMax === undefined);
  if (!hasLimit) throw new RangeError('No endpoint rule ends an utterance that never pauses.');
}
