import { fileURLToPath } from 'node:url';
import { decodeFile } from '@kikitori/audio/file';
import { BENCH_AUDIO_MS_MAX } from '../limits.js';

/** Ten seconds of clear speech that come with the command (`samples/ferry.flac`, as Opus). */
export const SAMPLE_PATH = fileURLToPath(new URL('../../assets/sample.opus', import.meta.url));

/** A whole file in memory: mono, 16 kHz. Rejects with `AudioError`, `too_large` beyond ten minutes. */
export async function readSamples(path: string, signal: AbortSignal): Promise<Float32Array> {
  const decoded = await decodeFile(path, { signal, maxDurationMs: BENCH_AUDIO_MS_MAX });
  const blocks: Float32Array[] = [];
  for await (const block of decoded) blocks.push(block);
  const samples = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    samples.set(block, at);
    at += block.length;
  }
  return samples;
}
