/** When a session that is lost again and again goes on, and when it gives up: in time that the test counts. */
import type { Clock } from '@kikitori/core';
import { encodeServerEvent, parseClientEvent, type ServerEvent } from '@kikitori/protocol';
import { attachMemory, type Connection, createMemoryHost } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { connect, type Session } from '../src/index.js';
import { frames } from './fake-server.js';

/** Short waits are over at the next turn and count; long ones are deadlines, and nothing here is late. */
class CountedClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  unixMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    if (ms > 5_000) return () => undefined;
    const turn = setImmediate(() => {
      this.#nowMs += ms;
      run();
    });
    return () => clearImmediate(turn);
  }
}

const GIVE_UP_AFTER_MS = 1_000;

/** A session with a server whose connections end as `onAudio` says; it is called once for each, at the first audio. */
async function session(
  clock: Clock,
  onAudio: (far: Connection, number: number, tell: (event: ServerEvent) => Promise<void>) => Promise<void>,
): Promise<Session> {
  const host = createMemoryHost();
  let count = 0;
  attachMemory(host, {
    admit: () => ({ accept: true }),
    onConnection: (far) => {
      const number = count;
      count += 1;
      // That it was destroyed is what the test did.
      serve(far, number).catch(() => undefined);
    },
  });
  const serve = async (far: Connection, number: number): Promise<void> => {
    const tell = (event: ServerEvent): Promise<void> => far.send(encodeServerEvent(event));
    await tell({ type: 'session.created', id: `sess-${number}`, created: 1 });
    let isHeard = false;
    for await (const message of far.messages) {
      const { type } = parseClientEvent(String(message));
      if (type !== 'input_audio_buffer.append' || isHeard) continue;
      isHeard = true;
      await onAudio(far, number, tell);
    }
  };
  return await connect({
    connect: host.connect,
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
    clock,
    random: () => 1,
  });
}

describe('a session that is lost again and again', () => {
  it('goes on for as long as each connection brings a word', async () => {
    const speaking = await session(new CountedClock(), async (far, number, tell) => {
      const text = Array.from({ length: number + 1 }, (_, word) => ` w${word}`).join('');
      await tell({ type: 'transcription.delta', delta: text });
      if (number < 8) far.destroy();
      else await tell({ type: 'transcription.done', text, usage: null });
    });
    await speaking.send(frames(0, 4));
    expect((await speaking.finish()).text).toBe('w0 w1 w2 w3 w4 w5 w6 w7 w8');
    expect(speaking.continuity.reconnects).toBe(8);
  });

  it('goes on for as long as each connection gets further, though there is no word in it', async () => {
    const speaking = await session(new CountedClock(), async (far, number, tell) => {
      await tell({ type: 'kikitori.progress', received_ms: 200, settled_ms: 20 * (number + 1), lag_ms: 0 });
      if (number < 8) far.destroy();
      else await tell({ type: 'transcription.done', text: '', usage: null });
    });
    await speaking.send(frames(0, 4));
    await speaking.finish();
    expect(speaking.continuity.reconnects).toBe(8);
  });

  it('goes on for as long as each connection holds for a while, though nothing is said', async () => {
    const clock = new CountedClock();
    const speaking = await session(clock, async (far, number, tell) => {
      clock.advance(30_000);
      if (number < 8) far.destroy();
      else await tell({ type: 'transcription.done', text: '', usage: null });
    });
    await speaking.send(frames(0, 4));
    await speaking.finish();
    expect(speaking.continuity.reconnects).toBe(8);
  });

  it('gives up when they neither hold nor bring a word', async () => {
    const speaking = await session(new CountedClock(), async (far) => far.destroy());
    await speaking.send(frames(0, 4));
    await expect(speaking.finish()).rejects.toMatchObject({ code: 'closed' });
    expect(speaking.continuity.reconnects).toBeLessThan(4);
  });
});
