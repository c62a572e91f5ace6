import { describe, expect, it } from 'vitest';
import { modelBucketName } from '../../src/artefacts/model-bucket.js';
import { DEPLOY_LIMITS } from '../../src/limits.js';
import { arns, type Place, stackNameOf } from '../../src/names.js';
import {
  endpointPermissions,
  givenImagePermissions,
  givenWeightsPermissions,
  imagePermissions,
  policyOf,
  weightsPermissions,
} from '../../src/plan/permissions.js';
import { generatedName } from '../fake-aws/generated-name.js';
import { allows } from '../fake-aws/iam-policy.js';

const HERE: Place = { region: 'us-west-2', account: '123456789012', partition: 'aws' };
/** The longest of each partition. */
const PLACES: readonly Place[] = [
  { ...HERE, region: 'ap-southeast-7' },
  { ...HERE, region: 'cn-northwest-1', partition: 'aws-cn' },
  { ...HERE, region: 'us-gov-west-1', partition: 'aws-us-gov' },
  { ...HERE, region: 'eusc-de-east-1', partition: 'aws-eusc' },
  { ...HERE, region: 'us-isof-south-1', partition: 'aws-iso-f' },
];
/** The longest, the longest that CloudFormation does not cut, and what makes a pattern longer. */
const NAMES = ['a'.repeat(63), 'a'.repeat(25), `${'a--'.repeat(20)}a`, `${'a--'.repeat(8)}a`, 'A'.repeat(63)];

const images = (place: Place) => [
  imagePermissions('kikitori', place),
  givenImagePermissions(arns(place).repository('r'.repeat(256))),
];
const weights = (place: Place) => [
  [],
  weightsPermissions(modelBucketName(place.account, place.region), place),
  givenWeightsPermissions('b'.repeat(63), `${'p'.repeat(1_000)}/`, place),
];

const nameOf = (stackName: string, id: string, charactersMax: number) =>
  generatedName(stackName, id, charactersMax, 'hdst4ohfvdif');

describe('the policy for whoever deploys', () => {
  it('is one that IAM takes, whatever the names, wherever it is, whoever brings image and weights', () => {
    const lengths = PLACES.flatMap((place) =>
      NAMES.flatMap((name) =>
        images(place).flatMap((image) =>
          weights(place).map((some) => {
            const policy = policyOf([...endpointPermissions(name, place), ...image, ...some]);
            return JSON.stringify(policy).length;
          }),
        ),
      ),
    );
    expect(lengths).toHaveLength(150);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(DEPLOY_LIMITS.policyCharactersMax);
  });

  it.each(['demo', 'Demo', 'a--b', 'a'.repeat(28), `${'a'.repeat(14)}-${'b'.repeat(48)}`, 'x-'.repeat(30)])(
    'matches the names that CloudFormation makes, also those that it cuts: %s',
    (start) => {
      const name = start.replace(/-$/, 'x');
      const policy = policyOf(endpointPermissions(name, HERE));
      const stack = stackNameOf(name);
      const may = (action: string, service: string, rest: string, scope = 'us-west-2:123456789012') =>
        expect([rest, allows(policy, action, `arn:aws:${service}:${scope}:${rest}`)]).toEqual([rest, true]);
      may('iam:CreateRole', 'iam', `role/${nameOf(stack, 'ExecutionRole', 64)}`, ':123456789012');
      may('cloudwatch:PutMetricAlarm', 'cloudwatch', `alarm:${nameOf(stack, 'ModelErrorsAlarm', 255)}`);
      const ofScaling = `alarm:TargetTracking-endpoint/${name}/variant/all-AlarmHigh-1`;
      may('cloudwatch:PutMetricAlarm', 'cloudwatch', ofScaling);
      for (const [action, kind, id] of [
        ['CreateModel', 'model', 'Model'],
        ['CreateEndpointConfig', 'endpoint-config', 'EndpointConfig'],
      ] as const) {
        for (const made of [`${id}-hdst4ohfvdif`, nameOf(stack, id, 63)]) {
          may(`sagemaker:${action}`, 'sagemaker', `${kind}/${made}`);
          may(`sagemaker:${action}`, 'sagemaker', `${kind}/${made.toLowerCase()}`);
        }
      }
    },
  );

  it('reaches no further than this endpoint, though one statement has several kinds of resources', () => {
    const policy = policyOf([
      ...endpointPermissions('demo', HERE),
      ...imagePermissions('kikitori', HERE),
      ...weightsPermissions(modelBucketName(HERE.account, HERE.region), HERE),
    ]);
    const may = (action: string, arn: string) => allows(policy, action, arn);
    const at = (service: string, rest: string) => `arn:aws:${service}:us-west-2:123456789012:${rest}`;
    expect(may('sagemaker:DeleteEndpoint', at('sagemaker', 'endpoint/demo'))).toBe(true);
    expect(may('sagemaker:DeleteEndpoint', at('sagemaker', 'endpoint/other'))).toBe(false);
    expect(may('sagemaker:DescribeModel', at('sagemaker', 'model/mine'))).toBe(true);
    expect(may('sagemaker:DeleteModel', at('sagemaker', 'model/mine'))).toBe(false);
    expect(may('logs:DeleteLogGroup', at('logs', 'log-group:/aws/sagemaker/Endpoints/other'))).toBe(false);
    expect(may('ecr:DeleteRepository', at('ecr', 'repository/other'))).toBe(false);
    expect(may('iam:PutRolePolicy', 'arn:aws:iam::123456789012:role/kikitori-other-ExecutionRole-1')).toBe(
      false,
    );
    const everywhere = policy.Statement.filter(({ Resource }) => Resource.includes('*'));
    expect(everywhere.map(({ Sid }) => Sid)).toEqual(['Look']);
  });
});
