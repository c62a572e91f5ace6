/**
 * Does what is heard sound like a language that the model hears? A model of one language makes fluent sentences of
 * every other one, and its own numbers give it away: it is seldom sure of a word.
 *
 * The evidence of an utterance is a sum over its words: how unlikely the model finds each (its least likely token,
 * natural logarithm) beyond what it finds of words that it hears well. Words that are heard well take evidence away. Above
 * the threshold the utterance is `unsure`, and stays so to its end, for it may have been told.
 */

/** When an utterance is unsure. Belongs to a model: another one is sure of other things. */
export interface DoubtRule {
  /** A word of this log-probability says nothing either way; negative. */
  readonly wordLogProbability: number;
  /** Most that one word can say: a name that was misheard is no language. */
  readonly wordEvidenceMax: number;
  /** Evidence above which the utterance is unsure. */
  readonly evidenceMin: number;
}

/** Of 29 November 2026, on the clips of speech/dev: `node bench/languages.js` has the curve around it. */
const MEASURED: DoubtRule = { wordLogProbability: -0.35, wordEvidenceMax: 2, evidenceMin: 1.5 };

/**
 * By the name of the model in the catalogue; other models have none and are never unsure, since how sure they are was not
 * measured. docs/benchmarks.md has the figures.
 */
export const DOUBT_RULES: Readonly<Record<string, DoubtRule>> = { base: MEASURED, tiny: MEASURED };

/** The doubt about one utterance after the other. */
export class Doubt {
  readonly #rule: DoubtRule | undefined;
  #evidence = 0;
  #isUnsure = false;

  /** Without a rule nothing is ever unsure. */
  constructor(rule: DoubtRule | undefined) {
    this.#rule = rule;
  }

  /** What an utterance carries, in the form of a hypothesis. */
  get mark(): { readonly unsure?: true } {
    return this.#isUnsure ? { unsure: true } : {};
  }

  /** Words of the running utterance that became stable. */
  add(words: readonly { readonly logProbability: number }[]): void {
    const rule = this.#rule;
    if (rule === undefined) return;
    for (const { logProbability } of words) {
      this.#evidence += Math.min(rule.wordEvidenceMax, rule.wordLogProbability - logProbability);
      this.#isUnsure ||= this.#evidence > rule.evidenceMin;
    }
  }

  /** The utterance is over: the next one begins without any evidence. */
  end(): void {
    this.#evidence = 0;
    this.#isUnsure = false;
  }
}
