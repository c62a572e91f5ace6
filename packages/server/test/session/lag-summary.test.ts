import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LagSummary } from '../../src/session/lag-summary.js';

it('has no quantile before anything was added', () => {
  expect(new LagSummary().quantile(0.95)).toBeUndefined();
});

it('gives any quantile from above, to within a tenth', () => {
  const lags = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(lags, fc.double({ min: 0.01, max: 1, noNaN: true }), (added, share) => {
      const summary = new LagSummary();
      for (const lagMs of added) summary.add(lagMs);
      const exact = [...added].sort((a, b) => a - b)[Math.ceil(share * added.length) - 1] ?? 0;
      const found = summary.quantile(share) ?? Number.NaN;
      // Whole milliseconds: half of one is rounding.
      expect(found).toBeGreaterThanOrEqual(exact - 0.5);
      expect(found).toBeLessThanOrEqual(Math.max(1, exact) * 1.1 + 0.5);
    }),
  );
});
