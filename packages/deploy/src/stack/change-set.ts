import type { Change, CreateChangeSetCommandInput } from '@aws-sdk/client-cloudformation';
import { sleep } from '@kikitori/core';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';

/** What a stack is to be. */
export interface StackWish {
  readonly stackName: string;
  /** Absent: the template that the stack has. */
  readonly templateBody: string | undefined;
  /** A value, or `previous` for the one that the stack has. */
  readonly parameters: Readonly<Record<string, string | { readonly previous: true }>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A change that CloudFormation has worked out. */
export interface ChangeSet {
  readonly id: string;
  readonly stackId: string;
  /** One line for each resource: `Modify EndpointConfig (replaced)`. Empty: nothing would change. */
  readonly changes: readonly string[];
}

/**
 * Has CloudFormation work out what would change. Where nothing would, its `changes` are empty. Then, and where this fails or is broken off, the change
 * set is removed again: nobody is to find and execute it later. Rejects with `DeployError` `stack_failed` where CloudFormation refuses, `wait_timeout`.
 */
export async function proposeChange(
  aws: Aws,
  type: 'CREATE' | 'UPDATE',
  wish: StackWish,
  signal: AbortSignal,
): Promise<ChangeSet> {
  const name = `kikitori-${aws.clock.unixMs().toString(36)}`;
  const target = { StackName: wish.stackName, ChangeSetName: name };
  const input: CreateChangeSetCommandInput = {
    ...target,
    ChangeSetType: type,
    ...(wish.templateBody === undefined
      ? { UsePreviousTemplate: true }
      : { TemplateBody: wish.templateBody }),
    Parameters: Object.entries(wish.parameters).map(([ParameterKey, value]) =>
      typeof value === 'string'
        ? { ParameterKey, ParameterValue: value }
        : { ParameterKey, UsePreviousValue: true },
    ),
    Tags: Object.entries(wish.tags).map(([Key, Value]) => ({ Key, Value })),
    Capabilities: ['CAPABILITY_IAM'],
  };
  try {
    await aws.ask('cloudFormation', (sdk) => new sdk.CreateChangeSetCommand(input), signal);
  } catch (error) {
    // It may have been made, and nobody heard of it.
    if (signal.aborted) await discardChange(aws, target, signal);
    // The answer to an earlier try was lost: it is there.
    if (!isRefusal(error, 'AlreadyExistsException')) throw error;
  }
  try {
    const changeSet = await workedOut(aws, target, signal);
    if (changeSet.changes.length === 0) await discardChange(aws, target, signal);
    return changeSet;
  } catch (error) {
    await discardChange(aws, target, signal);
    throw error;
  }
}

/**
 * Removes a change that will not be made, as far as that can be done; also when `signal` is aborted, for which nobody waits long. One that stays has
 * no effect, and goes with the next change of the stack, or with the stack.
 */
export async function discardChange(aws: Aws, target: ChangeSetName, signal: AbortSignal): Promise<void> {
  const patience = signal.aborted ? AbortSignal.timeout(DEPLOY_LIMITS.discardMsMax) : signal;
  await aws
    .ask('cloudFormation', (sdk) => new sdk.DeleteChangeSetCommand(target), patience)
    .catch(() => undefined);
}

/** Starts the change. Once started it goes on by itself; what was not started is removed. */
export async function executeChange(aws: Aws, { id }: ChangeSet, signal: AbortSignal): Promise<void> {
  const target = { ChangeSetName: id };
  try {
    await aws.ask('cloudFormation', (sdk) => new sdk.ExecuteChangeSetCommand(target), signal);
  } catch (error) {
    if (isRefusal(error, 'InvalidChangeSetStatusException')) {
      // Likewise: it runs already. Any other was overtaken: the stack is no longer what it was worked out for.
      const { ExecutionStatus = '' } = await describe(aws, target, signal);
      if (ExecutionStatus.startsWith('EXECUTE_')) return;
    }
    // CloudFormation does not remove one that it executes.
    await discardChange(aws, target, signal);
    throw error;
  }
}

/** By name, with that of its stack, or by id. */
export interface ChangeSetName {
  readonly StackName?: string;
  readonly ChangeSetName: string;
}

function describe(aws: Aws, target: ChangeSetName, signal: AbortSignal) {
  return aws.ask('cloudFormation', (sdk) => new sdk.DescribeChangeSetCommand(target), signal);
}

async function workedOut(aws: Aws, target: ChangeSetName, signal: AbortSignal): Promise<ChangeSet> {
  const endsAtMs = aws.clock.unixMs() + DEPLOY_LIMITS.changeSetWaitMsMax;
  for (;;) {
    const found = await describe(aws, target, signal);
    const { Status, StatusReason = '', ChangeSetId = '', StackId = '', Changes = [] } = found;
    if (Status === 'CREATE_COMPLETE') {
      return { id: ChangeSetId, stackId: StackId, changes: Changes.map(lineOf) };
    }
    if (Status === 'FAILED') {
      if (/didn't contain changes|No updates are to be performed/i.test(StatusReason)) {
        return { id: ChangeSetId, stackId: StackId, changes: [] };
      }
      throw new DeployError('stack_failed', {
        sentence: 'CloudFormation does not take the change; its words below say why.',
        serviceText: StatusReason,
      });
    }
    if (aws.clock.unixMs() >= endsAtMs) throw new DeployError('wait_timeout');
    await sleep(aws.clock, DEPLOY_LIMITS.changeSetPollMs, { signal });
  }
}

function lineOf({ ResourceChange }: Change): string {
  const { Action = '', LogicalResourceId = '', Replacement } = ResourceChange ?? {};
  return `${Action.toLowerCase()} ${LogicalResourceId}${Replacement === 'True' ? ' (replaced)' : ''}`;
}
