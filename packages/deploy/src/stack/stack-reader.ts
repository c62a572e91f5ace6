import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DEPLOY_LIMITS } from '../limits.js';

/** A stack as it is now. */
export interface StackFacts {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  /** CloudFormation's words about the status. */
  readonly reason: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date | undefined;
}

/** Something that happened to one resource of a stack. */
export interface StackEvent {
  readonly id: string;
  readonly logicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
}

/** Looks at one stack, by name or by id. A stack that is gone answers to its id only. */
export class StackReader {
  readonly #aws: Aws;

  constructor(aws: Aws) {
    this.#aws = aws;
  }

  /** The stack, or undefined where there is none. */
  async read(
    nameOrId: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<StackFacts | undefined> {
    const { sdk, client } = await this.#aws.cloudFormation();
    try {
      const { Stacks = [] } = await this.#aws.call(
        (options) => client.send(new sdk.DescribeStacksCommand({ StackName: nameOrId }), options),
        { signal },
      );
      const [stack] = Stacks;
      if (stack?.StackId === undefined || stack.StackName === undefined || stack.StackStatus === undefined) {
        return undefined;
      }
      return {
        id: stack.StackId,
        name: stack.StackName,
        status: stack.StackStatus,
        reason: stack.StackStatusReason,
        parameters: record(
          stack.Parameters?.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]),
        ),
        outputs: record(stack.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])),
        tags: record(stack.Tags?.map(({ Key, Value }) => [Key, Value])),
        createdAt: stack.CreationTime,
      };
    } catch (error) {
      if (isRefusal(error, 'ValidationError', /does not exist/)) return undefined;
      throw error;
    }
  }

  /** The newest events, oldest first; how many: `eventPagesMax`. */
  async events(id: string, { signal }: { readonly signal: AbortSignal }): Promise<readonly StackEvent[]> {
    const { sdk, client } = await this.#aws.cloudFormation();
    const found: StackEvent[] = [];
    let token: string | undefined;
    for (let page = 0; page < DEPLOY_LIMITS.eventPagesMax; page += 1) {
      const next = token;
      const { StackEvents = [], NextToken } = await this.#aws.call(
        (options) =>
          client.send(new sdk.DescribeStackEventsCommand({ StackName: id, NextToken: next }), options),
        { signal },
      );
      for (const event of StackEvents) {
        if (event.EventId === undefined) continue;
        found.push({
          id: event.EventId,
          logicalId: event.LogicalResourceId ?? '',
          type: event.ResourceType ?? '',
          status: event.ResourceStatus ?? '',
          reason: event.ResourceStatusReason,
        });
      }
      token = NextToken;
      if (token === undefined) break;
    }
    return found.reverse();
  }

  /** What the stack holds that is not gone: type and name. */
  async resources(
    id: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly { readonly type: string; readonly name: string }[]> {
    const { sdk, client } = await this.#aws.cloudFormation();
    const { StackResources = [] } = await this.#aws.call(
      (options) => client.send(new sdk.DescribeStackResourcesCommand({ StackName: id }), options),
      { signal },
    );
    return StackResources.filter(
      ({ ResourceStatus }) => ResourceStatus !== 'DELETE_COMPLETE' && ResourceStatus !== 'DELETE_SKIPPED',
    ).flatMap(({ ResourceType, PhysicalResourceId }) =>
      ResourceType === undefined || PhysicalResourceId === undefined || PhysicalResourceId === ''
        ? []
        : [{ type: ResourceType, name: PhysicalResourceId }],
    );
  }
}

function record(
  entries: readonly (readonly [string | undefined, string | undefined])[] | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (entries ?? []).flatMap(([key, value]) => (key === undefined ? [] : [[key, value ?? '']])),
  );
}
