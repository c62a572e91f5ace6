import type { Clock } from '@kikitori/core';
import { describe, expect, it } from 'vitest';
import { CaptionPublisher, type SharingStatus } from '../../src/shared-captions/caption-publisher.js';

const SECRETS = { publisher_secret: 'p', reader_secret: 'r', next_number: null };

/** A server whose answers the test gives, in a time that passes at once. */
class World {
  readonly asked: { readonly path: string; readonly atMs: number }[] = [];
  readonly told: SharingStatus[] = [];
  /** What becomes of an update. */
  onUpdate: () => Response = () => new Response(null, { status: 404 });
  nowMs = 0;

  readonly publisher = new CaptionPublisher({
    url: 'http://captions.test',
    session: 's1',
    random: () => 1,
    onStatus: (status) => this.told.push(status),
    fetch: async (input) => {
      const path = new URL(String(input)).pathname.replace('/v1/captions/', '');
      this.asked.push({ path, atMs: this.nowMs });
      return path === 'shares' ? Response.json(SECRETS) : this.onUpdate();
    },
    clock: this.#clock(),
  });

  #clock(): Clock {
    return {
      nowMs: () => this.nowMs,
      unixMs: () => this.nowMs,
      after: (ms, run) => {
        const turn = setImmediate(() => {
          this.nowMs += ms;
          run();
        });
        return () => clearImmediate(turn);
      },
    };
  }

  async until(atMs: number): Promise<void> {
    this.publisher.start();
    while (this.nowMs < atMs) await new Promise((resolve) => setImmediate(resolve));
  }

  updates(): number[] {
    return this.asked.filter(({ path }) => path === 'updates').map(({ atMs }) => atMs);
  }
}

describe('a publisher whose server forgets the share each time', () => {
  it('opens it again at once, then less and less often, and says that nobody hears it', async () => {
    const world = new World();
    await world.until(60_000);
    await world.publisher.close();
    const updates = world.updates();
    const waits = updates.slice(1).map((atMs, index) => atMs - (updates[index] ?? 0));
    // Each time it is opened first, and the least time between two requests is kept.
    expect(waits.slice(0, 6)).toEqual([200, 1_100, 2_100, 4_100, 8_100, 8_100]);
    expect(world.asked.length).toBeLessThan(30);
    expect(new Set(world.told.slice(-10))).toEqual(new Set(['away']));
  });

  it('publishes as fast as ever once the server keeps it', async () => {
    const world = new World();
    await world.until(20_000);
    world.onUpdate = () => Response.json({ next_number: 0, readers: 1 });
    const known = world.updates().length;
    while (world.updates().length === known) await new Promise((resolve) => setImmediate(resolve));
    world.onUpdate = () => new Response(null, { status: 404 });
    await world.until(world.nowMs + 40_000);
    await world.publisher.close();
    const [good = 0, forgotten = 0, again = 0] = world.updates().slice(known);
    expect(world.told).toContain('sharing');
    expect([forgotten - good > 0, again - forgotten]).toEqual([true, 200]);
  });
});
