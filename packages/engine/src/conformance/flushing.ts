import type { EngineUnderTest, TestRunner } from './engine.js';
import type { DeclareScene } from './scene.js';

/** What `flush` promises. */
export function describeFlushing(under: EngineUnderTest, { expect }: TestRunner, scene: DeclareScene): void {
  const { speech } = under;

  scene('answers a flush after everything that was written before it', async (test) => {
    const listener = await test.hear(speech.audio);
    test.expectSaid(listener, speech);
    const flushed = await listener.flushed(1);
    expect(listener.heard.at(-1)).toEqual(flushed);
    expect(flushed.tokens).toBeGreaterThan(0);
    expect(flushed.settledMs).toBeGreaterThanOrEqual(test.lengthMs(speech.audio));
    const closed = listener.heard.flatMap((said) => (said.type === 'utterance' ? said.words : []));
    expect(closed).toEqual(listener.words);
  });

  scene('answers a flush of nothing, before any audio', async (test) => {
    const listener = await test.listen();
    expect(await listener.flush(5)).toEqual({ type: 'flushed', marker: 5, settledMs: 0, tokens: 0 });
    expect(listener.heard.length).toBe(1);
  });

  scene('answers a second flush with nothing new', async (test) => {
    const listener = await test.listen();
    await listener.write(speech.audio);
    listener.stream.flush(1);
    const second = await listener.flush(2);
    const first = listener.heard.findIndex((said) => said.type === 'flushed' && said.marker === 1);
    expect(first).toBe(listener.heard.length - 2);
    expect(second.tokens).toBe(0);
    test.expectSaid(listener, speech);
  });

  scene('answers many flushes in their order', async (test) => {
    const listener = await test.listen();
    const markers = [3, 1, 2, 9, 8];
    const sliceSamples = Math.ceil(speech.audio.length / markers.length);
    for (const [index, marker] of markers.entries()) {
      await listener.write(speech.audio.slice(index * sliceSamples, (index + 1) * sliceSamples));
      listener.stream.flush(marker);
    }
    await listener.flushed(8);
    const answers = listener.heard.flatMap((said) => (said.type === 'flushed' ? [said.marker] : []));
    expect(answers).toEqual(markers);
    test.expectInOrder(listener);
  });

  scene('goes on after a flush, on the same timeline', async (test) => {
    const { audio } = under.otherSpeech;
    const listener = await test.hear(audio);
    const before = listener.words.length;
    await listener.write(under.silence);
    await listener.write(audio);
    const flushed = await listener.flush(2);
    test.expectInOrder(listener);
    expect(listener.words.length).toBeGreaterThan(before);
    const totalMs = test.lengthMs(audio) * 2 + test.lengthMs(under.silence);
    expect(flushed.settledMs).toBeGreaterThanOrEqual(totalMs);
  });
}
