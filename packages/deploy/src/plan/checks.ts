import type { ContextEntry, SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import type { Aws } from '../aws/aws.js';
import { pages } from '../aws/pages.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import type { Check } from '../supplies/supply.js';
import type { Facts } from './facts.js';
import { endpointPermissions } from './permissions.js';

/** Whether the account may have so many instances of a type at once for endpoints. */
export async function checkQuota(
  aws: Aws,
  instanceType: string,
  needed: number,
  signal: AbortSignal,
): Promise<Check> {
  const name = 'quota';
  const what = `${instanceType} for endpoint usage`;
  try {
    const found =
      (await findQuota(aws, what, 'own', signal)) ?? (await findQuota(aws, what, 'default', signal));
    if (found === undefined) {
      return {
        name,
        state: 'unknown',
        text: `Service Quotas has no "${what}" in ${aws.region}`,
        remedy: `Check that ${instanceType} is offered for endpoints in ${aws.region}.`,
      };
    }
    if (found.value >= needed) {
      return { name, state: 'ok', text: `${what}: ${found.value}, needed ${needed}`, remedy: '' };
    }
    return {
      name,
      state: 'missing',
      text: `${what}: ${found.value}, needed ${needed}`,
      remedy: `Ask for more: aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code ${found.code} --desired-value ${needed} --region ${aws.region} (hours to days), or take another --instance-type; --engine moonshine needs no GPU.`,
    };
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'access_denied') throw error;
    return {
      name,
      state: 'unknown',
      text: 'these credentials may not read quotas',
      remedy: 'Allow servicequotas:ListServiceQuotas, or look in the console.',
    };
  }
}

async function findQuota(
  aws: Aws,
  what: string,
  kind: 'own' | 'default',
  signal: AbortSignal,
): Promise<{ readonly value: number; readonly code: string } | undefined> {
  const all = pages(
    DEPLOY_LIMITS.quotaPagesMax,
    (NextToken) => {
      const input = { ServiceCode: 'sagemaker', MaxResults: 100, NextToken };
      return kind === 'own'
        ? aws.ask('serviceQuotas', (sdk) => new sdk.ListServiceQuotasCommand(input), signal)
        : aws.ask('serviceQuotas', (sdk) => new sdk.ListAWSDefaultServiceQuotasCommand(input), signal);
    },
    ({ NextToken }) => NextToken,
  );
  for await (const { Quotas = [] } of all) {
    const found = Quotas.find(({ QuotaName }) => QuotaName === what);
    if (found?.Value !== undefined) return { value: found.Value, code: found.QuotaCode ?? '' };
  }
  return undefined;
}

/** A few actions that stand for the rest: whoever may do these was given our policy, or more. */
const TRIED_ACTIONS = [
  'cloudformation:CreateChangeSet',
  'iam:CreateRole',
  'iam:PassRole',
  'sagemaker:CreateModel',
  'sagemaker:CreateEndpointConfig',
  'sagemaker:CreateEndpoint',
  'application-autoscaling:RegisterScalableTarget',
  'logs:CreateLogGroup',
  'cloudwatch:PutMetricAlarm',
] as const;

const PASSED_TO_SAGEMAKER: ContextEntry = {
  ContextKeyName: 'iam:PassedToService',
  ContextKeyType: 'string',
  ContextKeyValues: ['sagemaker.amazonaws.com'],
};

/** Whether these credentials may do what the deployment does, as far as IAM tells without doing it. */
export async function checkPermissions(
  aws: Aws,
  facts: Facts,
  endpointName: string,
  signal: AbortSignal,
): Promise<Check> {
  const name = 'permissions';
  const principal = principalOf(facts.callerArn);
  const permissions = endpointPermissions(endpointName, facts);
  try {
    const denied: string[] = [];
    const undecided = new Set<string>();
    for (const action of TRIED_ACTIONS) {
      const permission = permissions.find(({ actions }) => actions.includes(action));
      if (permission === undefined) continue;
      const input: SimulatePrincipalPolicyCommandInput = {
        PolicySourceArn: principal,
        ActionNames: [action],
        ResourceArns: permission.resources.slice(0, 1),
        ...(action === 'iam:PassRole' ? { ContextEntries: [PASSED_TO_SAGEMAKER] } : {}),
      };
      const { EvaluationResults = [] } = await aws.ask(
        'iam',
        (sdk) => new sdk.SimulatePrincipalPolicyCommand(input),
        signal,
      );
      for (const { EvalDecision, MissingContextValues: missing = [] } of EvaluationResults) {
        if (EvalDecision === 'allowed') continue;
        // A condition on what the simulation does not know (region, address, MFA) may turn out either way.
        if (missing.length === 0) denied.push(action);
        else for (const key of missing) undecided.add(key);
      }
    }
    if (denied.length > 0) return denial(principal, denied);
    if (undecided.size === 0) return { name, state: 'ok', text: `${principal} may do it`, remedy: '' };
    const text = `it depends on ${[...undecided].join(', ')}, which the simulation of IAM does not know`;
    return { name, state: 'unknown', text, remedy: NAMED_LATER };
  } catch (error) {
    // Not every principal can be simulated: the root user, roles of other accounts.
    const isSilent = error instanceof DeployError && ['access_denied', 'aws_refused'].includes(error.code);
    if (!isSilent) throw error;
    const text = 'IAM does not say what these credentials may do (iam:SimulatePrincipalPolicy)';
    return { name, state: 'unknown', text, remedy: NAMED_LATER };
  }
}

const NAMED_LATER = 'Nothing to do: a permission that is missing is named when it is needed.';

function denial(principal: string, denied: readonly string[]): Check {
  return {
    name: 'permissions',
    state: 'missing',
    text: `${principal} may not do ${denied.join(', ')}`,
    remedy:
      'Give it the policy that "kikitori deploy --policy" prints. Is IAM’s simulation wrong about it? --skip-permission-check goes past it.',
  };
}

/** `arn:aws:sts::1:assumed-role/Admin/me` → the role, which is what IAM knows. */
export function principalOf(callerArn: string): string {
  const [, partition, account, role] =
    /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(callerArn) ?? [];
  return role === undefined ? callerArn : `arn:${partition}:iam::${account}:role/${role}`;
}
