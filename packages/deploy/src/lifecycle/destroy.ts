import { modelBucketName } from '../artefacts/model-bucket.js';
import { formatS3Uri } from '../artefacts/s3-location.js';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { parseEcrName } from '../image/ecr-name.js';
import { DEFAULT_REPOSITORY } from '../image/repository.js';
import { ENDPOINT_TAG, logGroupOf, stackNameOf } from '../names.js';
import { assertOurs, type Facts, readFacts, readLogGroup } from '../plan/facts.js';
import type { LifecycleOptions } from '../progress.js';
import { StackDriver } from '../stack/stack-driver.js';
import { readResources, readStack } from '../stack/stack-reader.js';
import { stateOf } from '../stack/stack-state.js';
import { type ModelUse, readModelUses } from '../supplies/model-users.js';
import type { SweepOptions } from '../supplies/sweep.js';
import { sweepImages } from '../supplies/sweep-images.js';
import { sweepWeights } from '../supplies/sweep-weights.js';

/** What to remove besides the endpoint. */
export interface DestroyWish {
  readonly endpointName: string;
  /** Leave the log where it is. */
  readonly keepsLog: boolean;
  /** Images and weights that were brought for it as well, unless another endpoint or model uses them. */
  readonly isAll: boolean;
}

/** What happened. */
export interface Destroyed {
  /** Whether there was a stack. */
  readonly hadStack: boolean;
  /** What is still there, a line each; nothing of it costs by the hour. */
  readonly left: readonly string[];
}

/**
 * Removes everything that `deploy` made, also what it left half done; then lists what stays. Rejects with `DeployError` `left_behind` where
 * something could not be removed, `not_deployed` where there is nothing at all.
 */
export async function destroyEndpoint(
  aws: Aws,
  wish: DestroyWish,
  options: LifecycleOptions,
): Promise<Destroyed> {
  const { signal, onProgress } = options;
  const facts = await readFacts(aws, wish.endpointName, signal);
  assertOurs(facts, ENDPOINT_TAG, wish.endpointName);
  const { stack } = facts;
  if (stack !== undefined) {
    onProgress({ step: 'stack', kind: 'begin', text: `Removing the stack ${stack.name}` });
    await removeStack(aws, wish.endpointName, options);
    onProgress({
      step: 'stack',
      kind: 'done',
      text: 'The stack is gone, and the endpoint with it: nothing costs by the hour any more',
    });
  }
  // A container's last words may have made the group anew: it is looked at when everything else is gone.
  const left = [...(await sweepLog(aws, wish, options)), ...(await sweepSupplies(aws, wish, facts, options))];
  left.push(
    'the service-linked role AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint, if scaling made it: other endpoints share it, it costs nothing',
  );
  return { hadStack: stack !== undefined, left };
}

async function removeStack(aws: Aws, endpointName: string, options: LifecycleOptions): Promise<void> {
  const { signal, onProgress } = options;
  const driver = new StackDriver(aws, options);
  for (;;) {
    const stack = await readStack(aws, stackNameOf(endpointName), signal);
    if (stack === undefined) return;
    const canBeDeleted = stateOf(stack.status) !== 'busy' || stack.status === 'CREATE_IN_PROGRESS';
    if (canBeDeleted) {
      try {
        await driver.remove(stack);
      } catch (error) {
        if (!(error instanceof DeployError) || error.code !== 'left_behind') throw error;
        for (const { type, name } of await readResources(aws, stack.id, signal)) {
          onProgress({ step: 'stack', kind: 'note', text: `left: ${type} ${name}` });
        }
        throw error;
      }
      return;
    }
    if (stack.status === 'UPDATE_IN_PROGRESS') await driver.cancelUpdate(stack);
    onProgress({
      step: 'stack',
      kind: 'note',
      text: `CloudFormation is at ${stack.status}: waiting for it first`,
    });
    await driver.settle(stack);
  }
}

async function sweepLog(
  aws: Aws,
  { endpointName, keepsLog }: DestroyWish,
  { signal, onProgress }: LifecycleOptions,
): Promise<readonly string[]> {
  const name = logGroupOf(endpointName);
  if (!(await readLogGroup(aws, name, signal))) return [];
  if (keepsLog) return [`the log group ${name}, until its lines are old enough (a few cents a GB and month)`];
  try {
    await aws.ask('logs', (sdk) => new sdk.DeleteLogGroupCommand({ logGroupName: name }), signal);
  } catch (error) {
    // Gone with an earlier try, whose answer was lost.
    if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
  }
  onProgress({ step: 'log', kind: 'done', text: `The log group ${name} is gone` });
  return [];
}

/** What the stack used and did not hold: what somebody named is theirs, what we brought is listed or removed. */
async function sweepSupplies(
  aws: Aws,
  { endpointName, isAll }: DestroyWish,
  facts: Facts,
  { signal, onProgress }: LifecycleOptions,
): Promise<readonly string[]> {
  let found: Promise<readonly ModelUse[] | undefined> | undefined;
  const uses = () => {
    found ??= readModelUses(aws, signal);
    return found;
  };
  const sweep: SweepOptions = { endpointName, place: facts, isAll, uses, signal, onProgress };
  return [...namedSupplies(facts), ...(await sweepImages(aws, sweep)), ...(await sweepWeights(aws, sweep))];
}

function namedSupplies({ stack, account, region }: Facts): readonly string[] {
  const {
    ImageUri: image = '',
    ModelBucket: bucket = '',
    ModelPrefix: prefix = '',
  } = stack?.parameters ?? {};
  const isOwnImage = parseEcrName(image)?.repository === DEFAULT_REPOSITORY;
  const isOwnBucket = bucket === modelBucketName(account, region);
  return [
    ...(image === '' || isOwnImage ? [] : [`the image ${image}: it was named, not made`]),
    ...(bucket === '' || isOwnBucket
      ? []
      : [`the weights in ${formatS3Uri({ bucket, prefix })}: they were named, not brought`]),
  ];
}
