/** Turns that end because the model bears no more, in front of the stand-in of vLLM. */
import { ManualClock } from '@kikitori/core/manual-clock';
import { createMemoryPair } from '@kikitori/transport';
import { expect, it } from 'vitest';
import { VllmStandIn } from '../../../test/vllm/stand-in.js';
import { connect } from '../src/index.js';
import { TurnLimit } from '../src/turn-limit.js';
import { turns } from './turns.js';

const MAX_MODEL_LEN = 128;

/** Loud from its first sample to its last: there is no pause to end a turn in. */
function loud(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 16 }, (_, index) => (index % 2 === 0 ? 6_000 : -6_000));
}

it('loses no word where the caller ends just where a turn was cut', async () => {
  const clock = new ManualClock();
  const vllm = new VllmStandIn({
    maxModelLen: MAX_MODEL_LEN,
    clock,
    stepMs: 10,
    // A word every fourth step, named by the second of audio that it was said in.
    openSpeaker: () => {
      let startMs = 0;
      let isFirst = true;
      return {
        hear: (samples) => {
          if (isFirst) startMs = samples[0] ?? 0;
          isFirst = false;
        },
        speak: ({ index, samples }) => {
          const atMs = (index + 1) * 80;
          return index % 4 === 3 && atMs * 16 <= samples ? ` ${startMs + atMs}` : '';
        },
      };
    },
  });
  const { near, far } = createMemoryPair();
  void vllm.serve(far);
  const session = await connect({
    connect: async () => near,
    maxModelLen: MAX_MODEL_LEN,
    words: true,
    clock,
  });
  const lengthMs = new TurnLimit(MAX_MODEL_LEN).turnMsMax ?? 0;
  const audio = loud(lengthMs);
  // Where a turn begins is told to the speaker by its first sample.
  for (let ms = 0; ms < lengthMs; ms += 1) audio[ms * 16] = ms;
  const pass = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      await turns(3);
      clock.advance(10);
    }
  };
  // Deltas are known to be steps before the turn is full.
  await session.send(audio.subarray(0, 32_000));
  await pass(20);
  await session.send(audio.subarray(32_000));
  // The turn is full, and its end is under way before the caller asks for one.
  await turns(30);
  const finishing = session.finish();
  await pass(400);
  const { text, words } = await finishing;
  const said = words.map((word) => Number(word.text));
  expect(text).toBe(said.join(' '));
  expect(session.continuity).toMatchObject({ reconnects: 0, rollovers: 1 });
  // Every 320 ms to the end, each once.
  expect(said.at(-1)).toBeGreaterThan(lengthMs - 400);
  said.slice(1).forEach((ms, index) => {
    expect(ms - (said[index] ?? 0)).toBeGreaterThan(0);
    expect(ms - (said[index] ?? 0)).toBeLessThanOrEqual(640);
  });
});
