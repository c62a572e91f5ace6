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
  /** What part of its evidence counts of a word that was said early: a live one, with little heard behind it. */
  readonly earlyShare: number;
}

/** A word with less audio behind it than this was said early. */
const EARLY_MS = 1_500;

/** What is looked at of a word that became stable. */
interface DecidedWord {
  /** Sum over its tokens, in nats. */
  readonly entropy: number;
  readonly tokens: readonly number[];
  readonly endMs: number;
}

/** What one word says, for or against. `edgeMs`: where the audio ended from which it was decided, when speech went on there. */
export function evidenceOf(word: DecidedWord, rule: DoubtRule, edgeMs = Number.POSITIVE_INFINITY): number {
  const evidence = Math.min(rule.wordEvidenceMax, word.entropy - rule.tokenEntropy * word.tokens.length);
  return edgeMs - word.endMs < EARLY_MS ? rule.earlyShare * evidence : evidence;
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

  /** Words of the running utterance that became stable; `edgeMs` as of `evidenceOf`. */
  add(words: readonly DecidedWord[], edgeMs?: number): void {
    const rule = this.#rule;
    if (rule === undefined) return;
    for (const word of words) {
      this.#evidence += evidenceOf(word, rule, edgeMs);
      this.#isUnsure ||= this.#evidence > rule.evidenceMin;
    }
  }

  /** The utterance is over: the next one begins without any evidence. */
  end(): void {
    this.#evidence = 0;
    this.#isUnsure = false;
  }
}
