import { type Connect, FaultInjector } from '@kikitori/transport';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClientError, connect, type SessionEvent, transcribe } from '../src/index.js';
import { fakeServer, frames } from './fake-server.js';

afterEach(() => {
  vi.useRealTimers();
});

const SCENARIO_OPERATIONS_MAX = 200;

/** Everything a caller can see of one run. */
interface Outcome {
  readonly text: string | undefined;
  readonly errors: unknown[];
  readonly events: SessionEvent[];
}

/** Two utterances, read while they are sent. */
async function scenario(open: Connect): Promise<Outcome> {
  const events: SessionEvent[] = [];
  const errors: unknown[] = [];
  let text: string | undefined;
  try {
    const session = await connect({ connect: open, words: true, reconnect: false });
    const reading = (async () => {
      for await (const event of session) events.push(event);
    })().catch((error: unknown) => void errors.push(error));
    try {
      await session.send(frames(0, 2));
      await session.endUtterance();
      await session.send(frames(2, 2));
      text = (await session.finish()).text;
    } catch (error) {
      errors.push(error);
    }
    await session.close();
    await reading;
  } catch (error) {
    errors.push(error);
  }
  return { text, errors, events };
}

describe('whatever operation of the connection fails', () => {
  for (const failure of ['error', 'hang'] as const) {
    it(`a session has one outcome and leaves nothing open (${failure})`, async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      let failAt = 1;
      for (let isUntouched = false; !isUntouched; failAt += 1) {
        expect(failAt).toBeLessThan(SCENARIO_OPERATIONS_MAX);
        const server = fakeServer();
        const injector = new FaultInjector({ failAt, failure });
        let outcome: Outcome | undefined;
        const running = scenario(injector.connect(server.connect)).then((result) => {
          outcome = result;
        });
        // What hangs is ended by a deadline: time passes until everything is over.
        for (let turn = 0; outcome === undefined && turn < 200; turn += 1) {
          await vi.advanceTimersByTimeAsync(turn < 100 ? 0 : 10_000);
        }
        await running;
        isUntouched = !injector.hasFailed;
        judge(outcome, failAt, isUntouched);
        expect(vi.getTimerCount(), `timers after operation ${failAt} failed`).toBe(0);
        for (const visit of server.visits) await visit.ended;
      }
      // The scenario is long enough to mean something.
      expect(failAt).toBeGreaterThan(15);
    });
  }

  it('a transcription rejects once for all who wait', async () => {
    let failAt = 1;
    for (let isUntouched = false; !isUntouched; failAt += 1) {
      expect(failAt).toBeLessThan(SCENARIO_OPERATIONS_MAX);
      const server = fakeServer();
      const injector = new FaultInjector({ failAt });
      const transcription = transcribe([frames(0, 1), frames(1, 1)], {
        connect: injector.connect(server.connect),
        reconnect: false,
      });
      const loop = (async () => {
        for await (const _ of transcription);
      })();
      const [text, reading] = await Promise.allSettled([transcription.text, loop]);
      isUntouched = !injector.hasFailed;
      if (text.status === 'fulfilled') {
        expect(text.value).toBe('0 1');
        expect(reading.status).toBe('fulfilled');
      } else {
        expect(text.reason).toBeInstanceOf(ClientError);
        expect(reading).toEqual({ status: 'rejected', reason: text.reason });
      }
      for (const visit of server.visits) await visit.ended;
    }
  });
});

function judge(outcome: Outcome | undefined, failAt: number, isUntouched: boolean): void {
  expect(outcome, `operation ${failAt}`).toBeDefined();
  const { text, errors, events } = outcome ?? { text: undefined, errors: [], events: [] };
  if (isUntouched) {
    expect({ text, errors }).toEqual({ text: '0 1 2 3', errors: [] });
    return;
  }
  for (const error of errors) expect(error).toBeInstanceOf(ClientError);
  // The one failure, seen by the loop and by the call; or the failure came when everything was already there.
  expect(new Set(errors).size, `operation ${failAt}`).toBe(text === undefined ? 1 : 0);
  const told = events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('');
  expect(' 0 1 2 3'.startsWith(told), `operation ${failAt} told ${told}`).toBe(true);
}
