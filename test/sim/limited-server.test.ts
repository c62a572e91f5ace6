import { describe, expect, it } from 'vitest';
import { expectTroubles } from './cases.js';
import { firstFlaw } from './first-flaw.js';

describe('whatever breaks between the microphone and a model that bears only some seconds in one utterance', () => {
  it('the transcript is the one that nothing disturbed', { timeout: 300_000 }, async () => {
    const tally = await firstFlaw(400, { kind: 'silent', hasLimit: true });
    expect(tally.flaw).toBeUndefined();
    expectTroubles('silent', tally);
    expect(tally.rollovers).toBeGreaterThan(tally.count);
    expect(tally.limits).toBeGreaterThan(tally.count / 25);
  });

  it('nothing is lost or doubled where one turn takes over from another', { timeout: 300_000 }, async () => {
    const tally = await firstFlaw(50, { kind: 'silent', hasLimit: true, handoversOnly: true });
    expect(tally.flaw).toBeUndefined();
    expect(tally.rollovers).toBeGreaterThan(tally.count);
  });
});
