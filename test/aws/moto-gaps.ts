/**
 * What moto 5.2 lacks of AWS, and who answers instead. Everything that has no row here reaches moto as it was sent and comes back as moto answers
 * it. `gaps.test.ts` asks moto itself for each row: one that moto has outgrown goes.
 *
 * What it lacks besides, and nobody makes up for: outputs of a stack that a change set has made, a change set's `Replacement`, the retention of a log
 * group and the policies of a role that an update changes, patterns of words in `FilterLogEvents`, network isolation of a model, work that takes time
 * or fails. Before moto, lists of a template lose what is `AWS::NoValue` (moto keeps a null there), and it gets JSON for our YAML.
 */
import { createHash } from 'node:crypto';
import type { Moto } from './moto.js';
import { type Answered, type Asked, jsonAnswer, xmlAnswer } from './moto-messages.js';
import type { MotoStacks } from './moto-stacks.js';

/** What a row has at hand. */
export interface Behind {
  readonly moto: Moto;
  /** What moto does not remember of its stacks. */
  readonly stacks: MotoStacks;
  /** Checksums of parts in S3, by upload and number. */
  readonly parts: Map<string, string>;
  /** Hands a request on to moto as it is, or with another body. */
  pass(asked: Asked, body?: Buffer | string): Promise<Answered>;
}

/** A row. */
export interface Gap {
  /** An operation, `SERVICE:NAME`, or the type of a resource. */
  readonly of: string;
  /** What moto does. */
  readonly moto: string;
  /** What is answered instead; absent where another row does the work. */
  readonly answer?: (asked: Asked, proxy: Behind) => Promise<Answered>;
}

/** Quotas of every account, as far as the deployment asks. */
const QUOTAS = ['ml.g6.4xlarge', 'ml.g6.12xlarge', 'ml.c5.xlarge'].map((type, index) => ({
  ServiceCode: 'sagemaker',
  QuotaName: `${type} for endpoint usage`,
  QuotaCode: `L-${index}`,
  Value: 8,
}));

const form = ({ body }: Asked) => new URLSearchParams(body.toString());
// The clients have checked what they send against the service's model.
const json = ({ body }: Asked) => JSON.parse(body.toString()) as Record<string, unknown>;

export const GAPS: readonly Gap[] = [
  {
    of: 'servicequotas:ListServiceQuotas',
    moto: 'has no such operation',
    answer: async () => jsonAnswer({ Quotas: QUOTAS }),
  },
  {
    of: 'servicequotas:ListAWSDefaultServiceQuotas',
    moto: 'knows quotas of VPC alone',
    answer: async () => jsonAnswer({ Quotas: QUOTAS }),
  },
  {
    of: 'iam:SimulatePrincipalPolicy',
    moto: 'has no such operation',
    answer: async (asked) => {
      const names = [...form(asked)].filter(([name]) => name.startsWith('ActionNames.member.'));
      const results = names.map(
        ([, action]) =>
          `<member><EvalActionName>${action}</EvalActionName><EvalDecision>allowed</EvalDecision></member>`,
      );
      const all = `<EvaluationResults>${results.join('')}</EvaluationResults>`;
      return xmlAnswer('SimulatePrincipalPolicy', all);
    },
  },
  {
    of: 'registry:PUT',
    moto: 'has ECR’s API without the registry that builders push to: the manifest becomes PutImage, layers nobody looks at',
    answer: async ({ path, headers, body }, { moto }) => {
      const [, repositoryName = '', imageTag = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(path) ?? [];
      const imageManifestMediaType = String(headers['content-type']);
      const imageDigest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
      const imageManifest = body.toString();
      const image = { repositoryName, imageTag, imageDigest, imageManifest, imageManifestMediaType };
      await moto.json('ecr', 'AmazonEC2ContainerRegistry_V20150921.PutImage', image);
      return { status: 201, headers: {}, body: Buffer.from('') };
    },
  },
  {
    of: 'cloudformation:CreateChangeSet',
    moto: 'compares templates alone and follows no reference, so that a changed parameter changes what names it and nothing behind that; looks at neither DependsOn, Rules nor AllowedPattern',
    answer: async (asked, proxy) => {
      const asks = form(asked);
      const refusal = await proxy.stacks.propose(asks);
      if (refusal === undefined) return await proxy.pass(asked, asks.toString());
      return xmlAnswer('', `<Code>ValidationError</Code><Message>${refusal}</Message>`, 400);
    },
  },
  {
    of: 'cloudformation:DescribeChangeSet',
    moto: 'compares parameters with those of the stack’s first day, and has a change set of nothing for good',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      const text = answered.body.toString();
      if (/<ResourceChange>/.test(text)) return answered;
      const why = '<StatusReason>The submitted information didn&#39;t contain changes.</StatusReason>';
      return withBody(
        answered,
        text.replace('<Status>CREATE_COMPLETE</Status>', `<Status>FAILED</Status>${why}`),
      );
    },
  },
  {
    of: 'cloudformation:ExecuteChangeSet',
    moto: 'leaves out the resources of the types below',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      if (answered.status === 200) await proxy.stacks.executed(form(asked).get('ChangeSetName') ?? '');
      return answered;
    },
  },
  {
    of: 'cloudformation:DeleteStack',
    moto: 'knows nothing of them',
    answer: async (asked, proxy) => {
      await proxy.stacks.deleting(form(asked).get('StackName') ?? '');
      return await proxy.pass(asked);
    },
  },
  ...['AWS::CloudWatch::Alarm', 'AWS::ApplicationAutoScaling::ScalableTarget'].map((of) => ({
    of,
    moto: 'is left out of stacks: made by moto’s own API of the service',
  })),
  {
    of: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    moto: 'is left out of stacks: made by moto’s own API of the service',
  },
  ...['DescribeEndpoint', 'UpdateEndpointWeightsAndCapacities'].map((name) => ({
    of: `sagemaker:${name}`,
    moto: 'names the endpoint of a stack by itself, whatever EndpointName says',
    answer: async (asked: Asked, proxy: Behind) => {
      const { EndpointName: name, ...rest } = json(asked);
      const EndpointName = proxy.stacks.endpointNames.get(String(name)) ?? name;
      return await proxy.pass(asked, JSON.stringify({ EndpointName, ...rest }));
    },
  })),
  {
    of: 'monitoring:DescribeAlarms',
    moto: 'looks at the prefix of names alone, and not at StateValue beside it',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      // The service's own shape.
      const found = JSON.parse(answered.body.toString()) as { MetricAlarms?: { StateValue: string }[] };
      const { StateValue = undefined } = json(asked);
      const MetricAlarms = found.MetricAlarms?.filter((one) =>
        [undefined, one.StateValue].includes(StateValue as string),
      );
      return withBody(answered, JSON.stringify({ ...found, MetricAlarms }));
    },
  },
  {
    of: 's3:PutObject',
    moto: 'keeps a checksum only where its algorithm is named once more',
    answer: async (asked, proxy) => {
      const isSummed = asked.headers['x-amz-checksum-sha256'] !== undefined;
      const named = isSummed ? { 'x-amz-sdk-checksum-algorithm': 'SHA256' } : {};
      return await proxy.pass({ ...asked, headers: { ...asked.headers, ...named } });
    },
  },
  {
    of: 's3:UploadPart',
    moto: 'forgets the checksum of a part',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      const { searchParams } = new URL(asked.path, 'http://moto');
      const part = `${searchParams.get('uploadId')} ${searchParams.get('partNumber')}`;
      if (answered.status === 200) proxy.parts.set(part, String(asked.headers['x-amz-checksum-sha256']));
      return answered;
    },
  },
  {
    of: 's3:ListParts',
    moto: 'knows none of those',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      const uploadId = new URL(asked.path, 'http://moto').searchParams.get('uploadId');
      const text = answered.body.toString().replace(/<PartNumber>(\d+)<\/PartNumber>/g, (all, number) => {
        const checksum = proxy.parts.get(`${uploadId} ${number}`);
        return checksum === undefined ? all : `${all}<ChecksumSHA256>${checksum}</ChecksumSHA256>`;
      });
      return withBody(answered, text);
    },
  },
  {
    of: 's3:HeadObject',
    moto: 'tells the checksum of an object of parts without how many they were',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      const { etag = '', 'x-amz-checksum-sha256': checksum } = answered.headers;
      const parts = /-\d+(?="$)/.exec(String(etag))?.[0] ?? '';
      if (checksum === undefined || String(checksum).endsWith(parts)) return answered;
      return {
        ...answered,
        headers: { ...answered.headers, 'x-amz-checksum-sha256': `${checksum}${parts}` },
      };
    },
  },
  {
    of: 's3:ListMultipartUploads',
    moto: 'has every upload begin in 2010',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      const now = `<Initiated>${new Date().toISOString()}</Initiated>`;
      return withBody(answered, answered.body.toString().replace(/<Initiated>2010-[^<]*<\/Initiated>/g, now));
    },
  },
  {
    of: 'cloudformation:DescribeStacks',
    moto: 'takes instance types of 2021 alone: for ml.g6 it gets ml.g4dn, and says it back',
    answer: async (asked, proxy) => {
      const answered = await proxy.pass(asked);
      return withBody(answered, answered.body.toString().replaceAll('ml.g4dn.', 'ml.g6.'));
    },
  },
];

function withBody(answered: Answered, text: string): Answered {
  const body = Buffer.from(text);
  return { ...answered, headers: { ...answered.headers, 'content-length': String(body.length) }, body };
}
