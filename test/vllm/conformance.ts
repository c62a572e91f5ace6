/**
 * What is known of vLLM's `/v1/realtime` with Voxtral Realtime, one check for each fact that a client can see. The stand-in of each age passes
 * them, and so do the real servers. Times are not checked: the real one took 0.63 to 0.70 s of real audio to its first delta, and
 * 0.26 s from `final` to `done`. Behind them, what our own client makes of it.
 */
import { it } from 'vitest';
import { CLIENT_CHECKS } from './client-checks.js';
import type { Check, Setting, World } from './conformance/check.js';
import { COUNT_CHECKS } from './conformance/count-checks.js';
import { DOOR_CHECKS } from './conformance/door-checks.js';
import { EVENT_CHECKS } from './conformance/event-checks.js';
import { LIMIT_CHECKS } from './conformance/limit-checks.js';
import { ORDER_CHECKS } from './conformance/order-checks.js';
import type { VllmAge } from './stand-in.js';

/** All of them, in an order in which one server can pass all of a setting: what it does not outlive comes last. */
export const CHECKS: readonly Check[] = [
  ...DOOR_CHECKS,
  ...EVENT_CHECKS,
  ...COUNT_CHECKS,
  ...ORDER_CHECKS,
  ...LIMIT_CHECKS,
  ...CLIENT_CHECKS,
].sort((one, other) => Number(one.isFatal ?? false) - Number(other.isFatal ?? false));

/** Those of an age and a setting. */
export function checksOf(age: VllmAge, setting: Setting): readonly Check[] {
  return CHECKS.filter(
    ({ ages, on = ['roomy'] }) => (ages === undefined || ages.includes(age)) && on.includes(setting),
  );
}

/** Registers a test for each check of a setting; `world` is asked in each. */
export function registerChecks(
  age: VllmAge,
  setting: Setting,
  world: () => World,
  { timeoutMs }: { readonly timeoutMs: number },
): void {
  for (const { name, run } of checksOf(age, setting)) it(name, { timeout: timeoutMs }, () => run(world()));
}
