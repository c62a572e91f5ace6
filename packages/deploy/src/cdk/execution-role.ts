import { Aws, type CfnCondition, Fn } from 'aws-cdk-lib';
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { EndpointValues } from './endpoint-values.js';

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/**
 * The role that SageMaker takes to run the container: pull this image, read these weights, write this log and these metrics.
 * Two actions know no resource (`ecr:GetAuthorizationToken`, `cloudwatch:PutMetricData`); the second is held to namespaces.
 */
export function executionRole(scope: Construct, values: EndpointValues): CfnRole {
  return new CfnRole(scope, 'ExecutionRole', {
    description: 'What the container of a Kikitori endpoint may do',
    assumeRolePolicyDocument: policy([
      {
        Effect: 'Allow',
        Principal: { Service: 'sagemaker.amazonaws.com' },
        Action: 'sts:AssumeRole',
        // Nobody can make SageMaker take this role for another account.
        Condition: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      },
    ]),
    policies: [
      { policyName: 'image', policyDocument: policy(imageStatements(values)) },
      { policyName: 'watching', policyDocument: policy(watchingStatements(values)) },
      ...modelPolicies(values),
    ],
    ...(values.tags === undefined ? {} : { tags: values.tags }),
  });
}

function imageStatements({ imageRepositoryArn }: EndpointValues): readonly Statement[] {
  return [
    { Sid: 'LogInToEcr', Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
    {
      Sid: 'PullTheImage',
      Effect: 'Allow',
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      Resource: imageRepositoryArn,
    },
  ];
}

function watchingStatements({ endpointName }: EndpointValues): readonly Statement[] {
  const group = Fn.join('', [
    ...['arn:', Aws.PARTITION, ':logs:', Aws.REGION, ':', Aws.ACCOUNT_ID],
    ':log-group:/aws/sagemaker/Endpoints/',
    endpointName,
  ]);
  return [
    {
      Sid: 'WriteTheLog',
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      Resource: [group, Fn.join('', [group, ':*'])],
    },
    {
      Sid: 'WriteMetrics',
      Effect: 'Allow',
      Action: ['cloudwatch:PutMetricData'],
      Resource: '*',
      Condition: {
        StringEquals: {
          'cloudwatch:namespace': ['AWS/SageMaker', '/aws/sagemaker/Endpoints', 'Kikitori/Bridge'],
        },
      },
    },
  ];
}

/** With weights in S3: those, and the names below their prefix. Without: nothing. */
function modelPolicies({ model }: EndpointValues) {
  if (model === undefined) return [];
  const { bucket, prefix, when } = model;
  const arn = Fn.join('', ['arn:', Aws.PARTITION, ':s3:::', bucket]);
  const document = policy([
    {
      Sid: 'ReadTheWeights',
      Effect: 'Allow',
      Action: ['s3:GetObject'],
      Resource: Fn.join('', [arn, '/', prefix, '*']),
    },
    {
      Sid: 'ListTheWeights',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: arn,
      Condition: { StringLike: { 's3:prefix': Fn.join('', [prefix, '*']) } },
    },
  ]);
  return [onlyWhen(when, { policyName: 'weights', policyDocument: document })];
}

/** A property under a condition. L1 constructs take `Fn::If` for a whole entry only with CloudFormation's own spelling inside. */
function onlyWhen(when: CfnCondition | undefined, entry: CfnRole.PolicyProperty) {
  if (when === undefined) return entry;
  const spelled = { PolicyName: entry.policyName, PolicyDocument: entry.policyDocument };
  return Fn.conditionIf(when.logicalId, spelled, Aws.NO_VALUE);
}

function policy(statements: readonly unknown[]) {
  return { Version: '2012-10-17', Statement: statements };
}
