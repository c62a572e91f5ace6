import { readFileSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { KikitoriEndpoint, synthesizeTemplate } from '../../src/cdk/index.js';
import { DEPLOY_LIMITS } from '../../src/limits.js';
import { containerEnvironment } from '../../src/settings/container-environment.js';
import { type EndpointSettings, withDefaults } from '../../src/settings/settings.js';
import { loadTemplate, templateText } from '../../src/template-text.js';
import { type Document, Resolver, resolveTemplate } from '../fake-aws/template-resolver.js';

const IMAGE = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/kikitori-vllm:1';
const REPOSITORY = 'arn:aws:ecr:eu-west-1:123456789012:repository/kikitori-vllm';
const WEIGHTS = { bucket: 'weights-1', prefix: 'models/voxtral/' };

const shipped = readFileSync(new URL('../../template/kikitori-endpoint.yaml', import.meta.url), 'utf8');
// Ours: the tests below look at its shape.
const document = parse(shipped) as Document;
let template: Template;
beforeAll(() => {
  // CDK's own check of what it makes fails nothing, and compiles five seconds for it; build-template.js prints what it says.
  vi.stubEnv('CDK_VALIDATION', 'false');
  template = Template.fromJSON(parse(shipped));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const PLACE = { region: 'eu-west-1', account: '123456789012', stackName: 'kikitori-demo' };
const MOONSHINE = { EndpointName: 'demo', Engine: 'moonshine', InstanceType: 'ml.c5.xlarge' };

function resolved(parameters: Readonly<Record<string, string>>) {
  return resolveTemplate(document, { ImageUri: IMAGE, ImageRepositoryArn: REPOSITORY, ...parameters }, PLACE);
}

function resolverOf(of: Document, parameters: Readonly<Record<string, string>>) {
  const given = { ImageUri: IMAGE, ImageRepositoryArn: REPOSITORY, ...parameters };
  return new Resolver(of, given, PLACE, (id) => `<${id}>`);
}

const vllm = () =>
  resolved({ EndpointName: 'demo', ModelBucket: WEIGHTS.bucket, ModelPrefix: WEIGHTS.prefix });
const moonshine = () => resolved(MOONSHINE);

/** Everything in a value, found by its key. */
function deep(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => (name === key ? [child] : deep(child, key)));
}

describe('the template', () => {
  it('is what the construct gives, and short enough to be sent', () => {
    expect(shipped).toBe(templateText(synthesizeTemplate()));
    expect(Buffer.byteLength(shipped)).toBeLessThan(DEPLOY_LIMITS.templateBytesMax);
  });

  it('has one of each thing, and keeps its log group', () => {
    for (const type of [
      'IAM::Role',
      'Logs::LogGroup',
      'SageMaker::Model',
      'SageMaker::EndpointConfig',
      'SageMaker::Endpoint',
      'ApplicationAutoScaling::ScalableTarget',
      'ApplicationAutoScaling::ScalingPolicy',
      'CloudWatch::Dashboard',
    ]) {
      template.resourceCountIs(`AWS::${type}`, 1);
    }
    template.resourceCountIs('AWS::CloudWatch::Alarm', 5);
    template.hasResource('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain' });
  });

  it('makes the endpoint after its log group, and without one where that is there already', () => {
    const after = (document: Document, CreateLogGroup: string) =>
      resolverOf(document, { ...MOONSHINE, CreateLogGroup }).dependencies('Endpoint');
    expect(after(document, 'true')).toEqual(['EndpointConfig', 'LogGroup']);
    expect(after(document, 'false')).toEqual(['EndpointConfig']);
    const { Endpoint } = document.Resources;
    if (Endpoint === undefined) throw new Error('no endpoint');
    const dependent = {
      ...document,
      Resources: { ...document.Resources, Endpoint: { ...Endpoint, DependsOn: ['LogGroup'] } },
    };
    expect(after(dependent, 'true')).toContain('LogGroup');
    expect(() => after(dependent, 'false')).toThrow('Unresolved resource dependencies [LogGroup]');
  });

  it('serves as the post about Voxtral does, and routes to the emptiest instance', () => {
    const { Model, EndpointConfig, Endpoint, ScalingPolicy } = vllm();
    expect(Model?.Properties).toMatchObject({
      PrimaryContainer: {
        Image: IMAGE,
        Environment: containerEnvironment(withDefaults({ engine: 'vllm' }), true),
        ModelDataSource: {
          S3DataSource: {
            S3Uri: 's3://weights-1/models/voxtral/',
            S3DataType: 'S3Prefix',
            CompressionType: 'None',
          },
        },
      },
    });
    expect(EndpointConfig?.Properties).toMatchObject({
      ProductionVariants: [
        {
          InstanceType: 'ml.g6.4xlarge',
          InferenceAmiVersion: 'al2023-ami-sagemaker-inference-gpu-4-1',
          RoutingConfig: { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
        },
      ],
    });
    expect(Endpoint?.Properties).toMatchObject({
      RetainAllVariantProperties: true,
      DeploymentConfig: { BlueGreenUpdatePolicy: { TerminationWaitInSeconds: 1_800 } },
    });
    expect(deep(ScalingPolicy, 'PredefinedMetricType')).toEqual([
      'SageMakerVariantConcurrentRequestsPerModelHighResolution',
    ]);
  });

  it('asks nothing of a GPU for moonshine, and reads no bucket where there is none', () => {
    const resources = moonshine();
    expect(resources['Model']?.Properties).toMatchObject({
      PrimaryContainer: { Environment: containerEnvironment(withDefaults({ engine: 'moonshine' }), false) },
    });
    expect(deep(resources, 'ModelDataSource')).toEqual([]);
    expect(deep(resources, 'InferenceAmiVersion')).toEqual([]);
    expect(deep(resources, 'ModelDataDownloadTimeoutInSeconds')).toEqual([]);
    expect(resources['GpuMemoryAlarm']).toBeUndefined();
    expect(deep(resources['ExecutionRole'], 'Action').flat()).not.toContain('s3:GetObject');
  });

  it('gives its role no wildcard but where the action knows nothing narrower', () => {
    const wide = deep(vllm()['ExecutionRole'], 'Statement')
      .flat()
      // Statements of our own template.
      .map((one) => one as { Action: string | string[]; Resource?: string | string[]; Condition?: unknown })
      .filter(({ Resource = [] }) => [Resource].flat().includes('*'));
    expect(wide.map(({ Action }) => Action)).toEqual([
      ['ecr:GetAuthorizationToken'],
      ['cloudwatch:PutMetricData'],
    ]);
    expect(wide[1]?.Condition).toEqual({
      StringEquals: {
        'cloudwatch:namespace': ['AWS/SageMaker', '/aws/sagemaker/Endpoints', 'Kikitori/Bridge'],
      },
    });
    const actions = deep(vllm()['ExecutionRole'], 'Action').flat(2);
    expect(actions.filter((action) => String(action).includes('*'))).toEqual([]);
    const resources = deep(vllm()['ExecutionRole'], 'Resource').flat(2);
    expect([...new Set(resources)].sort()).toEqual([
      '*',
      'arn:aws:ecr:eu-west-1:123456789012:repository/kikitori-vllm',
      'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/demo',
      'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/demo:*',
      'arn:aws:s3:::weights-1',
      'arn:aws:s3:::weights-1/models/voxtral/*',
    ]);
  });

  it('has a dashboard that CloudWatch can read, about this endpoint alone', () => {
    const body = JSON.parse(String(deep(vllm()['Dashboard'], 'DashboardBody')[0])) as { widgets: unknown[] };
    expect(body.widgets).toHaveLength(6);
    for (const metrics of deep(body, 'metrics').flat()) expect(metrics).toContain('demo');
  });

  it('takes other settings of vLLM into the container', async () => {
    const grown = parse(await loadTemplate({ SM_VLLM_MAX_NUM_BATCHED_TOKENS: '8192' })) as Document;
    expect(deep(grown.Resources['Model'], 'SM_VLLM_MAX_NUM_BATCHED_TOKENS')).toEqual(['8192']);
    expect(await loadTemplate()).toBe(shipped);
  });
});

describe('the construct', () => {
  it.each<[EndpointSettings, typeof WEIGHTS | undefined]>([
    [{ engine: 'vllm', endpointName: 'demo' }, WEIGHTS],
    [{ engine: 'moonshine', endpointName: 'demo' }, undefined],
  ])('gives the resources that the template gives for the same settings: %j', (settings, model) => {
    const app = new App({ analyticsReporting: false });
    const stack = new Stack(app, 'mine', { env: { region: 'eu-west-1', account: '123456789012' } });
    new KikitoriEndpoint(stack, 'Speech', {
      settings,
      imageUri: IMAGE,
      imageRepositoryArn: REPOSITORY,
      ...(model === undefined ? {} : { model }),
    });
    const made = Template.fromStack(stack);
    const wanted = model === undefined ? moonshine() : vllm();
    made.hasResourceProperties('AWS::SageMaker::Model', {
      PrimaryContainer: wanted['Model']?.Properties['PrimaryContainer'],
    });
    expect(Object.keys(made.findResources('AWS::CloudWatch::Alarm'))).toHaveLength(
      model === undefined ? 4 : 5,
    );
    const { Resources } = made.toJSON() as Document;
    expect(Object.keys(Resources)).toHaveLength(Object.keys(wanted).length);
    const idOf = (type: string) => Object.keys(made.findResources(`AWS::${type}`))[0] ?? '';
    expect(Resources[idOf('SageMaker::Endpoint')]?.DependsOn).toEqual([idOf('Logs::LogGroup')]);
  });

  it('refuses what the template would refuse', () => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'mine');
    const make = () =>
      new KikitoriEndpoint(stack, 'Speech', {
        settings: { engine: 'vllm', instanceType: 'ml.c5.xlarge' },
        imageUri: IMAGE,
        imageRepositoryArn: REPOSITORY,
      });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_setting' }));
  });
});
