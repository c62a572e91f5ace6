import { describe, expect, it } from 'vitest';
import { expectTroubles } from './cases.js';
import { firstFlaw } from './first-flaw.js';

describe('whatever breaks between the microphone and our server in front of one that tells no positions', () => {
  it('the transcript is the one that nothing disturbed', { timeout: 300_000 }, async () => {
    const tally = await firstFlaw(100, { kind: 'relayed' });
    expect(tally.flaw).toBeUndefined();
    expectTroubles('relayed', tally);
  });

  it('nothing is lost or doubled where one connection takes over from another', {
    timeout: 300_000,
  }, async () => {
    const { count, flaw, reconnects, handovers } = await firstFlaw(50, {
      kind: 'relayed',
      handoversOnly: true,
    });
    expect(flaw).toBeUndefined();
    expect(reconnects).toBe(0);
    expect(handovers).toBeGreaterThan(count / 2);
  });

  it('nothing of it is heard in front when the server behind goes away, or its model can bear no more', {
    timeout: 300_000,
  }, async () => {
    const tally = await firstFlaw(100, { kind: 'relayed', breaksBehind: true, hasLimit: true });
    expect(tally.flaw).toBeUndefined();
    expect(tally.reconnects).toBe(0);
    expect(tally.lossesBehind).toBeGreaterThan(tally.count);
  });
});
