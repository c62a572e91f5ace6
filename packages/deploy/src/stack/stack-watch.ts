import { sleep } from '@kikitori/core';
import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import type { LifecycleOptions } from '../progress.js';
import { readEvents, readStack, type StackEvent, type StackFacts } from './stack-reader.js';
import { stateOf } from './stack-state.js';

/** How a wait for a stack ended. */
export interface StackOutcome {
  /** The stack as it is now; undefined when it is gone. */
  readonly stack: StackFacts | undefined;
  /** What happened while we waited, oldest first. */
  readonly events: readonly StackEvent[];
}

const SHOWN: ReadonlySet<string> = new Set([
  'CREATE_IN_PROGRESS',
  'CREATE_COMPLETE',
  'CREATE_FAILED',
  'UPDATE_IN_PROGRESS',
  'UPDATE_COMPLETE',
  'UPDATE_FAILED',
  'DELETE_IN_PROGRESS',
  'DELETE_COMPLETE',
  'DELETE_FAILED',
  'DELETE_SKIPPED',
]);

/** What to wait for. */
export interface WatchOptions extends LifecycleOptions {
  /** Events that were there before: they are not told again. */
  readonly known: ReadonlySet<string>;
  /** Something was just started: a stack that stands still has not begun yet. */
  readonly isStarting: boolean;
}

/**
 * Waits until CloudFormation is done with a stack, and tells what it does meanwhile. `id` is the stack's id, since a stack that is gone
 * has no name any more. Rejects with `DeployError` `wait_timeout`, or with the reason of `signal`: the stack goes on by itself then.
 */
export async function watchStack(aws: Aws, id: string, options: WatchOptions): Promise<StackOutcome> {
  const { known, isStarting, signal, onProgress } = options;
  const events = new Map<string, StackEvent>();
  const beganAtMs = aws.clock.unixMs();
  for (;;) {
    // The stack first: what made it end is in the events by then.
    const stack = await readStack(aws, id, signal);
    for (const event of await readEvents(aws, id, signal)) {
      if (known.has(event.id) || events.has(event.id)) continue;
      events.set(event.id, event);
      const line = lineOf(event);
      if (line !== undefined) onProgress({ step: 'stack', kind: 'note', text: line });
    }
    const state = stateOf(stack?.status);
    const waitedMs = aws.clock.unixMs() - beganAtMs;
    const hasBegun = !isStarting || events.size > 0 || waitedMs > DEPLOY_LIMITS.stackStartMsMax;
    if (state === 'absent' || (state !== 'busy' && hasBegun)) {
      return { stack: state === 'absent' ? undefined : stack, events: [...events.values()] };
    }
    if (waitedMs >= DEPLOY_LIMITS.stackWaitMsMax) throw new DeployError('wait_timeout');
    // What takes long is looked at less often.
    const pauseMs = Math.max(DEPLOY_LIMITS.stackPollMs, waitedMs / 20);
    await sleep(aws.clock, Math.min(pauseMs, DEPLOY_LIMITS.stackPollMsMax), { signal });
  }
}

function lineOf({ logicalId, type, status, reason }: StackEvent): string | undefined {
  if (type === 'AWS::CloudFormation::Stack' || !SHOWN.has(status)) return undefined;
  const words = status.endsWith('_FAILED') && reason !== undefined ? `: ${reason}` : '';
  return `${logicalId} ${status.toLowerCase().replaceAll('_', ' ')}${words}`;
}
