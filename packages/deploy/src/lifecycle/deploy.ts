import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { logGroupOf } from '../names.js';
import { type Facts, readEndpoint, readFacts, readLogGroup } from '../plan/facts.js';
import { engineOf } from '../plan/parameters.js';
import { extraEnvironment, type Plan, planDeployment, type Supplies, stackWish } from '../plan/plan.js';
import type { LifecycleOptions } from '../progress.js';
import type { EndpointSettings } from '../settings/settings.js';
import { StackDriver, type StackResult } from '../stack/stack-driver.js';
import { readStack } from '../stack/stack-reader.js';
import { loadTemplate } from '../template-text.js';

/** What somebody asks for; without an engine that of the endpoint is kept. */
export type AskedSettings = Omit<EndpointSettings, 'engine'> & Partial<Pick<EndpointSettings, 'engine'>>;

/** A plan, and what it is based on. */
export interface PreparedDeployment {
  readonly facts: Facts;
  readonly plan: Plan;
  readonly supplies: Supplies;
}

/** How a deployment ended. */
export interface Deployed {
  readonly result: StackResult;
  readonly endpointName: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Looks at what is there and works out what to do. Touches nothing. `suppliesFor` says where image and weights come from, once the account is
 * known. Rejects with `DeployError`: see `planDeployment`, and what AWS says.
 */
export async function prepareDeployment(
  aws: Aws,
  settings: AskedSettings,
  suppliesFor: (facts: Facts) => Supplies,
  signal: AbortSignal,
): Promise<PreparedDeployment> {
  const facts = await readFacts(aws, settings.endpointName ?? 'kikitori', signal);
  const supplies = suppliesFor(facts);
  const engine = engineOf(settings.engine, facts.stack?.parameters);
  return { facts, supplies, plan: planDeployment({ ...settings, engine }, facts, supplies) };
}

/**
 * Does what the plan says: image, weights, stack. Idempotent: all state is AWS's, so whoever is interrupted runs it again, and whoever changed a
 * setting gets it changed. Resolves when the endpoint is in service.
 */
export async function deployEndpoint(
  aws: Aws,
  { plan, supplies }: PreparedDeployment,
  options: LifecycleOptions,
): Promise<Deployed> {
  const { signal, onProgress } = options;
  const { settings, stackName } = plan;
  const image = await supplies.image.ensure(options);
  const weights = await supplies.weights?.ensure(options);
  const template = await loadTemplate(extraEnvironment(plan));
  onProgress({ step: 'stack', kind: 'begin', text: `Stack ${stackName}` });
  const logGroup = logGroupOf(settings.endpointName);
  const driver = new StackDriver(aws, options);
  let createsLogGroup = plan.createsLogGroup;
  const result = await driver.converge(stackName, async (type) => {
    // A try that failed has left its log behind, for people to read.
    if (type === 'CREATE') createsLogGroup = !(await readLogGroup(aws, logGroup, signal));
    return stackWish({ ...plan, createsLogGroup }, { image, weights }, template);
  });
  if (!createsLogGroup) await keepLog(aws, logGroup, settings.logRetentionDays, options);
  const endpoint = await readEndpoint(aws, settings.endpointName, signal);
  if (endpoint?.status !== 'InService') {
    throw new DeployError('endpoint_failed', { serviceText: endpoint?.reason });
  }
  onProgress({ step: 'stack', kind: result === 'unchanged' ? 'skip' : 'done', text: DONE[result] });
  const stack = await readStack(aws, stackName, signal);
  return { result, endpointName: settings.endpointName, outputs: stack?.outputs ?? {} };
}

const DONE: Readonly<Record<StackResult, string>> = {
  created: 'The endpoint is in service',
  updated: 'The endpoint is changed and in service',
  unchanged: 'Everything is as it should be; nothing was changed',
};

/** A log group that the stack did not make gets its retention and tag from us. */
async function keepLog(aws: Aws, name: string, days: number, { signal }: LifecycleOptions): Promise<void> {
  const input = { logGroupName: name, retentionInDays: days };
  await aws.ask('logs', (sdk) => new sdk.PutRetentionPolicyCommand(input), signal);
}
