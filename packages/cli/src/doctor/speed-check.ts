import { EngineError, machineShare } from '@kikitori/engine';
import { capacityOf, DEFAULT_MODEL } from '@kikitori/engine-local';
import { type LiveRun, percentile, runLive } from '../measure/live-run.js';
import { readSamples, SAMPLE_PATH } from '../measure/sample.js';
import { processors, seconds } from '../terminal/figures.js';
import type { Check, Finding } from './check.js';

/** Of the processor that one speaker may take: the rest is for everything else, and for bad luck. */
const LOAD_MAX = 0.8;
const LAG_MS_GOOD = 2_000;

/** The processor keeps up with speech: ten seconds of it, at the pace of speech, through the real engine. */
export const speedCheck: Check = {
  name: 'Speed',
  async look({ model, signal }, context) {
    try {
      const store = await context.factories.openModelStore();
      const isAbsent = (await store.list()).some(({ state, name, kind }) => {
        return state !== 'present' && (kind === 'silero' || name === (model ?? DEFAULT_MODEL));
      });
      if (isAbsent) {
        return {
          status: 'warn',
          detail: 'not measured',
          advice: 'Pull the model first (see above), then run this again.',
        };
      }
      const samples = await readSamples(SAMPLE_PATH, signal);
      const request = { model, threads: 1, streamsMax: 1, signal, onProgress: () => undefined };
      const engine = await context.factories.createEngine(request);
      try {
        const run = await runLive({ engine, samples, sessions: 1, pace: 'realtime' }, { ...context, signal });
        const { streamsMax } = capacityOf(model ?? DEFAULT_MODEL);
        return speedFinding(run, engine.info.model, { cores: machineShare().cores, streamsMax });
      } finally {
        await engine.close();
      }
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return { status: 'fail', detail: 'the engine does not start', advice: error.message };
    }
  },
};

/** What a measured run says about so many cores, with the speakers whom `serve` lets in there. */
export function speedFinding(
  run: LiveRun,
  model: string,
  { cores, streamsMax }: { readonly cores: number; readonly streamsMax: number },
): Finding {
  const lagMs = percentile(run.lagsMs, 0.95);
  if (lagMs === undefined) {
    return {
      status: 'fail',
      detail: `${model} heard nothing in clear speech`,
      advice: 'Pull the model again.',
    };
  }
  const detail =
    `${model}: ${run.coreSecondsPerSecond.toFixed(2)} core-seconds per second of speech, ` +
    `words ${seconds(lagMs)} behind (p95); serve takes ${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once on ${cores} core${cores === 1 ? '' : 's'}`;
  if (run.coreSecondsPerSecond <= LOAD_MAX * cores && lagMs <= LAG_MS_GOOD) return { status: 'ok', detail };
  const smaller = model.endsWith('tiny') ? '' : ', or use the smaller model (--model tiny)';
  const advice =
    cores < 1
      ? `This process may use ${processors(cores)}: give it more${smaller}.`
      : `The machine is busy or slow: close other programs${smaller}.`;
  return { status: 'warn', detail, advice };
}
