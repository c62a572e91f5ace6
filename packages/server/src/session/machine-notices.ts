/** Notices that several cells of the session machine send. */

import type { Common, Effect, Fault, MachineConfig } from './state.js';

const SAMPLES_PER_MS = 16;

/** Says that something went wrong; `detail` where the fault has one. */
export function fault(name: Fault, detail?: string): Effect {
  return {
    type: 'send',
    notice: { type: 'fault', fault: name, ...(detail === undefined ? {} : { detail }) },
  };
}

/** Sends how far the session is, or schedules it where the last notice is too young. */
export function noteProgress(
  common: Common,
  config: MachineConfig,
  nowMs: number,
): { readonly common: Common; readonly effects: readonly Effect[] } {
  if (!common.progress || common.progressScheduled) return { common, effects: [] };
  const dueInMs = common.progressSentAtMs + config.progressIntervalMs - nowMs;
  if (dueInMs <= 0) return sendProgress(common, nowMs);
  return {
    common: { ...common, progressScheduled: true },
    effects: [{ type: 'start-deadline', name: 'progress', afterMs: dueInMs }],
  };
}

/** Sends how far the session is. */
export function sendProgress(
  common: Common,
  nowMs: number,
): { readonly common: Common; readonly effects: readonly Effect[] } {
  const receivedMs = Math.floor(common.receivedSamples / SAMPLES_PER_MS);
  // An engine may settle the silence that it padded the end with.
  const heardMs = common.resumes ? Math.min(common.settledMs, common.lostFromMs) : common.settledMs;
  const settledMs = Math.min(receivedMs, Math.floor(heardMs));
  const lagMs = receivedMs - settledMs;
  return {
    common: { ...common, progressSentAtMs: nowMs, progressScheduled: false },
    effects: [{ type: 'send', notice: { type: 'progress', receivedMs, settledMs, lagMs } }],
  };
}
