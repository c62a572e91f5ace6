/** cfn-lint on the template and on what the construct gives to CDK: AWS's own schemas of the resources, region by region. */
import { loadTemplate } from '@kikitori/deploy';
import { KikitoriEndpoint, type KikitoriEndpointProps } from '@kikitori/deploy/cdk';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askPython, whyNoTools } from './tools.js';

/** One of each partition, and those that have their own schemas. */
const REGIONS = [
  'us-east-1',
  'us-west-2',
  'eu-central-1',
  'cn-northwest-1',
  'us-gov-west-1',
  'eusc-de-east-1',
];

interface Asked {
  readonly name: string;
  readonly text: string;
  readonly regions: readonly string[];
  readonly parameters?: readonly Readonly<Record<string, string>>[];
}

/** Every way to choose one of each. */
function combinations(choices: readonly (readonly Readonly<Record<string, string>>[])[]) {
  return choices.reduce<readonly Readonly<Record<string, string>>[]>(
    (all, either) => all.flatMap((one) => either.map((other) => ({ ...one, ...other }))),
    [{}],
  );
}

/** Parameters that make each condition of the template true, and false. */
const PARAMETERS = combinations([
  [
    {
      ImageUri: '123456789012.dkr.ecr.us-west-2.amazonaws.com/kikitori@sha256:0a',
      ImageRepositoryArn: 'arn:aws:ecr:us-west-2:123456789012:repository/kikitori',
    },
  ],
  [{ Engine: 'vllm' }, { Engine: 'moonshine', InstanceType: 'ml.c5.xlarge' }],
  [{}, { ModelBucket: 'weights-1', ModelPrefix: 'models/voxtral/' }],
  [{ CreateLogGroup: 'true' }, { CreateLogGroup: 'false' }],
  [{}, { AlarmTopicArn: 'arn:aws:sns:us-west-2:123456789012:alarms' }],
  [{ NetworkIsolation: 'true' }, { NetworkIsolation: 'false' }],
]);

/** What a CDK program may say beside engine and image. Without a name: a parameter is the name. */
const EXTRAS: Readonly<Record<string, Partial<KikitoriEndpointProps> & { readonly name?: string }>> = {
  'as little as can be': { name: 'speech' },
  'with weights': { name: 'speech', model: { bucket: 'weights-1', prefix: 'models/voxtral/' } },
  'with weights, topic and tags, named by a parameter': {
    model: { bucket: 'weights-1', prefix: 'models/voxtral/' },
    alarmTopicArns: ['arn:aws:sns:us-west-2:123456789012:alarms'],
    tags: [{ key: 'team', value: 'speech' }],
  },
};

function synthesize(
  engine: 'vllm' | 'moonshine',
  name: string | undefined,
  extra: Partial<KikitoriEndpointProps>,
): string {
  const app = new App({ analyticsReporting: false });
  const stack = new Stack(app, 'mine');
  const endpointName = name ?? new CfnParameter(stack, 'Name', { default: 'speech' }).valueAsString;
  new KikitoriEndpoint(stack, 'Speech', {
    settings: { engine, endpointName },
    imageUri: '123456789012.dkr.ecr.us-west-2.amazonaws.com/kikitori@sha256:0a',
    imageRepositoryArn: 'arn:aws:ecr:us-west-2:123456789012:repository/kikitori',
    ...extra,
  });
  return JSON.stringify(app.synth().getStackByName('mine').template);
}

/** Everything that is looked at, in one process: to load the rules takes longer than to ask them. */
async function everything(): Promise<readonly Asked[]> {
  const text = await loadTemplate();
  const regions = ['us-west-2'];
  const others = { SM_VLLM_MAX_NUM_BATCHED_TOKENS: '8192', SM_VLLM_SERVED_MODEL_NAME: '["a", "b"]' };
  const broken = text
    .replace('    Type: AWS::SageMaker::Endpoint\n', '$&    DependsOn: LogGroup\n')
    .replace('TreatMissingData: notBreaching', 'TreatMissingData: quiet');
  return [
    { name: 'everywhere', text, regions: REGIONS },
    { name: 'whichever conditions hold', text, regions, parameters: PARAMETERS },
    { name: 'with other settings', text: await loadTemplate(others), regions },
    { name: 'broken', text: broken, regions },
    ...(['vllm', 'moonshine'] as const).flatMap((engine) =>
      Object.entries(EXTRAS).map(([what, { name, ...extra }]) => {
        return { name: `CDK: ${engine}, ${what}`, text: synthesize(engine, name, extra), regions };
      }),
    ),
  ];
}

describe.skipIf(whyNoTools !== undefined)(`cfn-lint (${whyNoTools ?? 'is here'})`, () => {
  let said = new Map<string, readonly string[]>();
  beforeAll(async () => {
    // CDK's own check compiles five seconds for it, and this one asks for more.
    vi.stubEnv('CDK_VALIDATION', 'false');
    said = new Map(await askPython<[string, string[]][]>('lint-templates.py', await everything()));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('finds no error in the template, in any partition, whichever of its conditions hold', () => {
    expect(PARAMETERS).toHaveLength(32);
    for (const name of ['everywhere', 'whichever conditions hold', 'with other settings']) {
      // The parameter is the command's own memory: no resource has it.
      expect([name, said.get(name)]).toEqual([name, ['W2001 Parameter OtherVllmSettings not used.']]);
    }
  });

  it('finds nothing in what the construct gives to CDK', () => {
    const ofCdk = [...said].filter(([name]) => name.startsWith('CDK'));
    expect(ofCdk).toHaveLength(2 * Object.keys(EXTRAS).length);
    expect(ofCdk.filter(([, found]) => found.length > 0)).toEqual([]);
  });

  it('would find an endpoint that waits for a log group that is not made, and a value that no resource takes', () => {
    const rules = said.get('broken')?.map((line) => line.split(' ')[0]);
    // W3005: cfn-lint knows the order from the reference in Metadata already.
    expect(rules?.sort()).toEqual(['E3005', 'E3030', 'W2001', 'W3005']);
  });
});
