import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { pages } from '../aws/pages.js';
import { DEPLOY_LIMITS } from '../limits.js';

/** A stack as it is now. */
export interface StackFacts {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Something that happened to one resource of a stack. */
export interface StackEvent {
  readonly id: string;
  readonly logicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
}

/** A stack by name or id, or undefined where there is none. One that is gone answers to its id only. */
export async function readStack(
  aws: Aws,
  nameOrId: string,
  signal: AbortSignal,
): Promise<StackFacts | undefined> {
  try {
    const input = { StackName: nameOrId };
    const { Stacks: [stack] = [] } = await aws.ask(
      'cloudFormation',
      (sdk) => new sdk.DescribeStacksCommand(input),
      signal,
    );
    if (stack?.StackId === undefined || stack.StackName === undefined || stack.StackStatus === undefined) {
      return undefined;
    }
    return {
      id: stack.StackId,
      name: stack.StackName,
      status: stack.StackStatus,
      parameters: record(
        stack.Parameters?.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]),
      ),
      outputs: record(stack.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])),
      tags: record(stack.Tags?.map(({ Key, Value }) => [Key, Value])),
    };
  } catch (error) {
    if (isRefusal(error, 'ValidationError', /does not exist/)) return undefined;
    throw error;
  }
}

/** The newest events of a stack, oldest first; how many: `eventPagesMax`. */
export async function readEvents(aws: Aws, id: string, signal: AbortSignal): Promise<readonly StackEvent[]> {
  const found: StackEvent[] = [];
  const all = pages(
    DEPLOY_LIMITS.eventPagesMax,
    (NextToken) => {
      const input = { StackName: id, NextToken };
      return aws.ask('cloudFormation', (sdk) => new sdk.DescribeStackEventsCommand(input), signal);
    },
    ({ NextToken }) => NextToken,
  );
  for await (const { StackEvents = [] } of all) {
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
  }
  return found.reverse();
}

/** What a stack holds that is not gone: type and name. */
export async function readResources(
  aws: Aws,
  id: string,
  signal: AbortSignal,
): Promise<readonly { readonly type: string; readonly name: string }[]> {
  const input = { StackName: id };
  const { StackResources = [] } = await aws.ask(
    'cloudFormation',
    (sdk) => new sdk.DescribeStackResourcesCommand(input),
    signal,
  );
  return StackResources.flatMap(
    ({ ResourceType: type, PhysicalResourceId: name = '', ResourceStatus = '' }) => {
      const isGone = ['DELETE_COMPLETE', 'DELETE_SKIPPED'].includes(ResourceStatus);
      return isGone || type === undefined || name === '' ? [] : [{ type, name }];
    },
  );
}

function record(
  entries: readonly (readonly [string | undefined, string | undefined])[] = [],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.flatMap(([key, value = '']) => (key === undefined ? [] : [[key, value]])),
  );
}
