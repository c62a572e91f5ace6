import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { PingWatch } from '../../src/stand-in/ping-watch.js';

function start(): { clock: ManualClock; watch: PingWatch; said: string[]; pause: (is: boolean) => void } {
  const clock = new ManualClock();
  const said: string[] = [];
  let isPaused = false;
  const watch = new PingWatch({
    clock,
    intervalMs: 60_000,
    missedMax: 5,
    ping: () => said.push('ping'),
    isPaused: () => isPaused,
    onDead: () => said.push('dead'),
  });
  watch.start();
  const pause = (is: boolean): void => {
    isPaused = is;
    if (is) watch.notePause();
  };
  return { clock, watch, said, pause };
}

describe('a ping watch', () => {
  it('pings once a minute and gives up when five pings in a row found no answer', () => {
    const { clock, said } = start();
    clock.advance(59_999);
    expect(said).toStrictEqual([]);
    clock.advance(5 * 60_000);
    expect(said).toStrictEqual(['ping', 'ping', 'ping', 'ping', 'ping']);
    clock.advance(1);
    expect(said.at(-1)).toBe('dead');
    expect(clock.pending).toBe(0);
  });

  it('starts to count again at every pong', () => {
    const { clock, watch, said } = start();
    clock.advance(5 * 60_000);
    watch.notePong();
    clock.advance(5 * 60_000);
    expect(said).not.toContain('dead');
    clock.advance(60_000);
    expect(said).toContain('dead');
  });

  it('does not hold silence against a container that is not read from', () => {
    const { clock, said, pause } = start();
    clock.advance(4 * 60_000);
    pause(true);
    clock.advance(20 * 60_000);
    expect(said).not.toContain('dead');
    pause(false);
    // The ping before the pause's end was still asked under it.
    clock.advance(2 * 60_000);
    expect(said).not.toContain('dead');
    clock.advance(60_000);
    expect(said).toContain('dead');
  });

  it('leaves no timer behind when it is stopped', () => {
    const { clock, watch } = start();
    clock.advance(90_000);
    watch.stop();
    expect(clock.pending).toBe(0);
  });
});
