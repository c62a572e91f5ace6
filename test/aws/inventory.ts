/** Everything that is in moto's account and that our deployment could have made: a line each. */
import { ListBucketsCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Moto } from './moto.js';

const signal = new AbortController().signal;

export async function inventory(moto: Moto): Promise<readonly string[]> {
  const { aws } = moto;
  const scaling = async (operation: string, key: string) => {
    const target = `AnyScaleFrontendService.${operation}`;
    const found = await moto.json('application-autoscaling', target, { ServiceNamespace: 'sagemaker' });
    // The service's own shape.
    return (found[key] ?? []) as { readonly ResourceId: string }[];
  };
  const { Stacks = [] } = await aws.ask('cloudFormation', (sdk) => new sdk.DescribeStacksCommand({}), signal);
  const { Roles = [] } = await aws.ask('iam', (sdk) => new sdk.ListRolesCommand({}), signal);
  const { Models = [] } = await aws.ask('sageMaker', (sdk) => new sdk.ListModelsCommand({}), signal);
  const { EndpointConfigs = [] } = await aws.ask(
    'sageMaker',
    (sdk) => new sdk.ListEndpointConfigsCommand({}),
    signal,
  );
  const { Endpoints = [] } = await aws.ask('sageMaker', (sdk) => new sdk.ListEndpointsCommand({}), signal);
  const { MetricAlarms = [] } = await aws.ask(
    'cloudWatch',
    (sdk) => new sdk.DescribeAlarmsCommand({}),
    signal,
  );
  const { DashboardEntries = [] } = await aws.ask(
    'cloudWatch',
    (sdk) => new sdk.ListDashboardsCommand({}),
    signal,
  );
  const { logGroups = [] } = await aws.ask('logs', (sdk) => new sdk.DescribeLogGroupsCommand({}), signal);
  return [
    ...Stacks.map(({ StackName }) => `stack ${StackName}`),
    ...Roles.map(({ RoleName }) => `role ${RoleName}`),
    ...Models.map(({ ModelName }) => `model ${ModelName}`),
    ...EndpointConfigs.map(({ EndpointConfigName }) => `endpoint configuration ${EndpointConfigName}`),
    ...Endpoints.map(({ EndpointName }) => `endpoint ${EndpointName}`),
    ...(await scaling('DescribeScalableTargets', 'ScalableTargets')).map((one) => `target ${one.ResourceId}`),
    ...(await scaling('DescribeScalingPolicies', 'ScalingPolicies')).map(
      (one) => `scaling policy of ${one.ResourceId}`,
    ),
    ...MetricAlarms.map(({ AlarmName }) => `alarm ${AlarmName}`),
    ...DashboardEntries.map(({ DashboardName }) => `dashboard ${DashboardName}`),
    ...logGroups.map(({ logGroupName }) => `log group ${logGroupName}`),
    ...(await images(moto)),
    ...(await stored(moto)),
  ];
}

async function images({ aws }: Moto): Promise<readonly string[]> {
  const { repositories = [] } = await aws.ask(
    'ecr',
    (sdk) => new sdk.DescribeRepositoriesCommand({}),
    signal,
  );
  const all = repositories.map(async ({ repositoryName }) => {
    const { imageIds = [] } = await aws.ask(
      'ecr',
      (sdk) => new sdk.ListImagesCommand({ repositoryName }),
      signal,
    );
    return [
      `repository ${repositoryName}`,
      ...imageIds.map(({ imageTag }) => `image ${repositoryName}:${imageTag}`),
    ];
  });
  return (await Promise.all(all)).flat();
}

async function stored({ aws }: Moto): Promise<readonly string[]> {
  const s3 = await aws.s3();
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const all = Buckets.map(async ({ Name: Bucket }) => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    return [
      `bucket ${Bucket}`,
      ...Contents.map(({ Key }) => `object ${Key}`),
      ...Uploads.map(({ Key }) => `upload ${Key}`),
    ];
  });
  return (await Promise.all(all)).flat();
}
