/** Where an endpoint is, or will be. */
export interface Place {
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`. */
  readonly partition: string;
}

/** Tag of everything that we make: its value is the endpoint's name. */
export const ENDPOINT_TAG = 'kikitori:endpoint';

/** The stack of an endpoint. */
export function stackNameOf(endpointName: string): string {
  return `kikitori-${endpointName}`;
}

/** The log group that SageMaker writes to. */
export function logGroupOf(endpointName: string): string {
  return `/aws/sagemaker/Endpoints/${endpointName}`;
}

/** Dashboards have one name in all regions of an account. */
export function dashboardOf(endpointName: string, region: string): string {
  return `kikitori-${endpointName}-${region}`;
}

/**
 * Longest stack name that CloudFormation repeats in full in the names that it makes, `STACK-LOGICALID-SUFFIX`: of IAM's 64 and SageMaker's 63
 * characters the suffix takes up to 14 with its dash, our longest id (`EndpointConfig`) 15 with its own.
 */
const WHOLE_STACK_NAME_MAX = 34;
/** What is left of a longer one in any case: CloudFormation cuts stack name and id, and gives each of them half of the room at least. */
const CUT_STACK_NAME_CHARACTERS = 24;

/**
 * What matches the name that CloudFormation makes for a resource: of two dashes it takes one away in some, and a long stack name it cuts. Which
 * names it makes is not in its documentation; this is what it is seen to do, and what its libraries for the makers of resources do.
 */
function generatedName(stackName: string, logicalId: string): string {
  const isWhole = stackName.length <= WHOLE_STACK_NAME_MAX;
  const kept = isWhole ? `${stackName}-${logicalId}-` : stackName.slice(0, CUT_STACK_NAME_CHARACTERS);
  return `${anyDashes(kept)}*`;
}

/** `a--b` also as `a-b`. */
function anyDashes(name: string): string {
  return name.replaceAll(/-{2,}/g, '-*');
}

/** SageMaker's ARNs are in lower case, whatever the name is; IAM compares letter by letter. */
function anyCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, '?');
}

/** ARNs of one account and region, with `*` and `?` as IAM reads them. */
export function arns({ region, account, partition }: Place) {
  const arn = (service: string, rest: string, scope = `${region}:${account}`) =>
    `arn:${partition}:${service}:${scope}:${rest}`;
  // CloudFormation names what SageMaker has `Model-SUFFIX`; others of its resources `STACK-Model-SUFFIX`.
  const served = (kind: string, stackName: string, id: string) =>
    [`${id}-*`, generatedName(stackName, id)].map((name) => arn('sagemaker', `${kind}/${anyCase(name)}`));
  return {
    stack: (name: string) => arn('cloudformation', `stack/${name}/*`),
    role: (stackName: string) =>
      arn('iam', `role/${generatedName(stackName, 'ExecutionRole')}`, `:${account}`),
    scalingRole: arn(
      'iam',
      'role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint',
      `:${account}`,
    ),
    endpoint: (name: string) => arn('sagemaker', `endpoint/${name.toLowerCase()}`),
    anyModel: arn('sagemaker', 'model/*'),
    models: (stackName: string) => served('model', stackName, 'Model'),
    configs: (stackName: string) => served('endpoint-config', stackName, 'EndpointConfig'),
    logGroup: (name: string) => arn('logs', `log-group:${name}`),
    alarms: (stackName: string) => arn('cloudwatch', `alarm:${anyDashes(stackName)}-*`),
    // Those that scaling makes for itself.
    scalingAlarms: (endpointName: string) =>
      arn('cloudwatch', `alarm:TargetTracking-endpoint/${endpointName}/*`),
    dashboard: (name: string) => arn('cloudwatch', `dashboard/${name}`, `:${account}`),
    scalableTargets: arn('application-autoscaling', 'scalable-target/*'),
    repository: (name: string) => arn('ecr', `repository/${name}`),
    bucket: (name: string) => `arn:${partition}:s3:::${name}`,
  };
}
