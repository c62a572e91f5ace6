import { modelBucketName } from '../artefacts/model-bucket.js';
import { DEFAULT_REPOSITORY } from '../image/repository.js';
import { arns, dashboardOf, logGroupOf, type Place, stackNameOf } from '../names.js';

/** One permission: actions on resources, and what for. */
export interface Permission {
  /** Name of the statement: letters and digits. */
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** An IAM policy document. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }[];
}

const EVERYWHERE = ['*'];

/**
 * What `deploy`, `status`, `logs`, `scale` and `destroy` do with an endpoint of this name, what CloudFormation does for them with the same
 * credentials included. `*` stands only where the action knows no narrower resource.
 */
export function endpointPermissions(endpointName: string, place: Place): readonly Permission[] {
  const stackName = stackNameOf(endpointName);
  const arn = arns(place);
  const logGroup = arn.logGroup(logGroupOf(endpointName));
  return [
    {
      sid: 'Stack',
      actions: [
        'cloudformation:CreateChangeSet',
        'cloudformation:DescribeChangeSet',
        'cloudformation:ExecuteChangeSet',
        'cloudformation:DeleteChangeSet',
        'cloudformation:DescribeStacks',
        'cloudformation:DescribeStackEvents',
        'cloudformation:DescribeStackResources',
        'cloudformation:CancelUpdateStack',
        'cloudformation:DeleteStack',
        'cloudformation:TagResource',
      ],
      resources: [arn.stack(stackName)],
    },
    ...rolePermissions(stackName, place),
    ...lookPermissions(place),
    ...servingPermissions(endpointName, place),
    ...scalingPermissions(place),
    ...watchingPermissions(endpointName, place, logGroup),
    {
      sid: 'Checks',
      actions: [
        'servicequotas:ListServiceQuotas',
        'servicequotas:ListAWSDefaultServiceQuotas',
        'iam:SimulatePrincipalPolicy',
      ],
      resources: EVERYWHERE,
    },
  ];
}

/** What `destroy` looks at, to list what it leaves, and to leave what somebody else uses. */
function lookPermissions(place: Place): readonly Permission[] {
  const arn = arns(place);
  return [
    { sid: 'LookAtModels', actions: ['sagemaker:ListModels'], resources: EVERYWHERE },
    { sid: 'LookAtEachModel', actions: ['sagemaker:DescribeModel'], resources: [arn.anyModel] },
    {
      sid: 'LookAtOwnImages',
      actions: ['ecr:DescribeImages', 'ecr:ListTagsForResource'],
      resources: [arn.repository(DEFAULT_REPOSITORY)],
    },
    {
      sid: 'LookAtOwnBucket',
      actions: ['s3:ListBucket', 's3:GetBucketTagging'],
      resources: [arn.bucket(modelBucketName(place.account, place.region))],
    },
  ];
}

function rolePermissions(stackName: string, place: Place): readonly Permission[] {
  const arn = arns(place);
  return [
    {
      sid: 'ExecutionRole',
      actions: [
        'iam:CreateRole',
        'iam:GetRole',
        'iam:UpdateRole',
        'iam:UpdateAssumeRolePolicy',
        'iam:DeleteRole',
        'iam:PutRolePolicy',
        'iam:GetRolePolicy',
        'iam:DeleteRolePolicy',
        'iam:ListRolePolicies',
        'iam:ListAttachedRolePolicies',
        'iam:TagRole',
        'iam:UntagRole',
      ],
      resources: [arn.role(stackName)],
    },
    {
      sid: 'HandTheRoleToSageMaker',
      actions: ['iam:PassRole'],
      resources: [arn.role(stackName)],
      condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
    },
  ];
}

function servingPermissions(endpointName: string, place: Place): readonly Permission[] {
  const arn = arns(place);
  return [
    {
      sid: 'ModelAndConfiguration',
      actions: [
        'sagemaker:CreateModel',
        'sagemaker:DescribeModel',
        'sagemaker:DeleteModel',
        'sagemaker:CreateEndpointConfig',
        'sagemaker:DescribeEndpointConfig',
        'sagemaker:DeleteEndpointConfig',
        'sagemaker:AddTags',
        'sagemaker:ListTags',
        'sagemaker:DeleteTags',
      ],
      resources: [...arn.models, ...arn.configs],
    },
    {
      sid: 'Endpoint',
      actions: [
        'sagemaker:CreateEndpoint',
        'sagemaker:DescribeEndpoint',
        'sagemaker:UpdateEndpoint',
        'sagemaker:UpdateEndpointWeightsAndCapacities',
        'sagemaker:DeleteEndpoint',
        'sagemaker:AddTags',
        'sagemaker:ListTags',
        'sagemaker:DeleteTags',
        'sagemaker:InvokeEndpointWithBidirectionalStream',
      ],
      resources: [arn.endpoint(endpointName), ...arn.configs],
    },
  ];
}

function scalingPermissions(place: Place): readonly Permission[] {
  const arn = arns(place);
  return [
    {
      sid: 'Scaling',
      actions: [
        'application-autoscaling:RegisterScalableTarget',
        'application-autoscaling:DeregisterScalableTarget',
        'application-autoscaling:PutScalingPolicy',
        'application-autoscaling:DeleteScalingPolicy',
        'application-autoscaling:TagResource',
      ],
      resources: [arn.scalableTargets],
    },
    {
      sid: 'LookAtScaling',
      actions: [
        'application-autoscaling:DescribeScalableTargets',
        'application-autoscaling:DescribeScalingPolicies',
      ],
      resources: EVERYWHERE,
    },
    {
      sid: 'RoleOfScaling',
      actions: ['iam:CreateServiceLinkedRole'],
      resources: [arn.scalingRole],
      condition: {
        StringLike: { 'iam:AWSServiceName': 'sagemaker.application-autoscaling.amazonaws.com' },
      },
    },
  ];
}

function watchingPermissions(endpointName: string, place: Place, logGroup: string): readonly Permission[] {
  const stackName = stackNameOf(endpointName);
  const arn = arns(place);
  return [
    {
      sid: 'Log',
      actions: [
        'logs:CreateLogGroup',
        'logs:PutRetentionPolicy',
        'logs:DeleteRetentionPolicy',
        'logs:DeleteLogGroup',
        'logs:TagResource',
        'logs:UntagResource',
        'logs:ListTagsForResource',
        'logs:FilterLogEvents',
      ],
      resources: [logGroup, `${logGroup}:*`],
    },
    {
      sid: 'AlarmsAndDashboard',
      actions: [
        'cloudwatch:PutMetricAlarm',
        'cloudwatch:DeleteAlarms',
        'cloudwatch:TagResource',
        'cloudwatch:UntagResource',
        'cloudwatch:ListTagsForResource',
        'cloudwatch:PutDashboard',
        'cloudwatch:GetDashboard',
        'cloudwatch:DeleteDashboards',
      ],
      resources: [arn.alarms(stackName), arn.dashboard(dashboardOf(endpointName, place.region))],
    },
    {
      sid: 'Look',
      actions: ['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'logs:DescribeLogGroups'],
      resources: EVERYWHERE,
    },
  ];
}

/** What building and pushing an image needs. */
export function imagePermissions(repository: string, place: Place): readonly Permission[] {
  return [
    { sid: 'LogInToEcr', actions: ['ecr:GetAuthorizationToken'], resources: EVERYWHERE },
    {
      sid: 'Image',
      actions: [
        'ecr:CreateRepository',
        'ecr:PutLifecyclePolicy',
        'ecr:DescribeRepositories',
        'ecr:DescribeImages',
        'ecr:ListTagsForResource',
        'ecr:TagResource',
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:GetDownloadUrlForLayer',
        'ecr:InitiateLayerUpload',
        'ecr:UploadLayerPart',
        'ecr:CompleteLayerUpload',
        'ecr:PutImage',
        'ecr:BatchDeleteImage',
        'ecr:DeleteRepository',
      ],
      resources: [arns(place).repository(repository)],
    },
  ];
}

/** What looking at an image that is there needs. */
export function givenImagePermissions(repositoryArn: string): readonly Permission[] {
  const actions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];
  return [{ sid: 'LookAtTheImage', actions, resources: [repositoryArn] }];
}

/** What copying weights into a bucket of ours needs, and removing them. */
export function weightsPermissions(bucket: string, place: Place): readonly Permission[] {
  const arn = arns(place).bucket(bucket);
  return [
    {
      sid: 'Bucket',
      actions: [
        's3:CreateBucket',
        's3:DeleteBucket',
        's3:ListBucket',
        's3:ListBucketMultipartUploads',
        's3:GetBucketLocation',
        's3:GetBucketTagging',
        's3:PutBucketPublicAccessBlock',
        's3:PutBucketTagging',
        's3:PutLifecycleConfiguration',
      ],
      resources: [arn],
    },
    {
      sid: 'Weights',
      actions: [
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      resources: [`${arn}/models/*`, `${arn}/endpoints/*`],
    },
  ];
}

/** What looking at weights that are there needs. */
export function givenWeightsPermissions(bucket: string, prefix: string, place: Place): readonly Permission[] {
  const arn = arns(place).bucket(bucket);
  return [
    { sid: 'LookAtTheBucket', actions: ['s3:ListBucket', 's3:GetBucketLocation'], resources: [arn] },
    { sid: 'LookAtTheWeights', actions: ['s3:GetObject'], resources: [`${arn}/${prefix}*`] },
  ];
}

/** A policy that allows just that. */
export function policyOf(permissions: readonly Permission[]): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: permissions.map(({ sid, actions, resources, condition }) => ({
      Sid: sid,
      Effect: 'Allow',
      Action: actions,
      Resource: resources,
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  };
}
