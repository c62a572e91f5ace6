import type { EngineUnderTest, TestRunner } from './engine.js';
import { textOf, wordsOf } from './listener.js';
import type { DeclareScene } from './scene.js';

/** What is said, in which order, and that it depends on the audio alone. */
export function describeListening(under: EngineUnderTest, { expect }: TestRunner, scene: DeclareScene): void {
  const { speech, otherSpeech, silence, isDeterministic = true } = under;

  scene('says what it is', async ({ engine: { info } }) => {
    expect(info.sampleRateHz).toBe(16_000);
    expect(info.streamsMax).toBeGreaterThanOrEqual(2);
    expect(info.languages.length).toBeGreaterThan(0);
    expect(info.model === '').toBe(false);
  });

  scene('says the words that are spoken, and keeps every guarantee of order', async (test) => {
    const listener = await test.hear(speech.audio);
    test.expectSaid(listener, speech);
    const lastMs = listener.words.at(-1)?.endMs ?? 0;
    expect(lastMs).toBeLessThanOrEqual(test.lengthMs(speech.audio) + 1);
  });

  scene('says nothing in silence, and still tells how far it is', async (test) => {
    const listener = await test.hear(silence);
    test.expectInOrder(listener);
    expect(listener.text).toBe('');
    const flushed = await listener.flushed(1);
    expect(flushed.tokens).toBe(0);
    expect(flushed.settledMs).toBeGreaterThanOrEqual(test.lengthMs(silence));
  });

  scene('gives the same words in any cut of the audio', async (test) => {
    const cuts = [[speech.audio.length], [1, 159, 0, 160], [333], [16_000, 7, 1280]];
    const whole = await test.hear(speech.audio);
    await whole.stream.close();
    for (const cutsSamples of cuts) {
      const cut = await test.hear(speech.audio, cutsSamples);
      test.expectSaid(cut, speech);
      if (isDeterministic) expect(cut.words).toEqual(whole.words);
      await cut.stream.close();
    }
  });

  scene('does not mix two streams that speak at once', async (test) => {
    const one = await test.listen();
    const other = await test.listen();
    const lengthSamples = Math.max(speech.audio.length, otherSpeech.audio.length);
    for (let at = 0; at < lengthSamples; at += 1600) {
      await Promise.all([
        one.write(speech.audio.slice(at, at + 1600)),
        other.write(otherSpeech.audio.slice(at, at + 1600)),
      ]);
    }
    await Promise.all([one.flush(1), other.flush(1)]);
    test.expectSaid(one, speech);
    test.expectSaid(other, otherSpeech);
  });

  scene('keeps what it says for a consumer that reads late', async (test) => {
    const stream = await test.engine.open();
    await stream.write(speech.audio);
    stream.flush(1);
    const heard = [];
    for await (const hypothesis of stream.hypotheses) {
      heard.push(hypothesis);
      if (hypothesis.type === 'flushed') break;
    }
    test.expectText(textOf(wordsOf(heard)), speech.text);
  });

  scene('copies the samples: the caller may use its buffer again', async (test) => {
    const listener = await test.listen();
    const buffer = new Float32Array(1600);
    for (let at = 0; at < speech.audio.length; at += buffer.length) {
      const block = speech.audio.subarray(at, at + buffer.length);
      buffer.set(block);
      await listener.stream.write(buffer.subarray(0, block.length));
      buffer.fill(0);
    }
    await listener.flush(1);
    test.expectSaid(listener, speech);
  });

  scene('takes an empty block and says nothing to it', async (test) => {
    const listener = await test.listen();
    await listener.stream.write(new Float32Array(0));
    const flushed = await listener.flush(1);
    expect(flushed.settledMs).toBe(0);
    expect(listener.text).toBe('');
  });

  scene('shows the unstable tail only to streams that ask, and then says the same words', async (test) => {
    const plain = await test.hear(speech.audio);
    const asking = await test.hear(speech.audio, undefined, { partials: true });
    test.expectSaid(asking, speech);
    expect(plain.heard.filter((hypothesis) => hypothesis.type === 'partial')).toEqual([]);
    if (isDeterministic) expect(asking.words).toEqual(plain.words);
  });

  scene('says who begins to speak before his words, only to streams that ask', async (test) => {
    const plain = await test.hear(speech.audio);
    const asking = await test.hear(speech.audio, undefined, { onsets: true });
    test.expectSaid(asking, speech);
    expect(plain.heard.filter(({ type }) => type === 'onset')).toEqual([]);
    const onsets = asking.heard.filter((hypothesis) => hypothesis.type === 'onset');
    const utterances = asking.heard.filter((hypothesis) => hypothesis.type === 'utterance');
    expect(onsets.length).toBe(utterances.length);
    expect(onsets.length).toBeGreaterThan(0);
    for (const [index, { startMs }] of onsets.entries()) {
      const firstWordMs = utterances[index]?.words[0]?.startMs ?? startMs;
      expect(Math.abs(startMs - firstWordMs)).toBeLessThanOrEqual(500);
    }
  });

  scene('says the same to a stream that wants no words', async (test) => {
    test.expectSaid(await test.hear(speech.audio, undefined, { words: false }), speech);
  });

  scene('keeps its guarantees in batch mode', async (test) => {
    test.expectSaid(await test.hear(speech.audio, undefined, { mode: 'batch' }), speech);
  });
}
