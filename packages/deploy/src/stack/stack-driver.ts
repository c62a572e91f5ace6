import { sleep } from '@kikitori/core';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import type { LifecycleOptions } from '../progress.js';
import { discardChange, executeChange, proposeChange, type StackWish } from './change-set.js';
import { failureOf, isRoleDelay, rootFailure } from './failure-advice.js';
import { readEvents, readStack, type StackFacts } from './stack-reader.js';
import { isSuccess, stateOf } from './stack-state.js';
import { type StackOutcome, watchStack } from './stack-watch.js';

/** What the stack is to be, asked anew in every round: what is around it may have changed. */
export type WishFor = (type: 'CREATE' | 'UPDATE') => Promise<StackWish>;

/** How it was brought about. */
export type StackResult = 'created' | 'updated' | 'unchanged';

/**
 * Brings one stack to where it should be, from wherever it is: waits for what is going on, removes what failed to be made, makes, changes, or
 * finds nothing to do. All state is AWS's: whoever is interrupted runs it again.
 */
export class StackDriver {
  readonly #aws: Aws;
  readonly #options: LifecycleOptions;

  constructor(aws: Aws, options: LifecycleOptions) {
    this.#aws = aws;
    this.#options = options;
  }

  /** Rejects with `DeployError` `stack_failed`, `stack_stuck`, `stack_busy`, `endpoint_failed`, `quota_insufficient`, `not_ours`, `wait_timeout`. */
  async converge(stackName: string, wishFor: WishFor): Promise<StackResult> {
    const { signal } = this.#options;
    let roleRetries = 0;
    for (let round = 0; round < DEPLOY_LIMITS.roundsMax; round += 1) {
      const stack = await readStack(this.#aws, stackName, signal);
      const state = stateOf(stack?.status);
      if (stack !== undefined && state === 'busy') {
        this.#note(`CloudFormation is at ${stack.status}: waiting for it`);
        await this.settle(stack);
        continue;
      }
      if (stack !== undefined && (state === 'broken' || state === 'undeletable')) {
        this.#note(`What is left of a failed try (${stack.status}) is removed first`);
        await this.remove(stack);
        continue;
      }
      if (state === 'stuck') throw stuck();
      const type = state === 'settled' ? 'UPDATE' : 'CREATE';
      const outcome = await this.#change(type, await wishFor(type));
      if (outcome === undefined) return 'unchanged';
      if (outcome === 'busy' || outcome.stack === undefined) continue;
      if (isSuccess(outcome.stack.status)) return state === 'settled' ? 'updated' : 'created';
      const root = rootFailure(outcome.events);
      if (!isRoleDelay(root?.reason) || roleRetries >= DEPLOY_LIMITS.roleRetriesMax) throw failureOf(root);
      roleRetries += 1;
      this.#note('SageMaker does not know the new role yet: once more in a moment');
      await sleep(this.#aws.clock, DEPLOY_LIMITS.rolePauseMs, { signal });
    }
    throw new DeployError('stack_busy');
  }

  /** Removes a stack and waits until it is gone. Rejects with `DeployError` `left_behind` where something of it stays. */
  async remove(stack: StackFacts): Promise<void> {
    const outcome = await this.#delete(stack.id);
    if (outcome.stack === undefined) return;
    // Something was in the way that may have passed by now: an endpoint that was being changed cannot be deleted.
    const again = await this.#delete(stack.id);
    if (again.stack === undefined) return;
    throw new DeployError('left_behind', { serviceText: rootFailure(again.events)?.reason });
  }

  /** Stops an update that is going on: the stack goes back to what it was. */
  async cancelUpdate(stack: StackFacts): Promise<void> {
    const input = { StackName: stack.name };
    try {
      await this.#aws.ask(
        'cloudFormation',
        (sdk) => new sdk.CancelUpdateStackCommand(input),
        this.#options.signal,
      );
    } catch (error) {
      // It was over a moment before.
      if (!isRefusal(error, 'ValidationError')) throw error;
    }
  }

  async #delete(id: string): Promise<StackOutcome> {
    const known = await this.#eventIds(id);
    const input = { StackName: id };
    await this.#aws.ask('cloudFormation', (sdk) => new sdk.DeleteStackCommand(input), this.#options.signal);
    return await watchStack(this.#aws, id, { ...this.#options, known, isStarting: true });
  }

  async #change(type: 'CREATE' | 'UPDATE', wish: StackWish): Promise<StackOutcome | 'busy' | undefined> {
    const { onProgress, signal } = this.#options;
    try {
      const changeSet = await proposeChange(this.#aws, type, wish, signal);
      if (changeSet.changes.length === 0) return undefined;
      for (const line of changeSet.changes) onProgress({ step: 'stack', kind: 'note', text: `will ${line}` });
      const known = await this.#eventIds(changeSet.stackId).catch(async (error: unknown) => {
        await discardChange(this.#aws, { ChangeSetName: changeSet.id }, signal);
        throw error;
      });
      await executeChange(this.#aws, changeSet, signal);
      return await watchStack(this.#aws, changeSet.stackId, { ...this.#options, known, isStarting: true });
    } catch (error) {
      // Somebody else was faster by a moment: changes the stack, or removes it and the change set with it.
      const isOvertaken =
        isRefusal(error, 'ValidationError', /_IN_PROGRESS|does not exist/) ||
        isRefusal(error, 'InvalidChangeSetStatusException') ||
        isRefusal(error, 'ChangeSetNotFoundException');
      if (isOvertaken) return 'busy';
      throw error;
    }
  }

  /** Waits until CloudFormation is done with what somebody else, or an earlier run, has started. */
  async settle({ id }: StackFacts): Promise<StackOutcome> {
    const known = await this.#eventIds(id);
    return await watchStack(this.#aws, id, { ...this.#options, known, isStarting: false });
  }

  async #eventIds(id: string): Promise<ReadonlySet<string>> {
    const events = await readEvents(this.#aws, id, this.#options.signal);
    return new Set(events.map((event) => event.id));
  }

  #note(text: string): void {
    this.#options.onProgress({ step: 'stack', kind: 'note', text });
  }
}

function stuck(): DeployError {
  return new DeployError('stack_stuck', {
    sentence:
      'An update failed, and so did going back (UPDATE_ROLLBACK_FAILED); the endpoint may still serve. Run "aws cloudformation continue-update-rollback --stack-name kikitori-NAME", or "kikitori destroy" and deploy anew.',
  });
}
