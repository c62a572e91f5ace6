import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { logGroupOf, type Place, stackNameOf } from '../names.js';
import { readStack, type StackFacts } from '../stack/stack-reader.js';
import { stateOf } from '../stack/stack-state.js';

/** Who asks, and where. */
export interface Identity extends Place {
  /** ARN of the user or of the session of a role. */
  readonly callerArn: string;
}

/** What is there already. */
export interface Facts extends Identity {
  readonly stack: StackFacts | undefined;
  /** The endpoint as SageMaker knows it, also one that is not ours. */
  readonly endpoint: { readonly status: string; readonly instances: number } | undefined;
  readonly hasLogGroup: boolean;
}

/** Whose credentials these are. Rejects with `DeployError` `credentials_unavailable`, `credentials_refused`, `aws_unreachable`. */
export async function readIdentity(aws: Aws, signal: AbortSignal): Promise<Identity> {
  const { Account = '', Arn = '' } = await aws.ask(
    'sts',
    (sdk) => new sdk.GetCallerIdentityCommand({}),
    signal,
    { timeoutMs: DEPLOY_LIMITS.identityTimeoutMs, unreachedAttemptsMax: DEPLOY_LIMITS.identityAttemptsMax },
  );
  const [, partition = 'aws'] = Arn.split(':');
  return { account: Account, callerArn: Arn, partition, region: aws.region };
}

/** Everything that the plan depends on. Reads only. */
export async function readFacts(aws: Aws, endpointName: string, signal: AbortSignal): Promise<Facts> {
  return await readFactsOf(await readIdentity(aws, signal), aws, endpointName, signal);
}

/** The same for somebody who is known. */
export async function readFactsOf(
  identity: Identity,
  aws: Aws,
  endpointName: string,
  signal: AbortSignal,
): Promise<Facts> {
  const [stack, endpoint, hasLogGroup] = await Promise.all([
    readStack(aws, stackNameOf(endpointName), signal),
    readEndpoint(aws, endpointName, signal),
    readLogGroup(aws, logGroupOf(endpointName), signal),
  ]);
  return { ...identity, stack, endpoint, hasLogGroup };
}

/** The endpoint, or undefined where there is none. */
export async function readEndpoint(
  aws: Aws,
  endpointName: string,
  signal: AbortSignal,
): Promise<
  | {
      readonly status: string;
      readonly instances: number;
      readonly desired: number;
      readonly createdAt: Date | undefined;
      readonly reason: string | undefined;
    }
  | undefined
> {
  try {
    const input = { EndpointName: endpointName };
    const found = await aws.ask('sageMaker', (sdk) => new sdk.DescribeEndpointCommand(input), signal);
    const [variant] = found.ProductionVariants ?? [];
    return {
      status: found.EndpointStatus ?? '',
      instances: variant?.CurrentInstanceCount ?? 0,
      desired: variant?.DesiredInstanceCount ?? variant?.CurrentInstanceCount ?? 0,
      createdAt: found.CreationTime,
      reason: found.FailureReason,
    };
  } catch (error) {
    if (isRefusal(error, 'ValidationException', /could not find/i)) return undefined;
    throw error;
  }
}

/** Whether a log group of just this name is there. */
export async function readLogGroup(aws: Aws, name: string, signal: AbortSignal): Promise<boolean> {
  const input = { logGroupNamePrefix: name };
  const { logGroups = [] } = await aws.ask('logs', (sdk) => new sdk.DescribeLogGroupsCommand(input), signal);
  return logGroups.some(({ logGroupName }) => logGroupName === name);
}

/** Refuses to touch what somebody else made. Rejects with `DeployError` `not_ours`. */
export function assertOurs(
  { stack, endpoint }: Pick<Facts, 'stack' | 'endpoint'>,
  tag: string,
  name: string,
): void {
  // A change set that was not executed announced it: it holds nothing, and has its tags from when it is made.
  const isAnnounced = stateOf(stack?.status) === 'announced' && stack?.tags[tag] === undefined;
  const made = isAnnounced ? undefined : stack;
  if (made !== undefined && made.tags[tag] !== name) throw new DeployError('not_ours');
  if (made === undefined && endpoint !== undefined) throw new DeployError('not_ours');
}
