import type { Utterance } from '@kikitori/client';
import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { createDisplay } from '../../src/terminal/display.js';
import { type Format, outputFor } from '../../src/transcript/formats.js';
import type { Summary } from '../../src/transcript/output.js';
import type { Change } from '../../src/transcript/record.js';
import { type MemoryContextOptions, memoryContext } from '../memory-context.js';
import { Screen } from '../terminal/screen.js';

const FIRST: Utterance = {
  text: 'Good morning.',
  startMs: 100,
  endMs: 900,
  words: [
    { text: 'Good', startMs: 100, endMs: 400 },
    { text: 'morning.', startMs: 400, endMs: 900 },
  ],
};
const SECOND: Utterance = {
  text: 'Nine.',
  startMs: 2_000,
  endMs: 2_500,
  words: [{ text: 'Nine.', startMs: 2_000, endMs: 2_500 }],
};
const CHANGES: readonly (readonly [Change, number])[] = [
  [{ type: 'partial', text: 'Goo' }, 300],
  [{ type: 'delta', text: ' Good', audioMs: 400 }, 460.4],
  [{ type: 'delta', text: ' morning.', audioMs: 900 }, 1_000.6],
  [{ type: 'utterance', utterance: FIRST }, 1_400],
  [{ type: 'delta', text: ' Nine.', audioMs: 2_500 }, 2_600],
  [{ type: 'utterance', utterance: SECOND }, 3_000],
];
const SUMMARY: Summary = {
  text: 'Good morning. Nine.',
  utterances: [FIRST, SECOND],
  audioMs: 3_000.4,
  firstDeltaMs: 460.4,
  finalMs: 210.2,
  reconnects: 0,
};

function written(format: Format, json = false, options: MemoryContextOptions = {}, width = 80) {
  const clock = new ManualClock();
  const context = memoryContext({ clock, ...options });
  context.stdout.width = width;
  context.stderr.width = width;
  const display = createDisplay(context);
  const output = outputFor({ format, json }, context, display);
  for (const [change, atMs] of CHANGES) {
    output.change(change, atMs);
    clock.advance(100);
  }
  display.close();
  output.end(SUMMARY);
  return { out: context.stdout.text, err: context.stderr.text };
}

describe('outputFor', () => {
  it('writes text word by word, one line per utterance, and nothing else when piped', () => {
    expect(written('text')).toEqual({ out: 'Good morning.\nNine.\n', err: '' });
  });

  it('begins a word on the next row that does not fit, in a terminal without live rows', () => {
    expect(written('text', false, { stdoutIsTerminal: true }, 11)).toEqual({
      out: 'Good\nmorning.\nNine.\n',
      err: '',
    });
  });

  it('draws no rows where another program may write to the same terminal', () => {
    const options = { stderrIsTerminal: true, stdoutReader: 'pipe' } as const;
    expect(written('text', false, options)).toEqual({ out: 'Good morning.\nNine.\n', err: '' });
  });

  it('writes JSON lines exactly as promised', () => {
    const lines = written('text', true).out.trimEnd().split('\n');
    expect(lines).toEqual([
      '{"type":"delta","text":" Good","audio_ms":400,"at_ms":460}',
      '{"type":"delta","text":" morning.","audio_ms":900,"at_ms":1001}',
      '{"type":"final","text":"Good morning.","start_ms":100,"end_ms":900,"words":[{"text":"Good","start_ms":100,"end_ms":400},{"text":"morning.","start_ms":400,"end_ms":900}]}',
      '{"type":"delta","text":" Nine.","audio_ms":2500,"at_ms":2600}',
      '{"type":"final","text":"Nine.","start_ms":2000,"end_ms":2500,"words":[{"text":"Nine.","start_ms":2000,"end_ms":2500}]}',
      '{"type":"summary","text":"Good morning. Nine.","audio_ms":3000,"first_delta_ms":460,"final_ms":210,"reconnects":0}',
    ]);
  });

  it('writes one JSON document at the end', () => {
    const document = JSON.parse(written('json').out);
    expect(document).toMatchObject({
      text: SUMMARY.text,
      audio_ms: 3_000,
      first_delta_ms: 460,
      final_ms: 210,
    });
    expect(document.utterances[0]).toEqual({
      text: 'Good morning.',
      start_ms: 100,
      end_ms: 900,
      words: [
        { text: 'Good', start_ms: 100, end_ms: 400 },
        { text: 'morning.', start_ms: 400, end_ms: 900 },
      ],
    });
  });

  it('writes captions with the times of the words', () => {
    expect(written('srt').out).toContain('1\n00:00:00,100 --> ');
    expect(written('srt').out).toContain('\nGood morning.\n');
    expect(written('vtt').out).toMatch(/^WEBVTT\n/);
  });

  it('leaves the plain transcript and nothing else on a terminal', () => {
    const { out, err } = written('text', false, { stdoutIsTerminal: true, stderrIsTerminal: true });
    expect(out).toBe('Good morning.\nNine.\n');
    expect(new Screen(err).rows()).toEqual([]);
  });

  it('breaks long rows at words, losing and doubling none', () => {
    const { out } = written('text', false, { stdoutIsTerminal: true, stderrIsTerminal: true }, 11);
    expect(out).toBe('Good\nmorning.\nNine.\n');
  });

  it('shows live words on the terminal while the result goes to a file', () => {
    for (const format of ['text', 'srt'] as const) {
      const { out, err } = written(format, false, { stderrIsTerminal: true });
      expect(out).toContain('Good morning.');
      expect(out).not.toContain('\x1b');
      expect(err).toContain('Good morning.');
    }
  });

  it('uses no colour where NO_COLOR is set', () => {
    const options = { stdoutIsTerminal: true, stderrIsTerminal: true };
    expect(written('text', false, options).err).toContain('\x1b[2mGoo');
    expect(written('text', false, { ...options, env: { NO_COLOR: '1' } }).err).not.toContain('\x1b[2m');
  });

  it('says whose words they are, where more than one voice is heard', () => {
    const utterances = [
      { ...FIRST, label: 'caller' },
      { ...SECOND, label: 'agent' },
    ];
    const end = (format: Format): string => {
      const context = memoryContext();
      const display = createDisplay(context);
      outputFor({ format, json: false }, context, display).end({ ...SUMMARY, utterances });
      display.close();
      return context.stdout.text;
    };
    expect(JSON.parse(end('json')).utterances).toMatchObject([{ label: 'caller' }, { label: 'agent' }]);
    expect(end('srt')).toContain('\ncaller: Good morning.\n');
    expect(end('vtt')).toContain('\n<v agent>Nine.\n');
  });
});
