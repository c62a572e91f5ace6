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

/** ARNs of one account and region. */
export function arns({ region, account, partition }: Place) {
  const arn = (service: string, rest: string, scope = `${region}:${account}`) =>
    `arn:${partition}:${service}:${scope}:${rest}`;
  return {
    stack: (name: string) => arn('cloudformation', `stack/${name}/*`),
    role: (stackName: string) => arn('iam', `role/${stackName}-ExecutionRole-*`, `:${account}`),
    scalingRole: arn(
      'iam',
      'role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint',
      `:${account}`,
    ),
    endpoint: (name: string) => arn('sagemaker', `endpoint/${name.toLowerCase()}`),
    // CloudFormation names them Model-… and EndpointConfig-…; SageMaker's ARNs are in lower case.
    anyModel: arn('sagemaker', 'model/*'),
    models: [arn('sagemaker', 'model/model-*'), arn('sagemaker', 'model/Model-*')],
    configs: [
      arn('sagemaker', 'endpoint-config/endpointconfig-*'),
      arn('sagemaker', 'endpoint-config/EndpointConfig-*'),
    ],
    logGroup: (name: string) => arn('logs', `log-group:${name}`),
    alarms: (stackName: string) => arn('cloudwatch', `alarm:${stackName}-*`),
    dashboard: (name: string) => arn('cloudwatch', `dashboard/${name}`, `:${account}`),
    scalableTargets: arn('application-autoscaling', 'scalable-target/*'),
    repository: (name: string) => arn('ecr', `repository/${name}`),
    bucket: (name: string) => `arn:${partition}:s3:::${name}`,
  };
}
