import type { FakeAccount } from './account.js';

/** Why a resource could not be made, changed or removed, in AWS's words. */
export class ResourceFault extends Error {}

/** What CloudFormation knows of a resource that is there. */
export interface Made {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Properties = Readonly<Record<string, unknown>>;

/** How one type of resource is made, changed and removed. Each yields how long it takes, in milliseconds. */
export interface Handler {
  /** Properties that cannot change: the resource is replaced. `all`: none can. */
  readonly fixed: readonly string[] | 'all';
  create(account: FakeAccount, properties: Properties, name: string): Generator<number, Made, void>;
  update(account: FakeAccount, made: Made, properties: Properties): Generator<number, void, void>;
  remove(account: FakeAccount, made: Made): Generator<number, void, void>;
}

const SECOND = 1_000;
const MINUTE = 60_000;

function object(value: unknown): Record<string, unknown> {
  return (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
}

const role: Handler = {
  fixed: [],
  *create(account, properties, name) {
    const arn = account.arn('iam', `role/${name}`);
    account.authorize('iam:CreateRole', arn);
    account.authorize('iam:TagRole', arn);
    for (const _ of (properties['Policies'] ?? []) as unknown[]) account.authorize('iam:PutRolePolicy', arn);
    yield 15 * SECOND;
    const delayMs = account.strikes('slowRole') ? 30 * SECOND : 0;
    account.roles.set(name, { arn, knownAtMs: account.time.nowMs() + delayMs });
    return { physicalId: name, attributes: { Arn: arn } };
  },
  *update(account, { attributes }) {
    account.authorize('iam:PutRolePolicy', attributes['Arn'] ?? '');
    yield 10 * SECOND;
  },
  *remove(account, { physicalId, attributes }) {
    account.authorize('iam:DeleteRolePolicy', attributes['Arn'] ?? '');
    account.authorize('iam:DeleteRole', attributes['Arn'] ?? '');
    yield 2 * SECOND;
    account.roles.delete(physicalId);
  },
};

const logGroup: Handler = {
  fixed: ['LogGroupName'],
  *create(account, properties) {
    const name = String(properties['LogGroupName']);
    account.authorize('logs:CreateLogGroup', account.arn('logs', `log-group:${name}`));
    account.authorize('logs:PutRetentionPolicy', account.arn('logs', `log-group:${name}:*`));
    yield 2 * SECOND;
    if (account.logGroups.has(name))
      throw new ResourceFault(
        `Resource of type 'AWS::Logs::LogGroup' with identifier '${name}' already exists.`,
      );
    account.logGroups.set(name, { retention: Number(properties['RetentionInDays']), lines: [] });
    return { physicalId: name, attributes: {} };
  },
  *update(account, { physicalId }, properties) {
    yield SECOND;
    const group = account.logGroups.get(physicalId);
    if (group !== undefined) group.retention = Number(properties['RetentionInDays']);
  },
  *remove(account, { physicalId }) {
    account.authorize('logs:DeleteLogGroup', account.arn('logs', `log-group:${physicalId}`));
    yield SECOND;
    account.logGroups.delete(physicalId);
  },
};

/** Of our own bucket: what the container would get is whole. Other buckets are not stood in for. */
function checkWeights({ s3 }: FakeAccount, uri = ''): void {
  const [, prefix] = uri.split(`s3://${s3.bucket}/`);
  if (prefix === undefined) return;
  if (!s3.isThere || !s3.objects.has(`${prefix}kikitori-model.json`)) {
    throw new ResourceFault(
      `Could not find model data at ${uri}. No S3 objects found under S3 URL "${uri}".`,
    );
  }
}

const model: Handler = {
  fixed: 'all',
  *create(account, properties, name) {
    const container = object(properties['PrimaryContainer']);
    for (const [key, value] of Object.entries(object(container['Environment']))) {
      if (typeof value !== 'string') throw new ResourceFault(`Environment ${key} must be a string`);
    }
    const roleArn = String(properties['ExecutionRoleArn']);
    account.authorize('sagemaker:CreateModel', account.arn('sagemaker', `model/${name.toLowerCase()}`));
    account.authorize('iam:PassRole', roleArn, { 'iam:PassedToService': 'sagemaker.amazonaws.com' });
    yield 3 * SECOND;
    const found = [...account.roles.values()].find(({ arn }) => arn === roleArn);
    if (found === undefined || found.knownAtMs > account.time.nowMs()) {
      throw new ResourceFault(
        `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role. (Service: SageMaker, Status Code: 400)`,
      );
    }
    const [, image = ''] = String(container['Image']).split('amazonaws.com/');
    if (!account.hasImage(image)) throw new ResourceFault(`Requested image ${image} not found.`);
    const source = object(object(container['ModelDataSource'])['S3DataSource']);
    const weights = source['S3Uri'] === undefined ? undefined : String(source['S3Uri']);
    checkWeights(account, weights);
    account.models.set(name, { role: roleArn, image, weights, environment: container['Environment'] });
    return { physicalId: name, attributes: { ModelName: name } };
  },
  *update() {
    yield 0;
    throw new ResourceFault('a model cannot be changed');
  },
  *remove(account, { physicalId }) {
    account.authorize('sagemaker:DeleteModel', account.arn('sagemaker', `model/${physicalId.toLowerCase()}`));
    yield 2 * SECOND;
    if ([...account.configs.values()].some((config) => config.model === physicalId)) {
      throw new ResourceFault(`Model ${physicalId} is used by an endpoint configuration`);
    }
    account.models.delete(physicalId);
  },
};

const config: Handler = {
  fixed: 'all',
  *create(account, properties, name) {
    const [first] = properties['ProductionVariants'] as unknown[];
    const variant = object(first);
    account.authorize(
      'sagemaker:CreateEndpointConfig',
      account.arn('sagemaker', `endpoint-config/${name.toLowerCase()}`),
    );
    yield 2 * SECOND;
    const of = String(variant['ModelName']);
    if (!account.models.has(of))
      throw new ResourceFault(`Could not find model "${account.arn('sagemaker', `model/${of}`)}".`);
    account.configs.set(name, {
      model: of,
      instanceType: String(variant['InstanceType']),
      instances: Number(variant['InitialInstanceCount']),
    });
    return { physicalId: name, attributes: { EndpointConfigName: name } };
  },
  *update() {
    yield 0;
    throw new ResourceFault('an endpoint configuration cannot be changed');
  },
  *remove(account, { physicalId }) {
    account.authorize(
      'sagemaker:DeleteEndpointConfig',
      account.arn('sagemaker', `endpoint-config/${physicalId.toLowerCase()}`),
    );
    yield 2 * SECOND;
    if ([...account.endpoints.values()].some((endpoint) => endpoint.config === physicalId)) {
      throw new ResourceFault(`Endpoint configuration ${physicalId} is in use`);
    }
    account.configs.delete(physicalId);
  },
};

/** Instances of a type that run now. */
function running(account: FakeAccount, type: string): number {
  return [...account.endpoints.values()]
    .filter((endpoint) => account.configs.get(endpoint.config)?.instanceType === type)
    .reduce((sum, endpoint) => sum + endpoint.instances, 0);
}

function claim(account: FakeAccount, configName: string, count: number): void {
  const found = account.configs.get(configName);
  if (found === undefined) throw new ResourceFault(`Could not find endpoint configuration "${configName}".`);
  const { instanceType } = found;
  const quota = account.quotas.get(instanceType) ?? 0;
  if (running(account, instanceType) + count > quota) {
    throw new ResourceFault(
      `The account-level service limit '${instanceType} for endpoint usage' is ${quota} Instances, with current utilization of ${running(account, instanceType)} Instances and a request delta of ${count} Instances. (ResourceLimitExceeded)`,
    );
  }
}

const endpoint: Handler = {
  fixed: ['EndpointName'],
  *create(account, properties) {
    const name = String(properties['EndpointName']);
    const configName = String(properties['EndpointConfigName']);
    account.authorize('sagemaker:CreateEndpoint', account.arn('sagemaker', `endpoint/${name.toLowerCase()}`));
    account.authorize(
      'sagemaker:CreateEndpoint',
      account.arn('sagemaker', `endpoint-config/${configName.toLowerCase()}`),
    );
    if (account.endpoints.has(name))
      throw new ResourceFault(`Cannot create already existing endpoint "${name}".`);
    claim(account, configName, account.configs.get(configName)?.instances ?? 1);
    const made = {
      name,
      config: configName,
      status: 'Creating',
      instances: 0,
      desired: 0,
      createdAt: new Date(account.time.nowMs()),
    };
    account.endpoints.set(name, made);
    yield 4 * MINUTE;
    if (account.strikes('noCapacity')) {
      account.endpoints.delete(name);
      throw new ResourceFault(
        'Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.',
      );
    }
    const line = (message: string) => {
      const group = account.logGroups.get(`/aws/sagemaker/Endpoints/${name}`);
      const eventId = `${account.time.nowMs()}-${group?.lines.length ?? 0}`;
      group?.lines.push({ eventId, timestamp: account.time.nowMs(), logStreamName: 'all/i-0abc', message });
    };
    line('INFO loading the model');
    yield 5 * MINUTE;
    if (account.strikes('failingEndpoint')) {
      line('ERROR CUDA out of memory');
      account.endpoints.delete(name);
      throw new ResourceFault(
        'The primary container for production variant all did not pass the ping health check. Please check CloudWatch logs for this endpoint.',
      );
    }
    made.status = 'InService';
    made.instances = account.configs.get(configName)?.instances ?? 1;
    made.desired = made.instances;
    line('INFO ready');
    return {
      physicalId: account.arn('sagemaker', `endpoint/${name.toLowerCase()}`),
      attributes: { EndpointName: name },
    };
  },
  *update(account, { attributes }, properties) {
    const name = attributes['EndpointName'] ?? '';
    const configName = String(properties['EndpointConfigName']);
    const found = account.endpoints.get(name);
    if (found === undefined) throw new ResourceFault(`Could not find endpoint "${name}".`);
    if (found.status !== 'InService')
      throw new ResourceFault(`Cannot update in-progress endpoint "${name}".`);
    if (found.config === configName) return;
    account.authorize('sagemaker:UpdateEndpoint', account.arn('sagemaker', `endpoint/${name.toLowerCase()}`));
    // Blue and green stand side by side.
    claim(account, configName, found.instances);
    found.status = 'Updating';
    yield 8 * MINUTE;
    found.config = account.configs.has(configName) ? configName : found.config;
    found.status = 'InService';
    yield 30 * MINUTE;
  },
  *remove(account, { attributes }) {
    const name = attributes['EndpointName'] ?? '';
    account.authorize('sagemaker:DeleteEndpoint', account.arn('sagemaker', `endpoint/${name.toLowerCase()}`));
    const found = account.endpoints.get(name);
    if (found === undefined) return;
    if (found.status === 'Updating') throw new ResourceFault(`Cannot delete in-progress endpoint "${name}".`);
    found.status = 'Deleting';
    yield 2 * MINUTE;
    account.endpoints.delete(name);
  },
};

const target: Handler = {
  fixed: ['ResourceId'],
  *create(account, properties) {
    const id = String(properties['ResourceId']);
    account.authorize(
      'application-autoscaling:RegisterScalableTarget',
      account.arn('application-autoscaling', 'scalable-target/1'),
    );
    yield 2 * SECOND;
    const [, name = ''] = id.split('/');
    if (account.endpoints.get(name)?.status !== 'InService')
      throw new ResourceFault(`ECS service or endpoint doesn't exist: ${id}`);
    account.targets.set(id, {
      min: Number(properties['MinCapacity']),
      max: Number(properties['MaxCapacity']),
    });
    return { physicalId: `${id}|sagemaker:variant:DesiredInstanceCount|sagemaker`, attributes: { Id: id } };
  },
  *update(account, { attributes }, properties) {
    account.authorize(
      'application-autoscaling:RegisterScalableTarget',
      account.arn('application-autoscaling', 'scalable-target/1'),
    );
    yield 2 * SECOND;
    const id = attributes['Id'] ?? '';
    const bounds = { min: Number(properties['MinCapacity']), max: Number(properties['MaxCapacity']) };
    account.targets.set(id, bounds);
    const found = account.endpoints.get(id.split('/')[1] ?? '');
    if (found !== undefined) found.desired = Math.min(bounds.max, Math.max(bounds.min, found.desired));
  },
  *remove(account, { attributes }) {
    account.authorize(
      'application-autoscaling:DeregisterScalableTarget',
      account.arn('application-autoscaling', 'scalable-target/1'),
    );
    yield SECOND;
    account.targets.delete(attributes['Id'] ?? '');
  },
};

/** What is put by name and removed by name. */
function simple(
  kind: 'scalingPolicies' | 'alarms' | 'dashboards',
  actions: readonly [put: string, remove: string],
  nameOf: (properties: Properties, generated: string) => string,
  resourceOf: (account: FakeAccount, name: string) => string,
): Handler {
  return {
    fixed: [],
    *create(account, properties, generated) {
      const name = nameOf(properties, generated);
      account.authorize(actions[0], resourceOf(account, name));
      yield SECOND;
      if (kind === 'alarms') {
        const dimensions = (properties['Dimensions'] ?? []) as readonly unknown[];
        account.alarms.set(name, { state: 'OK', dimensions });
      } else account[kind].set(name, JSON.stringify(properties));
      return { physicalId: name, attributes: { Arn: name } };
    },
    *update(account, { physicalId }) {
      account.authorize(actions[0], resourceOf(account, physicalId));
      yield SECOND;
    },
    *remove(account, { physicalId }) {
      account.authorize(actions[1], resourceOf(account, physicalId));
      yield SECOND;
      account[kind].delete(physicalId);
    },
  };
}

/** Every type that our template has. */
export const HANDLERS: Readonly<Record<string, Handler>> = {
  'AWS::IAM::Role': role,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::SageMaker::Model': model,
  'AWS::SageMaker::EndpointConfig': config,
  'AWS::SageMaker::Endpoint': endpoint,
  'AWS::ApplicationAutoScaling::ScalableTarget': target,
  'AWS::ApplicationAutoScaling::ScalingPolicy': simple(
    'scalingPolicies',
    ['application-autoscaling:PutScalingPolicy', 'application-autoscaling:DeleteScalingPolicy'],
    (properties) => `${String(properties['ScalingTargetId'])}:${String(properties['PolicyName'])}`,
    (account) => account.arn('application-autoscaling', 'scalable-target/1'),
  ),
  'AWS::CloudWatch::Alarm': simple(
    'alarms',
    ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'],
    (_properties, generated) => generated,
    (account, name) => account.arn('cloudwatch', `alarm:${name}`),
  ),
  'AWS::CloudWatch::Dashboard': simple(
    'dashboards',
    ['cloudwatch:PutDashboard', 'cloudwatch:DeleteDashboards'],
    (properties) => String(properties['DashboardName']),
    (account, name) => account.arn('cloudwatch', `dashboard/${name}`),
  ),
};
