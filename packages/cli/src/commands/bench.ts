import type { PaceRate } from '@kikitori/client';
import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { BENCH_SESSIONS_MAX } from '../limits.js';
import { type LiveRun, percentile, runLive } from '../measure/live-run.js';
import { readSamples, SAMPLE_PATH } from '../measure/sample.js';
import { flag, integer, parsed } from '../options.js';
import { modelOption, parsePace, threadsOption } from '../options-shared.js';
import { startEngine } from '../session/start-engine.js';
import { createDisplay } from '../terminal/display.js';
import { seconds } from '../terminal/figures.js';
import { jsonText } from '../terminal/screened.js';

const options = {
  sessions: integer({
    flags: '--sessions <number>',
    description: 'speakers at once',
    min: 1,
    max: BENCH_SESSIONS_MAX,
    fallback: 1,
  }),
  pace: parsed<PaceRate, PaceRate>({
    flags: '--pace <pace>',
    description: 'how fast each speaks: realtime, max, or a factor such as 2x',
    fallback: 'realtime',
    fallbackText: 'realtime',
    parse: parsePace,
  }),
  model: modelOption,
  threads: threadsOption,
  json: flag({ flags: '--json', description: 'print JSON' }),
};

/** `kikitori bench [FILE]`: so many speakers at once through the real engine and client, and what it takes. */
export const bench = defineCommand({
  summary: 'measure how fast this machine transcribes',
  operands: [
    { name: 'file', description: 'speech to use (default: a sample of ten seconds)', required: false },
  ],
  options,
  examples: [
    'kikitori bench',
    'kikitori bench --sessions 4 --model tiny',
    'kikitori bench talk.wav --pace max',
  ],
  run: measure,
});

async function measure(
  { operands, options: given }: CommandInput<typeof options>,
  context: Context,
): Promise<number> {
  const [file = SAMPLE_PATH] = operands;
  const { sessions, pace, model, threads } = given;
  const { signal } = context;
  const display = createDisplay(context);
  try {
    const samples = await readSamples(file, signal);
    const engine = await startEngine({ model, threads, streamsMax: sessions, signal }, context, display);
    try {
      display.status(() => `Measuring: ${sessions} speaking for ${seconds(samples.length / 16)}…`);
      const run = await runLive({ engine, samples, sessions, pace }, context);
      display.close();
      signal.throwIfAborted();
      context.stdout.write(
        given.json
          ? `${jsonText({ model: engine.info.model, sessions, pace, ...figuresOf(run) })}\n`
          : table(run, { model: engine.info.model, sessions, pace }),
      );
      return 0;
    } finally {
      await engine.close();
    }
  } finally {
    display.close();
  }
}

/** Figures without the raw values; unknown ones are null. Milliseconds, but for ratios. */
function figuresOf(run: LiveRun): Record<string, number | null> {
  const whole = (value: number | undefined): number | null =>
    value === undefined ? null : Math.round(value);
  return {
    audio_ms: Math.round(run.audioMs),
    wall_ms: Math.round(run.wallMs),
    real_time_factor: Number((run.wallMs / run.audioMs).toFixed(3)),
    core_seconds_per_second: Number(run.coreSecondsPerSecond.toFixed(3)),
    lag_ms_p50: whole(percentile(run.lagsMs, 0.5)),
    lag_ms_p95: whole(percentile(run.lagsMs, 0.95)),
    first_delta_ms_p50: whole(percentile(run.firstDeltasMs, 0.5)),
    final_ms_p50: whole(percentile(run.finalsMs, 0.5)),
    final_ms_p95: whole(percentile(run.finalsMs, 0.95)),
  };
}

interface Subject {
  readonly model: string;
  readonly sessions: number;
  readonly pace: PaceRate;
}

function table(run: LiveRun, { model, sessions, pace }: Subject): string {
  const time = (value: number | undefined): string => (value === undefined ? 'none' : seconds(value));
  const paceText = typeof pace === 'number' ? `${pace}x` : pace;
  const rows: [string, string][] = [
    ['Model', model],
    ['Speakers', `${sessions}, each ${seconds(run.audioMs)} at pace ${paceText}`],
    [
      'Real-time factor',
      `${(run.wallMs / run.audioMs).toFixed(2)} (wall time per audio, all speakers side by side)`,
    ],
    ['Processor', `${run.coreSecondsPerSecond.toFixed(2)} core-seconds per second of one speaker`],
    ['First words', `${time(percentile(run.firstDeltasMs, 0.5))} after the first audio (p50)`],
    [
      'Last words',
      `${time(percentile(run.finalsMs, 0.5))} p50, ${time(percentile(run.finalsMs, 0.95))} p95 after the last audio`,
    ],
  ];
  // Audio sent faster than it is spoken is not there yet when a word "ends".
  if (pace === 'realtime') {
    rows.splice(4, 0, [
      'Lag',
      `${time(percentile(run.lagsMs, 0.5))} p50, ${time(percentile(run.lagsMs, 0.95))} p95 from the end of a word to its text`,
    ]);
  }
  return rows.map(([name, value]) => `${name.padEnd(17)} ${value}\n`).join('');
}
