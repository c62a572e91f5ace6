import type { PaceRate } from '@kikitori/client';
import type { SpeechEngine } from '@kikitori/engine';
import type { Context } from '../context.js';
import { openMemoryLink } from '../session/open-link.js';
import { runTranscription } from '../session/transcription.js';
import { silentDisplay } from '../terminal/display.js';
import type { TranscriptOutput } from '../transcript/output.js';

/** What to run. */
export interface LiveRunOptions {
  readonly engine: SpeechEngine;
  /** Mono, 16 kHz; every session is given the same. */
  readonly samples: Float32Array;
  readonly sessions: number;
  readonly pace: PaceRate;
}

/** What it took, over all sessions. Times in milliseconds. */
export interface LiveRun {
  /** Audio of one session. */
  readonly audioMs: number;
  /** From the first audio to the last text of the slowest session. */
  readonly wallMs: number;
  /** Processor time of this whole process per second of audio of one session. */
  readonly coreSecondsPerSecond: number;
  /** For each delta: how long after the end of its last word was sent it came. Meaningful at the pace of speech. */
  readonly lagsMs: readonly number[];
  readonly firstDeltasMs: readonly number[];
  /** From the last audio sent to the last text. */
  readonly finalsMs: readonly number[];
  /** What the first session said. */
  readonly text: string;
}

/**
 * Lets so many speakers speak at once, each through a session of its own, and measures. The sessions are begun evenly
 * over one decoding interval, as those of real speakers are: in step they would all want the processor at once.
 */
export async function runLive(options: LiveRunOptions, context: Context): Promise<LiveRun> {
  const { engine, samples, sessions, pace } = options;
  const lagsMs: number[] = [];
  const output: TranscriptOutput = {
    change: (change, atMs) => {
      if (change.type === 'delta') lagsMs.push(Math.max(0, atMs - change.audioMs));
    },
    end: () => undefined,
  };
  const cpuBefore = process.cpuUsage();
  const startMs = context.clock.nowMs();
  const runOne = async (index: number) => {
    await pause((index * SPREAD_MS) / sessions, context);
    const link = await openMemoryLink(engine, { partials: false }, context);
    const source = { samples: once(samples), durationMs: undefined, close: () => undefined };
    return await runTranscription({ source, link, output, display: silentDisplay, pace }, context);
  };
  const summaries = await Promise.all(Array.from({ length: sessions }, (_, index) => runOne(index)));
  const wallMs = context.clock.nowMs() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  const audioMs = samples.length / 16;
  const known = (values: readonly (number | undefined)[]): number[] =>
    values.filter((value) => value !== undefined);
  return {
    audioMs,
    wallMs,
    coreSecondsPerSecond: (cpu.user + cpu.system) / 1000 / (audioMs * sessions),
    lagsMs,
    firstDeltasMs: known(summaries.map(({ firstDeltaMs }) => firstDeltaMs)),
    finalsMs: known(summaries.map(({ finalMs }) => finalMs)),
    text: summaries[0]?.text ?? '',
  };
}

const SPREAD_MS = 400;

async function* once(samples: Float32Array): AsyncGenerator<Float32Array> {
  yield samples;
}

async function pause(ms: number, { clock, signal }: Context): Promise<void> {
  signal.throwIfAborted();
  if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
}

/** The value below which the given part (0…1) of them lies, nearest rank; undefined of none. */
export function percentile(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))];
}
