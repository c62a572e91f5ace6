import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { ENDPOINT_TAG, stackNameOf } from '../names.js';
import { assertOurs, readFacts } from '../plan/facts.js';
import type { LifecycleOptions } from '../progress.js';
import { StackDriver, type StackResult } from '../stack/stack-driver.js';
import { stateOf } from '../stack/stack-state.js';

/** How many instances. What is not said stays. */
export interface ScaleWish {
  readonly instancesMin?: number | undefined;
  readonly instancesMax?: number | undefined;
  /** Now; scaling goes on from there. */
  readonly instancesDesired?: number | undefined;
}

/** What holds now. */
export interface Scaled {
  readonly result: StackResult;
  readonly instancesMin: number;
  readonly instancesMax: number;
}

/** Everything of a stack that scaling leaves alone. */
const previous = { previous: true } as const;

/**
 * Changes the bounds of scaling through the stack, so that the next `deploy` knows them, and the number of instances directly. No instance is
 * replaced. Rejects with `DeployError` `not_deployed`, `invalid_setting`, and what the stack says.
 */
export async function scaleEndpoint(
  aws: Aws,
  endpointName: string,
  wish: ScaleWish,
  options: LifecycleOptions,
): Promise<Scaled> {
  const { signal } = options;
  const facts = await readFacts(aws, endpointName, signal);
  const { stack } = facts;
  if (stack === undefined) throw new DeployError('not_deployed');
  assertOurs(facts, ENDPOINT_TAG, endpointName);
  if (stateOf(stack.status) === 'broken') throw new DeployError('not_deployed');
  const instancesMin = wish.instancesMin ?? Number(stack.parameters['MinInstances']);
  const instancesMax = wish.instancesMax ?? Math.max(instancesMin, Number(stack.parameters['MaxInstances']));
  checkCounts({ instancesMin, instancesMax, instancesDesired: wish.instancesDesired });
  const parameters = Object.fromEntries(Object.keys(stack.parameters).map((name) => [name, previous]));
  const result = await new StackDriver(aws, options).converge(stackNameOf(endpointName), async (type) => {
    if (type === 'CREATE') throw new DeployError('not_deployed');
    return {
      stackName: stackNameOf(endpointName),
      templateBody: undefined,
      parameters: { ...parameters, MinInstances: String(instancesMin), MaxInstances: String(instancesMax) },
      tags: stack.tags,
    };
  });
  if (wish.instancesDesired !== undefined)
    await setDesired(aws, endpointName, wish.instancesDesired, options);
  return { result, instancesMin, instancesMax };
}

interface Counts {
  readonly instancesMin: number;
  readonly instancesMax: number;
  readonly instancesDesired: number | undefined;
}

function checkCounts({ instancesMin, instancesMax, instancesDesired = instancesMin }: Counts): void {
  if (instancesMin <= instancesDesired && instancesDesired <= instancesMax) return;
  throw new DeployError('invalid_setting', {
    sentence: 'It must hold that min ≤ desired ≤ max; say --min, --desired and --max accordingly.',
  });
}

async function setDesired(
  aws: Aws,
  endpointName: string,
  count: number,
  { signal, onProgress }: LifecycleOptions,
): Promise<void> {
  const input = {
    EndpointName: endpointName,
    DesiredWeightsAndCapacities: [{ VariantName: 'all', DesiredInstanceCount: count }],
  };
  await aws.ask('sageMaker', (sdk) => new sdk.UpdateEndpointWeightsAndCapacitiesCommand(input), signal);
  onProgress({
    step: 'scale',
    kind: 'done',
    text: `SageMaker is asked for ${count} instances; "kikitori status" shows them come`,
  });
}
