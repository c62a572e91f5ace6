import { ManualClock } from '@kikitori/core/manual-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HealthGate } from '../../src/stand-in/health-gate.js';
import { STAND_IN_LIMITS } from '../../src/stand-in/index.js';
import { FrameContainer } from './frame-container.js';
import { Inbox } from './inbox.js';

let container: FrameContainer;
let clock: ManualClock;
let decided: Inbox<string>;
let gate: HealthGate;
beforeEach(async () => {
  container = await FrameContainer.start();
  clock = new ManualClock();
  decided = new Inbox();
});
afterEach(async () => {
  gate.stop();
  await container.stop();
  expect(clock.pending).toBe(0);
});

function start(containerUrl = container.url): void {
  gate = new HealthGate({
    containerUrl,
    limits: STAND_IN_LIMITS,
    clock,
    onDecided: (status) => decided.push(status),
  });
  gate.start();
}

/** Waits until the gate rests between two questions: then one timer runs, for the next one. */
async function rested(): Promise<void> {
  for (;;) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (clock.pending === 1 && container.connectionCount === 0) return;
  }
}

describe('the health gate', () => {
  it('asks GET /ping at once, and is in service at the first 200', async () => {
    start();
    expect(gate.status).toBe('Creating');
    expect(await decided.next()).toBe('InService');
    const { method, url } = await container.pings.next();
    expect([method, url, gate.status]).toStrictEqual(['GET', '/ping', 'InService']);
  });

  it('asks every two seconds while the container says something else', async () => {
    container.pingStatus = 503;
    start();
    await container.pings.next();
    await rested();
    clock.advance(1_999);
    expect(container.pings.size).toBe(0);
    clock.advance(1);
    await container.pings.next();
    await rested();
    container.pingStatus = 204;
    clock.advance(2_000);
    await container.pings.next();
    await rested();
    expect(gate.status).toBe('Creating');
    container.pingStatus = 200;
    clock.advance(2_000);
    expect(await decided.next()).toBe('InService');
  });

  it('does not wait longer than two seconds for an answer', async () => {
    container.pingStatus = undefined;
    start();
    await container.pings.next();
    clock.advance(2_000);
    await rested();
    container.pingStatus = 200;
    clock.advance(2_000);
    expect(await decided.next()).toBe('InService');
  });

  it('fails after eight minutes, for good', async () => {
    container.pingStatus = 503;
    start();
    await container.pings.next();
    await rested();
    clock.advance(477_999);
    expect(gate.status).toBe('Creating');
    clock.advance(2_001);
    expect(await decided.next()).toBe('Failed');
    expect(gate.status).toBe('Failed');
    expect(decided.size).toBe(0);
  });

  it('takes nobody there for a no', async () => {
    const { url } = container;
    await container.stop();
    container = await FrameContainer.start();
    start(url);
    await rested();
    clock.advance(480_000);
    expect(await decided.next()).toBe('Failed');
  });

  it('leaves nothing behind when it is stopped in the middle of a question', async () => {
    container.pingStatus = undefined;
    start();
    await container.pings.next();
    gate.stop();
    expect(clock.pending).toBe(0);
    expect(gate.status).toBe('Creating');
  });
});
