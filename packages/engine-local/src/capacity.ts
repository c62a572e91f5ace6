/** How much an engine takes of the machine where its user does not say. */
import { type MachineShare, machineShare } from '@kikitori/engine';
import { traitsOf } from './families/index.js';
import { LOCAL_LIMITS } from './limits.js';

const MIB = 1024 ** 2;
/** The process without its decoding threads. */
const PROCESS_BYTES = 250 * MIB;
/** Of the memory; the rest is for audio that waits, and for everything else. */
const MEMORY_SHARE = 0.75;

/** Decoding threads, and streams that may be open at once. */
export interface Capacity {
  readonly threads: number;
  readonly streamsMax: number;
}

/**
 * A thread for each whole core that the process really has, as far as the memory reaches, one at least; and the speakers
 * whom they carry live. `threads`: what the user wants, whatever the memory; default by the share.
 */
export function capacityOf(model: string, threads?: number, share: MachineShare = machineShare()): Capacity {
  const { streamsPerCore, threadBytes } = traitsOf(model).needs;
  const fitting = Math.floor((share.memoryBytes * MEMORY_SHARE - PROCESS_BYTES) / threadBytes);
  const wanted = threads ?? Math.max(1, Math.min(Math.floor(share.cores), fitting));
  const count = Math.min(wanted, LOCAL_LIMITS.threadsMax);
  const streamsMax = Math.max(1, Math.floor(Math.min(count, share.cores) * streamsPerCore));
  return { threads: count, streamsMax };
}
