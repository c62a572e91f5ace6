import { modelBucketName } from '../artefacts/model-bucket.js';
import { DEFAULT_REPOSITORY } from '../image/repository.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { arns, dashboardOf, logGroupOf, type Place, stackNameOf } from '../names.js';

/** One permission: actions on resources, and what for. */
export interface Permission {
  /** Name of the statement, letters and digits. Permissions of one name are one statement of the policy. */
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
 * credentials included. `*` stands only where the action knows no narrower resource. The first resource of each is one that its first actions
 * are about.
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
      sid: 'Look',
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
    { sid: 'Look', actions: ['sagemaker:ListModels'], resources: EVERYWHERE },
    { sid: 'LookAtEachModel', actions: ['sagemaker:DescribeModel'], resources: [arn.anyModel] },
    {
      sid: 'Image',
      actions: ['ecr:DescribeImages', 'ecr:ListTagsForResource'],
      resources: [arn.repository(DEFAULT_REPOSITORY)],
    },
    {
      sid: 'Bucket',
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
        'iam:UpdateRoleDescription',
        'iam:UpdateAssumeRolePolicy',
        'iam:DeleteRole',
        'iam:PutRolePolicy',
        'iam:GetRolePolicy',
        'iam:DeleteRolePolicy',
        'iam:ListRolePolicies',
        'iam:ListAttachedRolePolicies',
        'iam:ListRoleTags',
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
  const stackName = stackNameOf(endpointName);
  const tagging = ['sagemaker:AddTags', 'sagemaker:ListTags', 'sagemaker:DeleteTags'];
  return [
    {
      sid: 'Serving',
      actions: ['sagemaker:CreateModel', 'sagemaker:DeleteModel', ...tagging],
      resources: arn.models(stackName),
    },
    {
      sid: 'Serving',
      actions: [
        'sagemaker:CreateEndpoint',
        'sagemaker:DescribeEndpoint',
        'sagemaker:UpdateEndpoint',
        'sagemaker:UpdateEndpointWeightsAndCapacities',
        'sagemaker:DeleteEndpoint',
        'sagemaker:InvokeEndpointWithBidirectionalStream',
        ...tagging,
      ],
      resources: [arn.endpoint(endpointName)],
    },
    {
      sid: 'Serving',
      actions: [
        'sagemaker:CreateEndpointConfig',
        'sagemaker:DescribeEndpointConfig',
        'sagemaker:DeleteEndpointConfig',
        // To make an endpoint is asked for it and for what it gets.
        'sagemaker:CreateEndpoint',
        'sagemaker:UpdateEndpoint',
        ...tagging,
      ],
      resources: arn.configs(stackName),
    },
  ];
}

function scalingPermissions(place: Place): readonly Permission[] {
  const arn = arns(place);
  return [
    {
      sid: 'Watching',
      actions: [
        'application-autoscaling:RegisterScalableTarget',
        'application-autoscaling:DeregisterScalableTarget',
        'application-autoscaling:PutScalingPolicy',
        'application-autoscaling:DeleteScalingPolicy',
        'application-autoscaling:TagResource',
        'application-autoscaling:UntagResource',
        'application-autoscaling:ListTagsForResource',
      ],
      resources: [arn.scalableTargets],
    },
    {
      sid: 'Look',
      actions: [
        'application-autoscaling:DescribeScalableTargets',
        'application-autoscaling:DescribeScalingPolicies',
        'application-autoscaling:DescribeScheduledActions',
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
      sid: 'Watching',
      actions: [
        'logs:CreateLogGroup',
        'logs:PutRetentionPolicy',
        'logs:DeleteRetentionPolicy',
        'logs:DeleteLogGroup',
        'logs:TagResource',
        'logs:UntagResource',
        'logs:ListTagsForResource',
        'logs:GetDataProtectionPolicy',
        'logs:FilterLogEvents',
      ],
      resources: [logGroup, `${logGroup}:*`],
    },
    {
      sid: 'Watching',
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
      resources: [
        arn.alarms(stackName),
        arn.scalingAlarms(endpointName),
        arn.dashboard(dashboardOf(endpointName, place.region)),
      ],
    },
    {
      sid: 'Look',
      actions: [
        'cloudwatch:DescribeAlarms',
        'cloudwatch:GetMetricData',
        'logs:DescribeLogGroups',
        'logs:DescribeIndexPolicies',
        'logs:DescribeResourcePolicies',
      ],
      resources: EVERYWHERE,
    },
  ];
}

/** What building and pushing an image needs. */
export function imagePermissions(repository: string, place: Place): readonly Permission[] {
  return [
    { sid: 'Look', actions: ['ecr:GetAuthorizationToken'], resources: EVERYWHERE },
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
  return [{ sid: 'LookAtTheImage', actions, resources: [shortened(repositoryArn)] }];
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
    { sid: 'LookAtTheWeights', actions: ['s3:GetObject'], resources: [shortened(`${arn}/${prefix}*`)] },
  ];
}

/** Names that somebody has chosen may be longer than a policy has room for: then what begins like them. */
function shortened(arn: string): string {
  const { policyArnCharactersMax: longest } = DEPLOY_LIMITS;
  return arn.length <= longest ? arn : `${arn.slice(0, longest - 1)}*`;
}

/**
 * A policy that allows just that, as short as can be. One statement takes several kinds of resources, each with its actions: none of the actions
 * means anything for the others' resources, so that nothing more is allowed.
 */
export function policyOf(permissions: readonly Permission[]): PolicyDocument {
  const statements = new Map<string, Permission>();
  for (const { sid, actions, resources, ...rest } of permissions) {
    const before = statements.get(sid);
    statements.set(sid, {
      sid,
      actions: union(before?.actions, actions),
      resources: union(before?.resources, resources),
      ...rest,
    });
  }
  return {
    Version: '2012-10-17',
    Statement: [...statements.values()].map(({ sid, actions, resources, condition }) => ({
      Sid: sid,
      Effect: 'Allow',
      Action: actions,
      Resource: resources,
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  };
}

function union(some: readonly string[] = [], others: readonly string[] = []): readonly string[] {
  return [...new Set([...some, ...others])];
}
