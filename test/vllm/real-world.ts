/** The real vLLM as the conformance meets it. */
import type { World } from './conformance/check.js';
import { REAL_MODEL, RealVllm } from './real-server.js';
import type { VllmAge } from './stand-in.js';
import { openResting } from './stand-in-world.js';

const MINUTE_MS = 61_000;
const KEY = 'the key of a test';

/** Beside what every one has. */
export interface RealWorld extends World {
  /** Titles of its processes that live. */
  readonly processes: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts one, under the flags of the setting. `close` ends it. */
export async function openReal(version: string, setting: 'roomy' | 'tight'): Promise<RealWorld> {
  const isTight = setting === 'tight';
  const [delayMs, maxModelLen, key] = isTight ? [960, 128, KEY] : [480, 2_048, undefined];
  const locks = key === undefined ? [] : ['--api-key', key];
  const flags = ['--max-model-len', String(maxModelLen), ...locks];
  const vllm = await RealVllm.start(version, { flags, delayMs });
  const { url, httpUrl, ended } = vllm;
  const shown = {
    age: ageOf(version),
    isReal: true,
    setting,
    url,
    httpUrl,
    model: REAL_MODEL,
    key,
    delayMs,
    maxModelLen,
  };
  const resting = await openResting(shown);
  const restsSinceMs = performance.now();
  return {
    ...shown,
    ended,
    resting,
    aMinuteLater: () => {
      const leftMs = restsSinceMs + MINUTE_MS - performance.now();
      return new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)));
    },
    processes: () => vllm.processes,
    killEngine: () => vllm.killEngine(),
    killServer: () => vllm.killApiServer(),
    terminate: () => void vllm.stop(),
    close: async () => {
      await vllm.stop();
    },
  };
}

/** The checks know two of those that run here. */
function ageOf(version: string): VllmAge {
  const [, minor = ''] = version.split('.');
  return Number(minor) < 32 ? '0.31' : '0.32';
}
