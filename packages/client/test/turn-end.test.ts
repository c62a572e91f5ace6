import type { KikitoriProgress, TranscriptionDone } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { AudioRing, BYTES_PER_MS } from '../src/replay/audio-ring.js';
import { Ledger } from '../src/replay/ledger.js';
import { TurnEnd } from '../src/turn-end.js';
import { stepsOf, TurnLimit } from '../src/turn-limit.js';
import { Turns } from '../src/turns.js';

const PROMPT_TOKENS = 39;
const LIMIT_TOKENS = 128;
const PROGRESS: KikitoriProgress = { type: 'kikitori.progress', received_ms: 80, settled_ms: 0 };

/** So much silence was sent in a turn that is still open. */
function turnOf(ms: number, limit = new TurnLimit(LIMIT_TOKENS)) {
  const ring = new AudioRing(60_000 * BYTES_PER_MS);
  ring.push(new Uint8Array(ms * BYTES_PER_MS));
  const turns = new Turns(ring, [], 0, 0);
  for (let step = turns.next(); step !== undefined; step = turns.next()) turns.take(step);
  const ledger = new Ledger({ words: true, partials: false });
  ledger.begin(0, 0);
  return { turns, ledger, turnEnd: new TurnEnd({ turns, ring, ledger, limit }) };
}

function doneOf(steps: number): TranscriptionDone {
  const usage = {
    prompt_tokens: PROMPT_TOKENS,
    total_tokens: PROMPT_TOKENS + steps,
    completion_tokens: steps,
    prompt_tokens_details: null,
  };
  return { type: 'transcription.done', text: '', usage };
}

describe('a turn of a model that bears only so much', () => {
  it('ends in front of that, in a pause that is near', () => {
    const { turns, turnEnd } = turnOf(4_100);
    expect(turnEnd.bytesMax).toBeLessThan(4_500 * BYTES_PER_MS);
    turnEnd.look();
    expect(turns.hasEnd).toBe(true);
  });

  it('goes on where the server finds utterances itself', () => {
    const { turns, ledger, turnEnd } = turnOf(4_100);
    ledger.take(PROGRESS, { takenMs: 4_100, sentMs: 4_100 });
    turnEnd.look();
    expect(turns.hasEnd).toBe(false);
    expect(turnEnd.bytesMax).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the answer to a turn', () => {
  const SENT = { takenMs: 1_600, sentMs: 1_600 };
  const STEPS = stepsOf(1_600 * 16);

  /** Each step says a word, so that none shows by being empty that deltas are steps. */
  function answered(steps: number, { tokens = steps, limit = LIMIT_TOKENS, isAsked = true } = {}) {
    const { ledger, turns, turnEnd } = turnOf(1_600, new TurnLimit(limit));
    for (let step = 1; step <= steps; step += 1) {
      ledger.take({ type: 'transcription.delta', delta: ' w' }, SENT);
    }
    if (isAsked) turns.take({ type: 'final' });
    const isCutShort = turnEnd.isCutShort(doneOf(tokens));
    const [next] = ledger.take({ type: 'transcription.delta', delta: ' w' }, SENT);
    return { isCutShort, timing: ledger.timing, isPlaced: next?.type === 'delta' && 'audioMs' in next };
  }

  it('shows by its counts that deltas are steps, also where none was empty', () => {
    expect(answered(STEPS)).toEqual({ isCutShort: false, timing: 'counted', isPlaced: true });
  });

  it('leaves it open where a delta was no token', () => {
    expect(answered(STEPS, { tokens: 2 * STEPS })).toEqual({
      isCutShort: false,
      timing: undefined,
      isPlaced: true,
    });
  });

  it('shows that deltas are no steps where their number is not that of the audio', () => {
    expect(answered(4)).toEqual({ isCutShort: false, timing: undefined, isPlaced: false });
  });

  it('shows by its counts that the model bears no more, also where no delta was empty', () => {
    for (const isAsked of [true, false]) {
      const turn = answered(8, { limit: PROMPT_TOKENS + 8, isAsked });
      expect(turn).toEqual({ isCutShort: true, timing: 'counted', isPlaced: true });
    }
  });
});
