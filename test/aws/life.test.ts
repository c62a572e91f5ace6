/** The life of endpoints as somebody types it, on moto's AWS: made, changed, looked at, scaled, removed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { inventory } from './inventory.js';
import { MotoRig } from './moto-rig.js';
import { whyNoTools } from './tools.js';

const signal = new AbortController().signal;
const DEMO = ['--endpoint', 'demo'];
const LOG_GROUP = '/aws/sagemaker/Endpoints/demo';

let rig: MotoRig;

/** What an endpoint of moto's serves: from its configuration to the model. */
async function served(logicalName: string) {
  const { aws } = rig.moto;
  const EndpointName = rig.proxy.stacks.endpointNames.get(logicalName);
  const endpoint = await aws.ask(
    'sageMaker',
    (sdk) => new sdk.DescribeEndpointCommand({ EndpointName }),
    signal,
  );
  const { EndpointConfigName } = endpoint;
  const config = await aws.ask(
    'sageMaker',
    (sdk) => new sdk.DescribeEndpointConfigCommand({ EndpointConfigName }),
    signal,
  );
  const [variant] = config.ProductionVariants ?? [];
  const input = { ModelName: variant?.ModelName };
  const model = await aws.ask('sageMaker', (sdk) => new sdk.DescribeModelCommand(input), signal);
  const {
    Environment: environment = {},
    Image: image,
    ModelDataSource: source,
  } = model.PrimaryContainer ?? {};
  return { variant, environment, image, weights: source?.S3DataSource?.S3Uri, model: input.ModelName };
}

/** A container speaks, and CloudWatch hears of sessions and rings. */
async function speak(): Promise<void> {
  const { aws } = rig.moto;
  const logStreamName = 'all/i-0abc';
  const stream = { logGroupName: LOG_GROUP, logStreamName };
  await aws.ask('logs', (sdk) => new sdk.CreateLogStreamCommand(stream), signal);
  const timestamp = Date.now();
  const logEvents = ['ready', 'ERROR out of memory'].map((message) => ({ timestamp, message }));
  await aws.ask('logs', (sdk) => new sdk.PutLogEventsCommand({ ...stream, logEvents }), signal);
  const Dimensions = [
    { Name: 'EndpointName', Value: 'demo' },
    { Name: 'VariantName', Value: 'all' },
  ];
  const Timestamp = new Date(rig.time.unixMs() - 60_000);
  const MetricData = [{ MetricName: 'ConcurrentRequestsPerModel', Dimensions, Timestamp, Value: 2 }];
  const metrics = { Namespace: 'AWS/SageMaker', MetricData };
  await aws.ask('cloudWatch', (sdk) => new sdk.PutMetricDataCommand(metrics), signal);
  const { MetricAlarms = [] } = await aws.ask(
    'cloudWatch',
    (sdk) => new sdk.DescribeAlarmsCommand({}),
    signal,
  );
  for (const { AlarmName } of MetricAlarms) {
    const StateValue = AlarmName?.includes('ModelErrors') === true ? ('ALARM' as const) : ('OK' as const);
    const state = { AlarmName, StateValue, StateReason: 'a test' };
    await aws.ask('cloudWatch', (sdk) => new sdk.SetAlarmStateCommand(state), signal);
  }
}

/** Names without what is made up at random. */
async function kinds(): Promise<readonly string[]> {
  const all = await inventory(rig.moto);
  return all.map((line) =>
    line.replace(/-[0-9A-Z]{12}$/, '').replace(/\.(moonshine|vllm)-[0-9a-f]{16}$/, '.$1'),
  );
}

const STACK = [
  'stack kikitori-demo',
  'role kikitori-demo-ExecutionRole',
  'model kikitori-demo-Model',
  'endpoint configuration kikitori-demo-EndpointConfig',
  'endpoint kikitori-demo-Endpoint',
  'target endpoint/demo/variant/all',
  'scaling policy of endpoint/demo/variant/all',
  'alarm kikitori-demo-ConcurrencyAlarm',
  'alarm kikitori-demo-FirstChunkLatencyAlarm',
  'alarm kikitori-demo-MidStreamErrorsAlarm',
  'alarm kikitori-demo-ModelErrorsAlarm',
  'dashboard kikitori-demo-us-west-2',
  `log group ${LOG_GROUP}`,
  'repository kikitori',
];
const WEIGHTS = 'models/mistralai/Voxtral-Mini-4B-Realtime-2602/aaaaaaaaaaaa/';
const BUCKET = 'kikitori-models-123456789012-us-west-2';
const COPY = [
  `bucket ${BUCKET}`,
  `object endpoints/demo/${WEIGHTS}`,
  ...['consolidated.safetensors', 'kikitori-model.json', 'params.json', 'tekken.json'].map(
    (name) => `object ${WEIGHTS}${name}`,
  ),
];

const LIVES = [
  {
    engine: 'moonshine',
    make: ['--engine', 'moonshine'],
    change: ['--max-sessions', '6'],
    variable: 'KIKITORI_MAX_SESSIONS',
    values: ['4', '6'],
    more: [],
    copy: [] as readonly string[],
    weights: undefined,
  },
  {
    engine: 'vllm',
    make: ['--weights', `mistralai/Voxtral-Mini-4B-Realtime-2602@${'a'.repeat(40)}`],
    change: ['--max-model-len', '22500'],
    variable: 'SM_VLLM_MAX_MODEL_LEN',
    values: ['45000', '22500'],
    more: ['alarm kikitori-demo-GpuMemoryAlarm'],
    copy: COPY,
    weights: `s3://${BUCKET}/${WEIGHTS}`,
  },
];

describe.skipIf(whyNoTools !== undefined)('on the AWS of moto', () => {
  beforeAll(async () => {
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
    rig = await MotoRig.open();
  });
  afterAll(async () => {
    await rig?.close();
    vi.unstubAllEnvs();
  });
  beforeEach(() => rig.reset());

  it.each(LIVES)(
    '$engine is made, left alone, changed, looked at, scaled and removed',
    async ({ engine, make, change, variable, values, more, copy, weights }) => {
      const image = `image kikitori:demo.${engine}`;
      const deploy = (...words: readonly string[]) => rig.run('deploy', ...DEMO, '--skip-try', ...words);
      const made = await deploy(...make);
      expect(made.err).toMatch(/✓ The endpoint is in service/);
      expect(made.exitCode).toBe(0);
      const before = await served('demo');
      expect(before).toMatchObject({ environment: { [variable]: values[0] }, weights });
      expect(before.image).toMatch(/^123456789012\.dkr\.ecr\.us-west-2\.amazonaws\.com\/kikitori@sha256:/);
      const whole = [...STACK, ...more, image, ...copy].sort();
      expect([...(await kinds())].sort()).toEqual(whole);

      expect((await deploy()).err).toMatch(/= Everything is as it should be/);
      const changed = await deploy(...change);
      expect(changed.err).toMatch(/will modify Model\n[\s\S]*✓ The endpoint is changed and in service/);
      const after = await served('demo');
      expect(after.environment).toEqual({ ...before.environment, [variable]: values[1] });
      expect(after.model).not.toBe(before.model);
      expect((await deploy()).err).toMatch(/= Everything is as it should be/);
      expect([...(await kinds())].sort()).toEqual(whole);

      const scaled = await rig.run('scale', ...DEMO, '--max', '3', '--desired', '2');
      expect(scaled).toMatchObject({
        exitCode: 0,
        err: expect.stringMatching(/will modify ScalableTarget\n/),
      });
      await speak();
      const status = await rig.run('status', ...DEMO);
      expect(status.out).toMatch(/^Endpoint +demo in us-west-2, account 123456789012: InService\n/);
      expect(status.out).toMatch(/Instances +2 now, 2 wanted, 1 to 3 allowed\nSessions +2 at once/);
      expect(status.out).toMatch(/Alarms +kikitori-demo-ModelErrorsAlarm-\w+\n/);
      expect(status.out).toMatch(/Cost +\$\d+\.\d+ an hour now, about \$\d/);
      expect(status.out).toMatch(/Log .* ERROR out of memory\n/);
      expect((await rig.run('logs', ...DEMO)).out).toMatch(/all\/i-0abc ready\n.*ERROR out of memory\n/);

      const destroyed = await rig.run('destroy', ...DEMO);
      expect(destroyed).toMatchObject({
        exitCode: 0,
        err: expect.stringMatching(/nothing costs by the hour/),
      });
      expect([...(await kinds())].sort()).toEqual(['repository kikitori', image, ...copy].sort());
      expect(destroyed.err).toMatch(/Left:\n +1 image of it in the ECR repository kikitori/);
      expect((await rig.run('destroy', ...DEMO, '--all')).exitCode).toBe(0);
      expect(await kinds()).toEqual([]);
    },
    600_000,
  );

  it('an endpoint is made again where its log was kept', async () => {
    const deploy = ['deploy', ...DEMO, '--skip-try', '--engine', 'moonshine'];
    await rig.run(...deploy);
    const kept = await rig.run('destroy', ...DEMO, '--all', '--keep-logs');
    expect(kept.err).toMatch(/Left:\n +the log group/);
    expect(await kinds()).toEqual([`log group ${LOG_GROUP}`]);
    const again = await rig.run(...deploy);
    expect(again.err).toMatch(/✓ The endpoint is in service/);
    expect(again.exitCode).toBe(0);
    await rig.run('destroy', ...DEMO, '--all');
    expect(await kinds()).toEqual([]);
  }, 600_000);

  it('two endpoints share an image, and the first to go leaves it to the other', async () => {
    const both = (name: string) => ['--endpoint', name];
    const deploy = (name: string) => rig.run('deploy', ...both(name), '--skip-try', '--engine', 'moonshine');
    expect((await deploy('demo')).err).toMatch(/✓ The endpoint is in service/);
    expect((await deploy('live')).err).toMatch(/= Image is there/);
    const { image } = await served('demo');
    expect((await served('live')).image).toBe(image);
    const first = await rig.run('destroy', ...DEMO, '--all');
    expect(first.err).toMatch(/demo\.moonshine-\w+ is gone from ECR/);
    expect(first.err).toMatch(/Left:\n +the ECR repository kikitori: images of live \(1 in all\)\n/);
    expect(await kinds()).toEqual(
      expect.arrayContaining(['stack kikitori-live', 'image kikitori:live.moonshine']),
    );
    expect((await served('live')).image).toBe(image);
    await rig.run('destroy', ...both('live'), '--all');
    expect(await kinds()).toEqual([]);
  }, 600_000);
});
