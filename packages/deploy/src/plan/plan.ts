import { awsPartitionOf } from '@kikitori/core/aws-partition';
import { DeployError } from '../errors.js';
import { arns, ENDPOINT_TAG, logGroupOf, type Place, stackNameOf } from '../names.js';
import { checkSettings } from '../settings/check-settings.js';
import { otherVariables } from '../settings/container-environment.js';
import { costLine } from '../settings/prices.js';
import type { EndpointSettings, ResolvedSettings } from '../settings/settings.js';
import type { StackWish } from '../stack/change-set.js';
import { stateOf } from '../stack/stack-state.js';
import type { GivenImage, GivenWeights, Supply } from '../supplies/supply.js';
import { assertOurs, type Facts, type Identity } from './facts.js';
import { checkParameters, settingsOver, stackParameters } from './parameters.js';
import { endpointPermissions, type PolicyDocument, policyOf } from './permissions.js';

/** What happens at a step. */
export interface PlanStep {
  readonly id: 'image' | 'weights' | 'log' | 'stack' | 'try';
  /** One line. */
  readonly text: string;
  /** What it may take, in minutes: least and most. */
  readonly minutes: readonly [number, number];
}

/** A deployment, worked out: what will be done, what it costs, who may do it. Data, nothing has been touched. */
export interface Plan {
  readonly kind: 'create' | 'update';
  readonly settings: ResolvedSettings;
  readonly stackName: string;
  readonly steps: readonly PlanStep[];
  readonly cost: string;
  /** Instances that the quota must allow: an update has both fleets at once. */
  readonly instancesNeeded: number;
  readonly policy: PolicyDocument;
  readonly createsLogGroup: boolean;
  readonly initialInstances: number;
}

/** Where image and weights come from. */
export interface Supplies {
  readonly image: Supply<GivenImage>;
  /** Absent where the image holds them. */
  readonly weights: Supply<GivenWeights> | undefined;
}

/**
 * Works out what there is to do for these settings where these facts hold. Pure. Throws `DeployError` `invalid_setting`, `instance_unknown`,
 * `not_ours`.
 */
export function planDeployment(given: EndpointSettings, facts: Facts, supplies: Supplies): Plan {
  const endpointName = given.endpointName ?? 'kikitori';
  assertOurs(facts, ENDPOINT_TAG, endpointName);
  const state = stateOf(facts.stack?.status);
  const isThere =
    state === 'settled' || state === 'stuck' || (state === 'busy' && facts.endpoint !== undefined);
  const parameters = isThere ? facts.stack?.parameters : undefined;
  const settings = settingsOver(given, parameters);
  checkSettings(settings);
  checkParameters(settings);
  if (settings.engine === 'vllm' && supplies.weights === undefined) {
    throw new DeployError('invalid_setting', {
      sentence: 'vLLM needs weights: name them with --model-s3 or --model.',
    });
  }
  const permissions = [
    ...endpointPermissions(endpointName, facts),
    ...supplies.image.permissions,
    ...(supplies.weights?.permissions ?? []),
  ];
  const createsLogGroup =
    parameters === undefined ? !facts.hasLogGroup : parameters['CreateLogGroup'] === 'true';
  return {
    kind: parameters === undefined ? 'create' : 'update',
    settings,
    stackName: stackNameOf(endpointName),
    steps: stepsOf(settings, supplies, { isUpdate: parameters !== undefined, createsLogGroup }),
    cost: costLine(settings, facts.region),
    instancesNeeded:
      parameters === undefined
        ? settings.instancesMax
        : settings.instancesMax + (facts.endpoint?.instances ?? 0),
    policy: policyOf(permissions),
    createsLogGroup,
    initialInstances: Number(parameters?.['InitialInstances'] ?? settings.instancesMin),
  };
}

function stepsOf(
  settings: ResolvedSettings,
  supplies: Supplies,
  { isUpdate, createsLogGroup }: { readonly isUpdate: boolean; readonly createsLogGroup: boolean },
): readonly PlanStep[] {
  const { instanceType, endpointName, terminationWaitSeconds } = settings;
  const isVllm = settings.engine === 'vllm';
  const steps: PlanStep[] = [
    {
      id: 'image',
      text: supplies.image.summary,
      minutes: supplies.image.minutes,
    },
  ];
  if (supplies.weights !== undefined) {
    const { summary, minutes } = supplies.weights;
    steps.push({ id: 'weights', text: summary, minutes });
  }
  if (!createsLogGroup && !isUpdate) {
    const text = `keep the log group ${logGroupOf(endpointName)} that is there, for ${settings.logRetentionDays} days`;
    steps.push({ id: 'log', text, minutes: [0, 1] });
  }
  const waitMinutes = Math.ceil(terminationWaitSeconds / 60);
  steps.push({
    id: 'stack',
    text: isUpdate
      ? `change the stack kikitori-${endpointName}: new instances beside the old, which keep their streams for up to ${waitMinutes} minutes`
      : `make the stack kikitori-${endpointName}: role, log group, model, configuration, endpoint on ${instanceType}, scaling, dashboard, alarms`,
    minutes: isUpdate ? [1, (isVllm ? 45 : 15) + waitMinutes] : isVllm ? [10, 45] : [5, 15],
  });
  steps.push({
    id: 'try',
    text: 'send ten seconds of speech through the endpoint and print the words',
    minutes: [0, 1],
  });
  return steps;
}

/** What CloudFormation is told, once image and weights are there. */
export function stackWish(
  plan: Plan,
  given: { readonly image: GivenImage; readonly weights: GivenWeights | undefined },
  templateBody: string,
): StackWish {
  return {
    stackName: plan.stackName,
    templateBody,
    parameters: stackParameters(plan.settings, {
      ...given,
      initialInstances: plan.initialInstances,
      createsLogGroup: plan.createsLogGroup,
    }),
    tags: { [ENDPOINT_TAG]: plan.settings.endpointName },
  };
}

/** Variables that the template has no parameter for. */
export function extraEnvironment({ settings }: Plan): Readonly<Record<string, string>> {
  return settings.engine === 'vllm' ? otherVariables(settings.vllm.others) : {};
}

/** Somebody in an account that nobody asked: for a plan without credentials, or without a way to AWS. */
export function unknownIdentity(region: string): Identity {
  const place: Place = { region, account: '000000000000', partition: awsPartitionOf(region).id };
  return { ...place, callerArn: arns(place).endpoint('unknown') };
}

/** Facts of an account of which nothing is known. */
export function unknownFacts(identity: Identity): Facts {
  return { ...identity, stack: undefined, endpoint: undefined, hasLogGroup: false };
}
