/**
 * The commands about AWS, as somebody types them: AWS's own clients talk to the stand-in of AWS, and the sample at the end travels through the
 * stand-in of SageMaker's runtime, the bridge and a Realtime server.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aws } from '@kikitori/deploy';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../../packages/cli/src/main.js';
import { EmbeddedEnd } from '../../../packages/cli/src/sagemaker/embedded-end.js';
import { connectToEndpoint } from '../../../packages/cli/src/sagemaker/endpoint-connect.js';
import { LocalPath } from '../../../packages/cli/src/sagemaker/local-path.js';
import { scriptedEngine, TEXT } from '../../../packages/cli/test/commands/speech.js';
import { memoryContext } from '../../../packages/cli/test/memory-context.js';
import type { PolicyDocument } from '../../../packages/deploy/src/plan/permissions.js';
import type { FakeAccount } from '../../../packages/deploy/test/fake-aws/account.js';
import { FakeAws } from '../../../packages/deploy/test/fake-aws/fake-aws.js';
import { VirtualTime } from '../../../packages/deploy/test/fake-aws/virtual-time.js';

const IMAGE = '123456789012.dkr.ecr.us-west-2.amazonaws.com/kikitori-moonshine:1';
const MOONSHINE = ['--engine', 'moonshine', '--image', IMAGE, '--endpoint', 'demo'];
/** Where nobody listens. */
const NOBODY = 'http://127.0.0.1:9';
const PLAN =
  /^Plan: create the endpoint demo \(moonshine on 1 to 1 × ml\.c5\.xlarge\)\nCost: .*\n\n {2}1\. image: .*\n {2}2\. stack: .*\n {2}3\. try: /;
const SPOKEN = `${TEXT.replace('. ', '.\n')}\n`;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let home = '';
beforeAll(async () => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
  home = await mkdtemp(join(tmpdir(), 'kikitori-aws-'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

let time = new VirtualTime();
let fake: FakeAws | undefined;
let path: LocalPath | undefined;
let end: EmbeddedEnd | undefined;
afterEach(async () => {
  await fake?.close();
  await path?.close();
  await end?.close();
  fake = undefined;
  path = undefined;
  end = undefined;
});

async function account(): Promise<FakeAccount> {
  time = new VirtualTime({ pace: 0.05 });
  fake = await FakeAws.open({ time, seed: 1 });
  return fake.account;
}

/** The way to a container that transcribes, at the address of the stand-in of SageMaker's runtime. */
async function runtime(): Promise<string> {
  const context = memoryContext({ env: { KIKITORI_HOME: home } });
  const { signal } = context;
  end = await EmbeddedEnd.open({ loadEngine: async () => scriptedEngine(), port: 0, logger: silent, signal });
  const ports = { bridge: 0, sagemaker: 0, page: undefined };
  const options = { endpoint: 'demo', region: 'us-west-2', isPlaintext: true, logger: silent };
  path = await LocalPath.open({ ...options, end, ports }, context);
  await end.start();
  await path.inService(signal);
  const url = /http:\/\/localhost:\d+/.exec(JSON.stringify(path.lines('a model')))?.[0];
  if (url === undefined) throw new Error('the stand-in says no address');
  return url;
}

async function run(
  words: readonly string[],
  options: { readonly url?: string; readonly at?: string; readonly loggedOut?: boolean } = {},
) {
  const env = { AWS_REGION: 'us-west-2', KIKITORI_HOME: home };
  const context = memoryContext({
    env,
    // The sample is spoken at its pace, which is nobody's time here.
    clock: time,
    factories: {
      createLogger: async () => silent,
      connectToEndpoint: (request) => connectToEndpoint({ ...request, endpointUrl: options.url }, env),
      openAws: async ({ region }) => {
        const keys = { accessKeyId: 'AKIDFAKE', secretAccessKey: 'fake' };
        const none = () => Promise.reject(Object.assign(new Error(), { name: 'CredentialsProviderError' }));
        const credentials = options.loggedOut === true ? none : keys;
        const aws = new Aws({ region, endpointUrl: options.at ?? fake?.url, credentials, clock: time });
        return aws;
      },
    },
  });
  const exitCode = await main(words, context);
  return { exitCode, out: context.stdout.text, err: context.stderr.text };
}

describe('the commands about AWS', () => {
  it('send the sample to where AWS is configured to be', async () => {
    await account();
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2', await runtime());
    try {
      expect(await run(['deploy', ...MOONSHINE])).toMatchObject({ exitCode: 0, out: SPOKEN });
    } finally {
      vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2', undefined);
    }
  });

  it('deploy, look, scale and remove: the words come back through the endpoint', async () => {
    const { endpoints, inventory } = await account().then((one) => ({
      endpoints: one.endpoints,
      inventory: () => one.inventory(),
    }));
    const url = await runtime();
    const deployed = await run(['deploy', ...MOONSHINE], { url });

    expect(deployed).toMatchObject({ exitCode: 0, out: SPOKEN });
    expect(deployed.err).toMatch(/^Cost: \$0\.20 an hour with 1 × ml\.c5\.xlarge .*check https/);
    for (const line of [
      /ok +account +123456789012 as arn:aws:iam::123456789012:user\/me/,
      /ok +quota +ml\.c5\.xlarge for endpoint usage: 8, needed 1/,
      /ok +permissions/,
      /ok +image/,
      /Endpoint create complete/,
      /✓ The endpoint is in service/,
      /✓ First words after \d/,
      /kikitori destroy --endpoint demo --region us-west-2/,
    ]) {
      expect(deployed.err).toMatch(line);
    }
    // What was said once need not be said again.
    expect((await run(['deploy', '--endpoint', 'demo', '--skip-try'])).err).toMatch(
      /= Everything is as it should be/,
    );
    const status = await run(['status', '--endpoint', 'demo']);
    expect(status).toMatchObject({ exitCode: 0, err: '' });
    expect(status.out).toMatch(/^Endpoint {3}demo in us-west-2, account 123456789012: InService\n/);
    expect(status.out).toMatch(/Instances {2}1 now, 1 wanted, 1 to 1 allowed/);
    const json: unknown = JSON.parse((await run(['status', '--endpoint', 'demo', '--json'])).out);
    expect(json).toMatchObject({ status: 'InService', usd_per_hour: 0.204, sessions_now: 2 });
    expect((await run(['logs', '--endpoint', 'demo'])).out).toMatch(/all\/i-0abc INFO ready\n/);
    expect(await run(['scale', '--endpoint', 'demo', '--max', '3', '--desired', '2'])).toMatchObject({
      exitCode: 0,
    });
    expect(endpoints.get('demo')?.desired).toBe(2);
    const scaled = async (...words: string[]) => (await run(['scale', '--endpoint', 'demo', ...words])).err;
    expect(await scaled('--max', '3')).toMatch(
      /^Nothing was changed; it stays as it was: 1 to 3 instances, /m,
    );
    expect(await scaled('--desired', '1')).toMatch(/^Scaling stays as it was: 1 to 3 instances, /m);
    expect(await scaled('--max', '1')).toMatch(/^Scaling is changed: always 1 instance\.$/m);
    const destroyed = await run(['destroy', '--endpoint', 'demo']);
    expect(destroyed.exitCode).toBe(0);
    expect(destroyed.err).toMatch(/nothing costs by the hour any more\n[\s\S]*Left:\n/);
    expect(destroyed.err).not.toMatch(/ECR/);
    expect(inventory()).toEqual([]);
    expect(await run(['status', '--endpoint', 'demo'])).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^kikitori: There is no such endpoint of ours/),
    });
  });

  it('print the whole plan and the policy, and touch nothing: with credentials and without', async () => {
    const { inventory } = await account().then((one) => ({ inventory: () => one.inventory() }));
    for (const loggedOut of [false, true]) {
      const planned = await run(['deploy', '--dry-run', ...MOONSHINE], { loggedOut });
      expect(planned.exitCode).toBe(0);
      expect(planned.out).toMatch(PLAN);
      expect(planned.err.includes('No AWS credentials')).toBe(loggedOut);
      const { exitCode, out } = await run(['deploy', '--policy', ...MOONSHINE], { loggedOut });
      expect(exitCode).toBe(0);
      const policy = JSON.parse(out) as { Statement: { Action: string[] }[] };
      expect(policy.Statement.flatMap(({ Action }) => Action)).toContain('sagemaker:CreateEndpoint');
      expect(out).toContain(loggedOut ? ':000000000000:' : ':123456789012:');
    }
    expect(inventory()).toEqual([]);
    expect(fake?.calls.filter((call) => /:(Create|Delete|Put|Execute|Update)/.test(call))).toEqual([]);
  });

  it('print the plan without a way to AWS, after two tries, and say what could not be checked', async () => {
    const { exitCode, out, err } = await run(['deploy', '--dry-run', ...MOONSHINE], { at: NOBODY });
    expect(exitCode).toBe(0);
    expect(out).toMatch(PLAN);
    expect(err).toMatch(
      /unknown +account +AWS was not reached for sts:GetCallerIdentity; check the network[^\n]*\n +Not checked: /,
    );
    const refused = await run(['deploy', ...MOONSHINE], { at: NOBODY });
    expect(refused).toMatchObject({ exitCode: 1, out: '' });
    expect(refused.err).toMatch(/^kikitori: AWS was not reached for sts:GetCallerIdentity/m);
  });

  it('print the plan also where a check fails, which a deployment ends with where it needs it', async () => {
    await account();
    const failing = (call: string) => {
      if (fake !== undefined) fake.refuse = (name) => (name === call ? 'SomethingElseException' : undefined);
    };
    failing('servicequotas:ListServiceQuotas');
    const planned = await run(['deploy', '--dry-run', ...MOONSHINE]);
    expect(planned).toMatchObject({ exitCode: 0, out: expect.stringMatching(PLAN) });
    expect(planned.err).toMatch(/unknown +quota +AWS refuses servicequotas:ListServiceQuotas; .*\n +Not so/);
    expect(planned.err).toMatch(/ok +image/);
    failing('ecr:BatchGetImage');
    const image = await run(['deploy', '--dry-run', ...MOONSHINE]);
    expect(image).toMatchObject({ exitCode: 0, out: expect.stringMatching(PLAN) });
    expect(image.err).toMatch(/missing +image +[^\n]*\n +AWS refuses ecr:BatchGetImage/);
    failing('cloudformation:DescribeStacks');
    const there = await run(['deploy', '--dry-run', ...MOONSHINE]);
    expect(there).toMatchObject({ exitCode: 0, out: expect.stringMatching(PLAN) });
    expect(there.err).toMatch(/unknown +there +AWS refuses cloudformation:DescribeStacks/);
    const refused = await run(['deploy', ...MOONSHINE]);
    expect(refused).toMatchObject({ exitCode: 1, out: '' });
    expect(refused.err).toMatch(
      /AWS says to cloudformation:DescribeStacks: Not so\nkikitori: AWS refuses cloudformation:DescribeStacks/,
    );
  });

  it('go past IAM’s simulation when told to', async () => {
    const { policy } = await account().then((one) => ({ policy: one }));
    const allowed = JSON.parse((await run(['deploy', '--policy', ...MOONSHINE])).out) as PolicyDocument;
    const without = (action: string) => ({
      ...allowed,
      Statement: allowed.Statement.map((one) => ({
        ...one,
        Action: one.Action.filter((each) => each !== action),
      })),
    });
    policy.policy = without('cloudwatch:PutMetricAlarm');
    const refused = await run(['deploy', ...MOONSHINE]);
    expect(refused.err).toMatch(
      /missing +permissions .*cloudwatch:PutMetricAlarm\n.*--skip-permission-check/,
    );
    expect(refused.exitCode).toBe(1);
    const past = await run(['deploy', '--dry-run', '--skip-permission-check', ...MOONSHINE]);
    expect(past.err).not.toMatch(/permissions/);
  });

  it('say what was made, what it costs and how to remove it where only the try fails', async () => {
    await account();
    const { exitCode, err } = await run(['deploy', ...MOONSHINE], { url: NOBODY });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/✓ The endpoint is in service/);
    expect(err).toMatch(
      /only the try at the end failed\.\nIt costs: +\$0\.20 an hour[^\n]*\nSpeak to it: .*\n.*\nRemove it: +kikitori destroy --endpoint demo/,
    );
  });

  it('plan what the container can be told, and refuse what SageMaker would', async () => {
    await account();
    const plan = (...words: string[]) =>
      run(['deploy', '--dry-run', '--image', IMAGE, '--model-s3', 's3://weights/voxtral/', ...words]);
    // Both were named: nothing is to be built or copied.
    expect((await plan('--gpu-memory-utilization', '0.8765')).out).toMatch(
      /1\. image: use the image \S+ \(0 to 1 min\)\n +2\. weights: use the weights in s3:\S+ \(0 to 1 min\)\n/,
    );
    const explained = await run(['deploy', '--explain', '--gpu-memory-utilization', '0.8765']);
    expect(explained.out).toMatch(/SM_VLLM_GPU_MEMORY_UTILIZATION=0\.8765\n/);
    const long = `{"a": "${'b'.repeat(1_024)}"}`;
    for (const flags of [
      ['--compilation-config', long],
      ['--vllm', `{"speculative-config": ${long}}`],
    ]) {
      expect(await plan(...flags)).toMatchObject({
        exitCode: 2,
        err: expect.stringMatching(
          /The value of --\S+-config is 10\d\d bytes long; SageMaker takes up to 1024/,
        ),
      });
    }
  });

  it('say what is missing before anything is made, and how to get it', async () => {
    const { quotas, inventory } = await account().then((one) => ({
      quotas: one.quotas,
      inventory: () => one.inventory(),
    }));
    quotas.set('ml.c5.xlarge', 0);
    const { exitCode, err } = await run(['deploy', ...MOONSHINE]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(
      /missing {2}quota .*needed 1\n +Ask for more: aws service-quotas request-service-quota-increase/,
    );
    expect(err).toMatch(/kikitori: Something that the deployment needs is missing/);
    expect(inventory()).toEqual([]);
  });

  it('remove the image as well when told to, and list it when not', async () => {
    const { ecr, inventory } = await account().then((one) => ({
      ecr: one.ecr,
      inventory: () => one.inventory(),
    }));
    ecr.lay('kikitori', 'demo.moonshine-0123456789abcdef', {});
    ecr.lay('kikitori', 'live.moonshine-fedcba9876543210', { of: 'another endpoint' });
    const destroy = ['destroy', '--endpoint', 'demo'];
    expect((await run(destroy)).err).toMatch(
      /1 image of it in the ECR repository kikitori, 2\.0 GB at most .*"kikitori destroy --all" removes them/,
    );
    const removed = await run([...destroy, '--all']);
    expect(removed.err).toMatch(/demo\.moonshine-0123456789abcdef is gone from ECR/);
    expect(removed.err).toMatch(/the ECR repository kikitori: images of live \(1 in all\)/);
    expect((await run(destroy)).err).not.toMatch(/ECR/);
    expect(inventory()).toEqual(['repository kikitori', 'image kikitori:live.moonshine-fedcba9876543210']);
  });

  it('explain the arithmetic without asking anybody', async () => {
    const { exitCode, out } = await run(['deploy', '--explain', '--max-model-len', '22500']);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/--max-model-len 22500 is 30 minutes of one session/);
    expect(out).toMatch(/\n {2}SM_VLLM_MAX_MODEL_LEN=22500\n/);
  });

  it.each([
    [['deploy', '--image', 'nginx'], 2, 'SageMaker takes images from ECR only'],
    [['deploy', '--vllm', '[1]'], 2, 'Other settings of vLLM are a JSON object'],
    [['deploy', '--gpu-memory-utilization', '1.5'], 2, 'must be above 0'],
    [['deploy', '--instance-type', 'ml.c5.xlarge', '--image', IMAGE], 2, 'vLLM needs a GPU'],
    [['deploy', '--region', 'nowhere'], 2, 'A region looks like us-east-1'],
    [['scale'], 2, 'Say --min, --max or --desired'],
    [['logs', '--endpoint', 'demo'], 1, 'There is no log'],
    [['scale', '--max', '2'], 1, 'There is no such endpoint of ours'],
  ])('refuse with a sentence: %j', async (words, exitCode, sentence) => {
    await account();
    const refused = await run(words);
    expect(refused).toMatchObject({ exitCode, err: expect.stringContaining(sentence) });
    expect(refused.err).toMatch(/kikitori: [^\n]+[.)]\n$/);
  });
});
