/** What tests want of the stand-in beside what vLLM does: in memory, in a time of their own, with words and flaws told. */
import { ManualClock } from '@kikitori/core/manual-clock';
import { type Connection, createMemoryPair } from '@kikitori/transport';
import { expect, it } from 'vitest';
import { audio, COMMIT, FINAL, type WireEvent } from './raw-client.js';
import { type StandInOptions, VllmStandIn } from './stand-in.js';

interface Spoken {
  readonly vllm: VllmStandIn;
  readonly near: Connection;
  readonly next: () => Promise<WireEvent>;
  readonly send: (...events: readonly WireEvent[]) => void;
}

/** A session that may begin, over a pair in memory. */
async function converse(options: StandInOptions): Promise<Spoken> {
  const vllm = new VllmStandIn(options);
  const { near, far } = createMemoryPair();
  void vllm.serve(far);
  const messages = near.messages[Symbol.asyncIterator]();
  const next = async (): Promise<WireEvent> => {
    const { value, done } = await messages.next();
    if (done === true) throw new Error('It is closed.');
    return JSON.parse(String(value));
  };
  const send = (...events: readonly WireEvent[]): void => {
    for (const event of events) void near.send(JSON.stringify(event));
  };
  await next();
  send({ type: 'session.update', model: 'voxtral-toy' });
  return { vllm, near, next, send };
}

/** Everything up to what is no delta. */
async function answer({ next }: Spoken): Promise<{ readonly text: string; readonly end: WireEvent }> {
  let text = '';
  for (;;) {
    const event = await next();
    if (event['type'] !== 'transcription.delta') return { text, end: event };
    text += String(event['delta']);
  }
}

/** Lets happen what does not wait for time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('says the words of each step, told how much it heard and which one is the last', async () => {
  const heard: number[] = [];
  const lasts: number[] = [];
  const spoken = await converse({
    openSpeaker: () => ({
      hear: ({ length }) => heard.push(length),
      speak: ({ index, isLast, samples }) => {
        if (isLast) lasts.push(index, samples);
        return index === 3 ? ' word' : '';
      },
    }),
  });
  spoken.send(COMMIT, audio(1_000), audio(600), FINAL);
  const { text, end } = await answer(spoken);
  expect([text, end['text']]).toStrictEqual([' word', ' word']);
  expect(heard).toStrictEqual([1_000, 600]);
  expect(lasts).toStrictEqual([11, 1_600]);
});

it('takes the time of its clock for each step, and has no other', async () => {
  const clock = new ManualClock();
  const spoken = await converse({ clock, stepMs: 100 });
  spoken.send(COMMIT, audio(9_000 + 1_280));
  await settle();
  expect([clock.pending, spoken.vllm.running, spoken.vllm.waiting]).toStrictEqual([1, 1, 0]);
  clock.advance(100);
  expect((await spoken.next())['type']).toBe('transcription.delta');
  await settle();
  clock.advance(100);
  expect((await spoken.next())['type']).toBe('transcription.delta');
  await settle();
  expect([clock.pending, spoken.vllm.running, spoken.vllm.waiting]).toStrictEqual([0, 0, 1]);
});

it('hears nothing more from the last step on that there is room for', async () => {
  const clock = new ManualClock();
  const heard: number[] = [];
  const spoken = await converse({
    clock,
    stepMs: 100,
    maxModelLen: 40,
    openSpeaker: () => ({ hear: ({ length }) => heard.push(length), speak: () => '' }),
  });
  spoken.send(COMMIT, audio(9_000));
  await settle();
  spoken.send(audio(1_600));
  await settle();
  clock.advance(100);
  expect((await answer(spoken)).end['usage']).toMatchObject({ total_tokens: 40 });
  expect(heard).toStrictEqual([9_000]);
});

it('fails the running utterances alone, keeps what is queued behind an end, and goes on', async () => {
  const clock = new ManualClock();
  const spoken = await converse({ clock, stepMs: 100 });
  spoken.send(COMMIT, audio(9_000), FINAL, audio(1_600), FINAL);
  await settle();
  spoken.vllm.failUtterances();
  clock.advance(100);
  expect(await spoken.next()).toStrictEqual({ type: 'error', error: '', code: 'processing_error' });
  spoken.send(COMMIT);
  for (let step = 0; step < 12; step += 1) {
    await settle();
    clock.advance(100);
  }
  expect((await answer(spoken)).end['usage']).toMatchObject({ completion_tokens: 12 });
});

it('tells what a correct client never does, and not what one does that cannot know', async () => {
  const flaws: string[] = [];
  const limits: number[] = [];
  const spoken = await converse({
    maxModelLen: 64,
    onFlaw: (what) => flaws.push(what),
    onLimit: () => limits.push(flaws.length),
  });
  spoken.send({ type: 'nothing' }, audio(1_600), FINAL);
  expect((await spoken.next())['type']).toBe('error');
  spoken.send(COMMIT);
  await answer(spoken);
  spoken.send(COMMIT, COMMIT, audio(9_000), FINAL, FINAL, audio(1_600));
  await answer(spoken);
  expect(flaws.sort()).toStrictEqual([
    'a commit in a running utterance',
    'a final without an utterance',
    'a second final',
    'audio between final and done',
    'audio outside of an utterance',
    'something that is answered with unknown_event',
  ]);
  spoken.send(COMMIT, audio(9_000 + 30 * 1_280));
  await answer(spoken);
  spoken.send(audio(1_600), FINAL);
  await settle();
  expect(limits).toStrictEqual([6]);
  expect(flaws).toHaveLength(6);
});

it('ends with its clock some seconds after its engine, and lets nobody in then', async () => {
  const clock = new ManualClock();
  const spoken = await converse({ clock });
  spoken.send(COMMIT);
  await settle();
  spoken.vllm.killEngine();
  expect((await spoken.next())['code']).toBe('processing_error');
  expect([spoken.vllm.isHealthy, spoken.vllm.isGone]).toStrictEqual([false, false]);
  clock.advance(5_000);
  await expect(spoken.next()).rejects.toMatchObject({ closeCode: 1012 });
  expect(spoken.vllm.isGone).toBe(true);
  const { near, far } = createMemoryPair();
  await spoken.vllm.serve(far);
  await expect(near.messages[Symbol.asyncIterator]().next()).rejects.toThrow();
});

it('breaks off every connection where it is killed, without a close', async () => {
  const spoken = await converse({});
  spoken.vllm.kill();
  await expect(spoken.next()).rejects.toMatchObject({ closeCode: 1006 });
  await settle();
  expect(spoken.vllm.sessions).toBe(0);
});
