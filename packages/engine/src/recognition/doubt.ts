/**
 * Does what is heard sound like a language that the model hears? A model of one language makes fluent sentences of
 * every other one, and its own numbers give it away: it is seldom decided which word it is.
 *
 * The evidence of an utterance is a sum over its words: how undecided the model was at each of its tokens (the entropy of
 * what it might have said instead), beyond what it is in speech that it hears. Words that are heard well take evidence away.
 * Above the threshold the utterance is `unsure`, and stays so to its end, for it may have been told.
 */

/** When an utterance is unsure. Belongs to a model: another one is sure of other things. */
export interface DoubtRule {
  /** A token of this entropy says nothing either way, in nats. */
  readonly tokenEntropy: number;
  /** Most that one word can say, at most `evidenceMin`: a name that was misheard is no language. */
  readonly wordEvidenceMax: number;
  /** Evidence above which the utterance is unsure. */
  readonly evidenceMin: number;
}

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
  add(words: readonly { readonly entropy: number; readonly tokens: readonly number[] }[]): void {
    const rule = this.#rule;
    if (rule === undefined) return;
    for (const { entropy, tokens } of words) {
      this.#evidence += Math.min(rule.wordEvidenceMax, entropy - rule.tokenEntropy * tokens.length);
      this.#isUnsure ||= this.#evidence > rule.evidenceMin;
    }
  }

  /** The utterance is over: the next one begins without any evidence. */
  end(): void {
    this.#evidence = 0;
    this.#isUnsure = false;
  }
}
