/** Notices that several cells of the session machine send. */

import { ERRORS, type ErrorCode } from '@kikitori/protocol';
import type { Common, Effect, MachineConfig } from './state.js';

const SAMPLES_PER_MS = 16;

/** An error notice; without `text` the static one of the code. */
export function error(code: ErrorCode, text: string = ERRORS[code].text): Effect {
  return { type: 'send', notice: { type: 'error', code, text } };
}

/** Sends how far the session is, or schedules it where the last notice is too young. */
export function noteProgress(
  common: Common,
  config: MachineConfig,
  nowMs: number,
): { readonly common: Common; readonly effects: readonly Effect[] } {
  if (!common.words || common.progressScheduled) return { common, effects: [] };
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
  const heardMs = common.replay ? Math.min(common.settledMs, common.lostFromMs) : common.settledMs;
  const settledMs = Math.min(receivedMs, Math.floor(heardMs));
  const lagMs = receivedMs - settledMs;
  return {
    common: { ...common, progressSentAtMs: nowMs, progressScheduled: false },
    effects: [{ type: 'send', notice: { type: 'progress', receivedMs, settledMs, lagMs } }],
  };
}
