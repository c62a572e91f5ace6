/** moto still lacks what `GAPS` says. A row that fails here has been outgrown: it goes. */
import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Moto, REGION } from './moto.js';
import { GAPS } from './moto-gaps.js';
import { whyNoTools } from './tools.js';

const signal = new AbortController().signal;
const ALARM = {
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  EvaluationPeriods: 1,
  MetricName: 'Invocations',
  Namespace: 'AWS/SageMaker',
  Period: 60,
  Statistic: 'Sum',
  Threshold: 1,
} as const;
const TARGET = {
  ServiceNamespace: 'sagemaker',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  ResourceId: 'endpoint/named/variant/all',
};
const TRUST = { Version: '2012-10-17', Statement: [] };

/** A stack with a bit of everything that ours has. */
const TEMPLATE = {
  Parameters: { Days: { Type: 'Number', Default: 7 } },
  Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
  Resources: {
    Group: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: { Ref: 'Days' } } },
    Role: { Type: 'AWS::IAM::Role', DependsOn: 'Nothing', Properties: { AssumeRolePolicyDocument: TRUST } },
    Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: ALARM },
    Target: {
      Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
      Properties: { ...TARGET, MinCapacity: 1, MaxCapacity: 1 },
    },
    Policy: {
      Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
      Properties: {
        PolicyName: 'p',
        PolicyType: 'TargetTrackingScaling',
        ScalingTargetId: { Ref: 'Target' },
      },
    },
    Model: {
      Type: 'AWS::SageMaker::Model',
      Properties: { ExecutionRoleArn: 'arn:aws:iam::123456789012:role/r', PrimaryContainer: { Image: 'i' } },
    },
    Config: {
      Type: 'AWS::SageMaker::EndpointConfig',
      Properties: {
        ProductionVariants: [
          {
            VariantName: 'all',
            ModelName: { 'Fn::GetAtt': ['Model', 'ModelName'] },
            InstanceType: 'ml.c5.xlarge',
            InitialInstanceCount: 1,
            InitialVariantWeight: 1,
          },
        ],
      },
    },
    Endpoint: {
      Type: 'AWS::SageMaker::Endpoint',
      Properties: {
        EndpointName: 'named',
        EndpointConfigName: { 'Fn::GetAtt': ['Config', 'EndpointConfigName'] },
      },
    },
  },
};

describe.skipIf(whyNoTools !== undefined)('moto', () => {
  let moto: Moto;
  /** Types of resources that moto made of `TEMPLATE`. */
  let made: readonly string[] = [];
  /** What moto says would change where a parameter has changed. */
  let changes = 0;

  beforeAll(async () => {
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
    moto = await Moto.start();
    const StackName = 'gaps';
    const TemplateBody = JSON.stringify(TEMPLATE);
    const propose = (ChangeSetName: string, ChangeSetType: 'CREATE' | 'UPDATE', days: string) => {
      const Parameters = [{ ParameterKey: 'Days', ParameterValue: days }];
      const input = { StackName, ChangeSetName, ChangeSetType, TemplateBody, Parameters };
      return moto.aws.ask('cloudFormation', (sdk) => new sdk.CreateChangeSetCommand(input), signal);
    };
    await propose('first', 'CREATE', '7');
    const first = { StackName, ChangeSetName: 'first' };
    await moto.aws.ask('cloudFormation', (sdk) => new sdk.ExecuteChangeSetCommand(first), signal);
    await propose('second', 'UPDATE', '14');
    const second = { StackName, ChangeSetName: 'second' };
    const found = await moto.aws.ask(
      'cloudFormation',
      (sdk) => new sdk.DescribeChangeSetCommand(second),
      signal,
    );
    changes = found.Changes?.length ?? 0;
    const { StackResources = [] } = await moto.aws.ask(
      'cloudFormation',
      (sdk) => new sdk.DescribeStackResourcesCommand({ StackName }),
      signal,
    );
    made = StackResources.flatMap(({ ResourceType }) => ResourceType ?? []);
  });
  afterAll(async () => {
    await moto?.stop();
    vi.unstubAllEnvs();
  });

  const fails = (work: Promise<unknown>) =>
    work.then(
      () => false,
      () => true,
    );
  let bucket = 0;
  /** What of a bucket with an object and an upload moto does not tell. */
  async function forgets(what: 'object' | 'parts' | 'date' | 'count'): Promise<boolean> {
    const s3 = await moto.aws.s3();
    bucket += 1;
    const Bucket = `gaps-${bucket}`;
    const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    const Body = 'weights';
    const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
    const object = { Bucket, Key: 'key' };
    await s3.send(new PutObjectCommand({ ...object, Body, ChecksumSHA256 }));
    const ChecksumMode = 'ENABLED';
    const head = await s3.send(new HeadObjectCommand({ ...object, ChecksumMode }));
    const ChecksumAlgorithm = 'SHA256';
    const begun = await s3.send(new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm }));
    const upload = { ...object, UploadId: begun.UploadId };
    const sent = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body, ChecksumSHA256 }));
    const { Parts: [part] = [] } = await s3.send(new ListPartsCommand(upload));
    const { Uploads: [listed] = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: sent.ETag, ChecksumSHA256 }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    const whole = await s3.send(new HeadObjectCommand({ ...object, ChecksumMode }));
    const told = {
      count: whole.ChecksumSHA256?.endsWith('-1') === true,
      object: head.ChecksumSHA256 !== undefined,
      parts: part?.ChecksumSHA256 !== undefined,
      date: listed?.Initiated?.getUTCFullYear() !== 2010,
    };
    return !told[what];
  }
  const ServiceCode = 'sagemaker';
  const EndpointName = 'named';
  const isLeftOut = (type: string) => async () => !made.includes(type);

  /** By row: whether moto lacks it. */
  const LACKS: Readonly<Record<string, () => Promise<boolean>>> = {
    'servicequotas:ListServiceQuotas': () =>
      fails(
        moto.aws.ask('serviceQuotas', (sdk) => new sdk.ListServiceQuotasCommand({ ServiceCode }), signal),
      ),
    'servicequotas:ListAWSDefaultServiceQuotas': () =>
      fails(
        moto.aws.ask(
          'serviceQuotas',
          (sdk) => new sdk.ListAWSDefaultServiceQuotasCommand({ ServiceCode }),
          signal,
        ),
      ),
    'iam:SimulatePrincipalPolicy': () => {
      const input = { PolicySourceArn: 'arn:aws:iam::123456789012:user/me', ActionNames: ['s3:GetObject'] };
      return fails(moto.aws.ask('iam', (sdk) => new sdk.SimulatePrincipalPolicyCommand(input), signal));
    },
    'registry:PUT': async () => {
      const answered = await fetch(`${moto.url}/v2/kikitori/manifests/1`, { method: 'PUT', body: '{}' });
      return answered.status !== 201;
    },
    'cloudformation:CreateChangeSet': async () => changes === 0,
    'cloudformation:DescribeChangeSet': async () => changes === 0,
    'cloudformation:ExecuteChangeSet': isLeftOut('AWS::CloudWatch::Alarm'),
    'cloudformation:DeleteStack': isLeftOut('AWS::CloudWatch::Alarm'),
    'AWS::CloudWatch::Alarm': isLeftOut('AWS::CloudWatch::Alarm'),
    'AWS::ApplicationAutoScaling::ScalableTarget': isLeftOut('AWS::ApplicationAutoScaling::ScalableTarget'),
    'AWS::ApplicationAutoScaling::ScalingPolicy': isLeftOut('AWS::ApplicationAutoScaling::ScalingPolicy'),
    'sagemaker:DescribeEndpoint': () =>
      fails(moto.aws.ask('sageMaker', (sdk) => new sdk.DescribeEndpointCommand({ EndpointName }), signal)),
    'sagemaker:UpdateEndpointWeightsAndCapacities': () =>
      fails(moto.aws.ask('sageMaker', (sdk) => new sdk.DescribeEndpointCommand({ EndpointName }), signal)),
    'monitoring:DescribeAlarms': async () => {
      const AlarmName = 'gaps-alarm';
      await moto.aws.ask(
        'cloudWatch',
        (sdk) => new sdk.PutMetricAlarmCommand({ AlarmName, ...ALARM }),
        signal,
      );
      const StateReason = 'a test';
      const state = { AlarmName, StateValue: 'OK', StateReason } as const;
      await moto.aws.ask('cloudWatch', (sdk) => new sdk.SetAlarmStateCommand(state), signal);
      const input = { AlarmNamePrefix: 'gaps-', StateValue: 'ALARM' } as const;
      const { MetricAlarms = [] } = await moto.aws.ask(
        'cloudWatch',
        (sdk) => new sdk.DescribeAlarmsCommand(input),
        signal,
      );
      return MetricAlarms.length > 0;
    },
    's3:PutObject': () => forgets('object'),
    's3:UploadPart': () => forgets('parts'),
    's3:ListParts': () => forgets('parts'),
    's3:HeadObject': () => forgets('count'),
    's3:ListMultipartUploads': () => forgets('date'),
    'cloudformation:DescribeStacks': () => {
      const ProductionVariants = [
        {
          VariantName: 'all',
          ModelName: 'm',
          InstanceType: 'ml.g6.4xlarge' as const,
          InitialInstanceCount: 1,
        },
      ];
      const input = { EndpointConfigName: 'gaps', ProductionVariants };
      return fails(moto.aws.ask('sageMaker', (sdk) => new sdk.CreateEndpointConfigCommand(input), signal));
    },
  };

  it.each(GAPS)('still has need of the row $of', async ({ of }) => {
    expect(await LACKS[of]?.()).toBe(true);
  });
});
