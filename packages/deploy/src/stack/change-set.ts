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

/** Makes, reads, executes and removes change sets of one stack. */
export class ChangeSets {
  readonly #aws: Aws;
  readonly #signal: AbortSignal;

  constructor(aws: Aws, { signal }: { readonly signal: AbortSignal }) {
    this.#aws = aws;
    this.#signal = signal;
  }

  /**
   * Has CloudFormation work out what would change. Where nothing would, the change set is removed again and its `changes` are empty.
   * Rejects with `DeployError` `stack_failed` where CloudFormation refuses, `wait_timeout`.
   */
  async propose(type: 'CREATE' | 'UPDATE', wish: StackWish): Promise<ChangeSet> {
    const { sdk, client } = await this.#aws.cloudFormation();
    const name = `kikitori-${this.#aws.clock.unixMs().toString(36)}`;
    const target = { StackName: wish.stackName, ChangeSetName: name };
    try {
      await this.#aws.call(
        (options) =>
          client.send(
            new sdk.CreateChangeSetCommand({
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
            }),
            options,
          ),
        { signal: this.#signal },
      );
    } catch (error) {
      // The answer to an earlier try was lost: it is there.
      if (!isRefusal(error, 'AlreadyExistsException')) throw error;
    }
    return await this.#worked(target);
  }

  /** Starts the change. Once started it goes on by itself. */
  async execute({ id }: ChangeSet): Promise<void> {
    const { sdk, client } = await this.#aws.cloudFormation();
    try {
      await this.#aws.call(
        (options) => client.send(new sdk.ExecuteChangeSetCommand({ ChangeSetName: id }), options),
        { signal: this.#signal },
      );
    } catch (error) {
      // Likewise: it runs already. Any other was overtaken: the stack is no longer what it was worked out for.
      const isOurs = isRefusal(error, 'InvalidChangeSetStatusException') && (await this.#isExecuted(id));
      if (!isOurs) throw error;
    }
  }

  async #isExecuted(id: string): Promise<boolean> {
    const { sdk, client } = await this.#aws.cloudFormation();
    const { ExecutionStatus = '' } = await this.#aws.call(
      (options) => client.send(new sdk.DescribeChangeSetCommand({ ChangeSetName: id }), options),
      { signal: this.#signal },
    );
    return ExecutionStatus.startsWith('EXECUTE_');
  }

  async #worked(target: { readonly StackName: string; readonly ChangeSetName: string }): Promise<ChangeSet> {
    const { sdk, client } = await this.#aws.cloudFormation();
    const endsAtMs = this.#aws.clock.unixMs() + DEPLOY_LIMITS.changeSetWaitMsMax;
    for (;;) {
      const found = await this.#aws.call(
        (options) => client.send(new sdk.DescribeChangeSetCommand(target), options),
        { signal: this.#signal },
      );
      const { Status, StatusReason = '', ChangeSetId = '', StackId = '', Changes = [] } = found;
      if (Status === 'CREATE_COMPLETE')
        return { id: ChangeSetId, stackId: StackId, changes: Changes.map(lineOf) };
      if (Status === 'FAILED') {
        await this.#remove(target);
        if (/didn't contain changes|No updates are to be performed/i.test(StatusReason)) {
          return { id: ChangeSetId, stackId: StackId, changes: [] };
        }
        throw new DeployError('stack_failed', {
          sentence: 'CloudFormation does not take the change; its words below say why.',
          serviceText: StatusReason,
        });
      }
      if (this.#aws.clock.unixMs() >= endsAtMs) throw new DeployError('wait_timeout');
      await sleep(this.#aws.clock, DEPLOY_LIMITS.changeSetPollMs, { signal: this.#signal });
    }
  }

  async #remove(target: { readonly StackName: string; readonly ChangeSetName: string }): Promise<void> {
    const { sdk, client } = await this.#aws.cloudFormation();
    await this.#aws.call((options) => client.send(new sdk.DeleteChangeSetCommand(target), options), {
      signal: this.#signal,
    });
  }
}

function lineOf(change: {
  readonly ResourceChange?:
    | {
        readonly Action?: string | undefined;
        readonly LogicalResourceId?: string | undefined;
        readonly Replacement?: string | undefined;
      }
    | undefined;
}): string {
  const { Action = '', LogicalResourceId = '', Replacement } = change.ResourceChange ?? {};
  return `${Action.toLowerCase()} ${LogicalResourceId}${Replacement === 'True' ? ' (replaced)' : ''}`;
}
