import { ClientError, type PaceRate } from '@kikitori/client';
import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import type { SpeechSource } from '../../src/audio/source.js';
import { runTranscription } from '../../src/session/transcription.js';
import { createDisplay } from '../../src/terminal/display.js';
import { outputFor } from '../../src/transcript/formats.js';
import { type MemoryContext, type MemoryContextOptions, memoryContext } from '../memory-context.js';
import { FakeLink, untilAborted } from './fake-link.js';

interface Closable extends SpeechSource {
  closes: number;
}

function sourceOf(blocks: Iterable<Float32Array> | AsyncIterable<Float32Array>): Closable {
  const source = {
    closes: 0,
    durationMs: undefined,
    samples: (async function* () {
      yield* blocks;
    })(),
    close: () => {
      source.closes += 1;
    },
  };
  return source;
}

/** Lets everything run that can, without passing time. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const second = (): Float32Array => new Float32Array(16_000);

function start(
  link: FakeLink,
  source: SpeechSource,
  options: MemoryContextOptions = {},
  pace: PaceRate = 'max',
) {
  const context: MemoryContext = memoryContext({ clock: new ManualClock(), ...options });
  const display = createDisplay(context);
  const output = outputFor({ format: 'text', json: true }, context, display);
  const done = runTranscription({ source, link, output, display, pace }, context);
  const lines = (): unknown[] =>
    context.stdout.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { context, done, lines };
}

describe('runTranscription', () => {
  it('sends everything in even blocks, writes what is heard, ends with the summary, and closes both sides', async () => {
    const link = new FakeLink();
    const sizes: number[] = [];
    let before = 0;
    link.onSend = () => {
      sizes.push(link.sentSamples - before);
      before = link.sentSamples;
    };
    link.onFinish = async () => {
      link.say({ type: 'delta', text: ' Hello', audioMs: 700 });
      link.say({
        type: 'utterance',
        text: 'Hello',
        startMs: 300,
        endMs: 700,
        words: [{ text: 'Hello', startMs: 300, endMs: 700 }],
      });
      link.say({ type: 'done', text: ' Hello', usage: null });
    };
    const source = sourceOf([second(), new Float32Array(100)]);
    const { done, lines } = start(link, source);
    const summary = await done;
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([1_280]));
    expect(link.sentSamples).toBe(16_100);
    expect(lines().map((line) => (line as { type: string }).type)).toEqual(['delta', 'final', 'summary']);
    expect(lines().at(-1)).toMatchObject({ text: 'Hello', audio_ms: 1_006, reconnects: 0 });
    expect(summary.text).toBe('Hello');
    expect([link.closes > 0, source.closes > 0]).toEqual([true, true]);
  });

  it('says one final without words for a plain vLLM server', async () => {
    const link = new FakeLink();
    link.onFinish = async () => {
      for (const text of ['', ' Fir', 'st', '']) link.say({ type: 'delta', text });
      link.say({ type: 'done', text: ' First', usage: null });
    };
    const { done, lines } = start(link, sourceOf([second()]));
    await done;
    expect(lines()).toEqual([
      { type: 'delta', text: ' Fir', audio_ms: 1_000, at_ms: 0 },
      { type: 'delta', text: 'st', audio_ms: 1_000, at_ms: 0 },
      { type: 'final', text: 'First', start_ms: 0, end_ms: 1_000, words: [] },
      { type: 'summary', text: 'First', audio_ms: 1_000, first_delta_ms: 0, final_ms: 0, reconnects: 0 },
    ]);
  });

  it('shows how far the words have come, and not how far the file was read', async () => {
    const link = new FakeLink();
    const clock = new ManualClock();
    link.onSend = () => {
      clock.advance(100);
      link.say({ type: 'progress', receivedMs: link.sentSamples / 16, settledMs: 500, lagMs: 500 });
    };
    const source = { ...sourceOf([second(), second()]), durationMs: 2_000 };
    const { context, done } = start(link, source, { clock, stderrIsTerminal: true });
    await done;
    const rows = context.stderr.text.match(/\d:\d\d of \d:\d\d/g) ?? [];
    expect(new Set(rows)).toEqual(new Set(['0:00 of 0:02']));
    expect(context.stderr.text).toMatch(/ 25 %/);
    expect(context.stderr.text).toMatch(/\d:\d\d left/);
  });

  it('stops sending at Ctrl-C, waits a moment for the last words, and writes the transcript so far', async () => {
    const link = new FakeLink();
    const endless = sourceOf(
      (async function* () {
        for (;;) yield second();
      })(),
    );
    const { context, done, lines } = start(link, endless);
    link.onSend = () => {
      if (link.sentSamples > 30_000) context.interrupt();
    };
    link.onFinish = async () => {
      link.say({ type: 'delta', text: ' so far', audioMs: 1_500 });
    };
    await done;
    expect(link.finishes).toBe(1);
    expect(lines().map((line) => (line as { type: string }).type)).toEqual(['delta', 'final', 'summary']);
    expect(lines().at(-1)).toMatchObject({ text: 'so far' });
  });

  it('gives up waiting for last words that never come after Ctrl-C', async () => {
    const clock = new ManualClock();
    const link = new FakeLink();
    link.onFinish = (_link, signal) => untilAborted(signal);
    link.say({ type: 'delta', text: ' kept', audioMs: 500 });
    const { context, done, lines } = start(link, sourceOf([second()]), { clock });
    while (link.finishes === 0) await turn();
    context.interrupt();
    clock.advance(10_000);
    await done;
    expect(lines().at(-1)).toMatchObject({ type: 'summary', text: 'kept' });
  });

  it('does not wait for a pipe that gives nothing at Ctrl-C', async () => {
    const link = new FakeLink();
    const silent = sourceOf(
      (async function* () {
        await new Promise(() => undefined);
        yield second();
      })(),
    );
    const { context, done, lines } = start(link, silent);
    context.interrupt();
    await done;
    expect(lines()).toEqual([
      { type: 'summary', text: '', audio_ms: 0, first_delta_ms: null, final_ms: null, reconnects: 0 },
    ]);
  });

  it('reports what the server said rather than that nothing more could be sent, and keeps the transcript', async () => {
    const link = new FakeLink();
    link.onSend = () => {
      link.say({ type: 'delta', text: ' before', audioMs: 80 });
      link.fail(
        new ClientError('server_error', 'The server reported an error.', { serverCode: 'processing_error' }),
      );
    };
    const { done, lines } = start(link, sourceOf([second(), second()]));
    await expect(done).rejects.toMatchObject({
      code: 'service_failed',
      message: expect.stringContaining('processing_error'),
    });
    expect(lines().at(-1)).toMatchObject({ type: 'summary', text: 'before' });
    expect(link.closes).toBeGreaterThan(0);
  });

  it('reports a source that breaks, after what was said of its beginning', async () => {
    const link = new FakeLink();
    link.onSend = () => link.say({ type: 'delta', text: ' x', audioMs: 80 });
    const broken = sourceOf(
      (async function* () {
        yield new Float32Array(1_280);
        throw new Error('the disk is gone');
      })(),
    );
    const { done, lines } = start(link, broken);
    await expect(done).rejects.toThrow('the disk is gone');
    expect(lines().at(-1)).toMatchObject({ type: 'summary', text: 'x' });
    expect(broken.closes).toBeGreaterThan(0);
  });

  it.each([1, 2])(
    'paces %dx: each block leaves when it has been spoken, or that much sooner',
    async (pace) => {
      const clock = new ManualClock();
      const link = new FakeLink();
      const sentAtMs: number[] = [];
      link.onSend = () => void sentAtMs.push(clock.nowMs());
      const { done } = start(link, sourceOf([second()]), { clock }, pace);
      let isOver = false;
      const over = done.then(() => {
        isOver = true;
      });
      while (!isOver) {
        for (let i = 0; i < 3; i++) await turn();
        clock.advance(5);
      }
      await over;
      expect(sentAtMs).toHaveLength(13);
      sentAtMs.pop(); // half a block
      for (const [index, atMs] of sentAtMs.entries()) {
        expect(Math.abs(atMs - ((index + 1) * 80) / pace)).toBeLessThanOrEqual(5);
      }
    },
  );
});
