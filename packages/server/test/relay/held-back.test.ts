/** How far a relay says that audio is settled: whoever sends again from there must not begin in the middle of a word. */
import { encodeBase64, int16ToPcm16 } from '@kikitori/audio';
import { ManualClock } from '@kikitori/core/manual-clock';
import { encodeClientEvent, encodeServerEvent, parseServerEvent } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { RELAY_ENDPOINT_RULES } from '../../src/relay/relay-rules.js';
import { UtteranceCutter } from '../../src/relay/utterance-cutter.js';

const STEP_MS = 80;

/** A client that asked for words, and a model that says one delta for each 80 ms, mostly an empty one. */
class Session {
  #settledMs = -1;
  readonly #cutter = new UtteranceCutter({
    rules: RELAY_ENDPOINT_RULES,
    clock: new ManualClock(),
    progressIntervalMs: 0,
    tell: (message) => {
      const event = parseServerEvent(String(message));
      if (event.type === 'kikitori.progress') this.#settledMs = event.settled_ms;
    },
  });

  constructor() {
    this.#send({ type: 'session.update', model: '', kikitori: { words: true, replay: true } });
    this.#send({ type: 'input_audio_buffer.commit', final: false });
  }

  /** Hears that long, and answers what is settled then. */
  hear(level: 'speech' | 'silence', durationMs: number, delta = ''): number {
    for (let ms = 0; ms < durationMs; ms += STEP_MS) {
      const samples = Int16Array.from(
        { length: 16 * STEP_MS },
        (_, at) => (level === 'speech' ? 8_000 : 20) * (at % 2 === 0 ? 1 : -1),
      );
      this.#send({ type: 'input_audio_buffer.append', audio: encodeBase64(int16ToPcm16(samples)) });
      const isLast = ms + STEP_MS >= durationMs;
      this.#cutter.fromServer(encodeServerEvent({ type: 'transcription.delta', delta: isLast ? delta : '' }));
    }
    return this.#settledMs;
  }

  #send(event: Parameters<typeof encodeClientEvent>[0]): void {
    for (const _sent of this.#cutter.fromClient(encodeClientEvent(event)));
  }
}

describe('what a relay says is settled', () => {
  it('is nothing in the first second, in which speech is not told from silence yet', () => {
    const session = new Session();
    expect(session.hear('silence', 960)).toBe(0);
    expect(session.hear('silence', 80)).toBeGreaterThan(900);
  });

  it('stays where somebody began to speak until a word of it has come', () => {
    const session = new Session();
    expect(session.hear('silence', 2_400)).toBeGreaterThan(2_200);
    const heldMs = session.hear('speech', 800);
    expect(heldMs).toBeGreaterThan(2_200);
    expect(heldMs).toBeLessThanOrEqual(2_400);
    expect(session.hear('speech', 800)).toBe(heldMs);
    session.hear('speech', 80, ' word');
    expect(session.hear('speech', 640, ' next')).toBeGreaterThan(heldMs + 800);
  });

  it('is never held back for longer than a word can be', () => {
    const session = new Session();
    session.hear('silence', 2_400);
    const settledMs = session.hear('speech', 8_000);
    expect(settledMs).toBeGreaterThan(10_400 - 2_000 - 3 * STEP_MS);
    expect(settledMs).toBeLessThanOrEqual(10_400 - 2_000);
  });
});
