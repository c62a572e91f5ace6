import type { ModelTraits } from '../family.js';

const MIB = 1024 ** 2;

/**
 * By measurement (docs/benchmarks.md). When an utterance is unsure: of 30 November 2026, on the clips of speech/dev;
 * `bench/languages.js` makes the curve.
 */
const MEASURED: Readonly<Record<string, ModelTraits>> = {
  tiny: {
    needs: { streamsPerCore: 5, threadBytes: 250 * MIB },
    doubt: { tokenEntropy: 1.3, wordEvidenceMax: 2, evidenceMin: 5.25, earlyShare: 0.5 },
  },
  base: {
    needs: { streamsPerCore: 4, threadBytes: 450 * MIB },
    doubt: { tokenEntropy: 1, wordEvidenceMax: 2, evidenceMin: 2.25, earlyShare: 0.25 },
  },
};

/** What is known of a model that nobody has measured: it may be as large as base. */
const OTHERS: ModelTraits = { needs: { streamsPerCore: 4, threadBytes: 450 * MIB } };

/** Of the model with that name in the catalogue, or of any other. */
export function traitsOf(name: string): ModelTraits {
  return MEASURED[name] ?? OTHERS;
}
