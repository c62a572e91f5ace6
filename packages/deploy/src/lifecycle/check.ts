import { BrokenOffError } from '@kikitori/core/hub';
import type { Aws } from '../aws/aws.js';
import { toDeployError } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { checkPermissions, checkQuota } from '../plan/checks.js';
import { type Facts, type Identity, readFactsOf, readIdentity } from '../plan/facts.js';
import { engineOf } from '../plan/parameters.js';
import { type Plan, planDeployment, type Supplies, unknownFacts, unknownIdentity } from '../plan/plan.js';
import type { Check } from '../supplies/supply.js';
import { watched } from '../watchdog.js';
import type { AskedSettings, PreparedDeployment } from './deploy.js';

/** How to look. */
export interface CheckOptions {
  readonly signal: AbortSignal;
  /** Do not ask IAM what these credentials may do. */
  readonly skipsPermissions?: boolean;
  /** For each check; then it counts as unknown. Default: as long as it takes; for a draft `draftCheckMsMax`. */
  readonly timeoutMs?: number;
}

/** One thing to look at. */
interface Look {
  readonly name: string;
  /** Without it there is nothing to deploy. */
  readonly isNeeded: boolean;
  run(signal: AbortSignal): Promise<Check>;
}

/**
 * Everything that must hold before anything is made: who asks, quota, permissions, image, weights. Each once, in this order; one that cannot be
 * looked at is unknown, and has its `failure` where it is needed.
 */
export async function checkDeployment(
  aws: Aws,
  { facts, plan, supplies }: PreparedDeployment,
  options: CheckOptions,
): Promise<readonly Check[]> {
  const { settings } = plan;
  const { image, weights } = supplies;
  const quota = (signal: AbortSignal) => checkQuota(aws, settings.instanceType, plan.instancesNeeded, signal);
  const permissions = (signal: AbortSignal) => checkPermissions(aws, facts, settings.endpointName, signal);
  const looks: readonly Look[] = [
    { name: 'quota', isNeeded: false, run: quota },
    ...(options.skipsPermissions === true
      ? []
      : [{ name: 'permissions', isNeeded: false, run: permissions }]),
    { name: 'image', isNeeded: true, run: (signal) => image.check(signal) },
    ...(weights === undefined
      ? []
      : [{ name: 'weights', isNeeded: true, run: (signal: AbortSignal) => weights.check(signal) }]),
  ];
  return [accountOf(facts), ...(await Promise.all(looks.map((look) => settled(look, options))))];
}

function accountOf({ account, callerArn, region }: Identity): Check {
  return { name: 'account', state: 'ok', text: `${account} as ${callerArn}, in ${region}`, remedy: '' };
}

async function settled({ name, isNeeded, run }: Look, { signal, timeoutMs }: CheckOptions): Promise<Check> {
  try {
    return timeoutMs === undefined ? await run(signal) : await inTime(timeoutMs, signal, run);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const failure = toDeployError(error);
    return { ...unknown(name, failure), ...(isNeeded ? { failure } : {}) };
  }
}

/** As `watched`, and says how long nothing was answered. */
async function inTime<T>(
  timeoutMs: number,
  outer: AbortSignal,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await watched(timeoutMs, outer, look);
  } catch (error) {
    if (!(error instanceof BrokenOffError)) throw error;
    throw new DeployError('wait_timeout', {
      sentence: `Not known after ${timeoutMs / 1_000} s; a deployment asks for longer.`,
    });
  }
}

function unknown(name: string, { message, serviceText = '' }: DeployError, remedy = serviceText): Check {
  return { name, state: 'unknown', text: message, remedy };
}

/** How to draft. */
export interface DraftOptions extends CheckOptions {
  /** Only who asks, and what is there: for whoever wants the policy, and may not do more yet. */
  readonly checksNothing?: boolean;
}

/** A plan to look at, and what of it could be checked. */
export interface DraftedDeployment {
  readonly plan: Plan;
  readonly checks: readonly Check[];
}

/**
 * The plan as far as it can be told, whatever AWS says: without a way to AWS, or without keys, for an account of which nothing is known. What could
 * not be checked is among the checks, as unknown. Rejects with `DeployError` `invalid_setting`, `instance_unknown`, `not_ours`.
 */
export async function draftDeployment(
  aws: Aws,
  asked: AskedSettings,
  suppliesFor: (facts: Facts) => Supplies,
  { timeoutMs = DEPLOY_LIMITS.draftCheckMsMax, checksNothing = false, ...options }: DraftOptions,
): Promise<DraftedDeployment> {
  const { signal } = options;
  const plan = (facts: Facts): PreparedDeployment => {
    const supplies = suppliesFor(facts);
    const settings = { ...asked, engine: engineOf(asked.engine, facts.stack?.parameters) };
    return { facts, supplies, plan: planDeployment(settings, facts, supplies) };
  };
  const identity = await orFailure(readIdentity(aws, signal), signal);
  if (identity instanceof DeployError) {
    const facts = unknownFacts(unknownIdentity(aws.region));
    return { plan: plan(facts).plan, checks: [unknown('account', identity, NOTHING_CHECKED)] };
  }
  // A way to STS is not yet one to the others: networks have a door for each.
  const look = (inner: AbortSignal) => readFactsOf(identity, aws, endpointNameOf(asked), inner);
  const found = await orFailure(inTime(timeoutMs, signal, look), signal);
  const isKnown = !(found instanceof DeployError);
  const prepared = plan(isKnown ? found : unknownFacts(identity));
  const there = isKnown ? [] : [unknown('there', found, AS_NEW)];
  // Who does not get there would wait in vain a second time.
  const isCutOff = !isKnown && ['aws_unreachable', 'wait_timeout'].includes(found.code);
  if (checksNothing || isCutOff) return { plan: prepared.plan, checks: [accountOf(identity), ...there] };
  const checks = await checkDeployment(aws, prepared, { ...options, timeoutMs });
  return { plan: prepared.plan, checks: [...checks, ...there] };
}

const NOTHING_CHECKED =
  'Not checked: what is there already, quota, permissions, image, weights. The plan is that for an account with nothing in it; 000000000000 stands where its number belongs.';
const AS_NEW =
  'What is there already is not known: the plan is that for an account with nothing in it. Quota, permissions, image and weights are not checked where AWS is not reached.';

function endpointNameOf({ endpointName = 'kikitori' }: AskedSettings): string {
  return endpointName;
}

async function orFailure<T extends Facts | Identity>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | DeployError> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return toDeployError(error);
  }
}
