import { describe, expect, it } from 'vitest';
import { traitsOf } from '../../../src/families/moonshine/traits.js';

describe('what is known of a model', () => {
  it('lets no single word make it unsure of an utterance', () => {
    for (const name of ['tiny', 'base']) {
      const { doubt } = traitsOf(name);
      expect(doubt?.wordEvidenceMax).toBeLessThanOrEqual(doubt?.evidenceMin ?? 0);
    }
  });

  it('is the most that any needs where nobody has measured it, and never that it is unsure', () => {
    expect(traitsOf('hf:somebody/else')).toEqual({ needs: traitsOf('base').needs });
  });
});
