/**
 * A model server behind the engine, as far as the server in front of it has to know: read whenever somebody asks, so that
 * what is told is what is.
 */
export interface Upstream {
  /** What people are told it is, such as `the SageMaker endpoint demo`; public. */
  readonly label: string;
  /** Why nobody can be answered now, in a sentence for whoever knocks; undefined: everybody can. Public. */
  readonly missing: string | undefined;
  /** Tokens that one utterance may take there; undefined: not known. */
  readonly maxModelLen: number | undefined;
  /** Ways to it that failed or were lost so far, by a code that is safe for a label. */
  readonly losses: ReadonlyMap<string, number>;
}
