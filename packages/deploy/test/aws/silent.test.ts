/** A server that takes the connection and says nothing, or stops in the middle; keys that never come. No call waits for ever. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Aws, type AwsKeys } from '../../src/aws/aws.js';
import { draftDeployment } from '../../src/lifecycle/check.js';
import { readIdentity } from '../../src/plan/facts.js';
import { givenImage } from '../../src/supplies/given-image.js';
import { VirtualTime } from '../fake-aws/virtual-time.js';

beforeAll(() => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

let server: Server;
let url = '';
let opened: Socket[] = [];
/** Between one try and the next. */
let pauses = 0;
/** What is said before the silence. */
let begin = '';
/** What a request is answered, in full or in part. */
let answered = (_request: string): string => begin;
beforeEach(async () => {
  answered = () => begin;
  opened = [];
  pauses = 0;
  begin = '';
  server = createServer((socket) => {
    opened.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', (data) => socket.write(answered(data.toString())));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterEach(async () => {
  for (const socket of opened) socket.destroy();
  server.close();
  await once(server, 'close');
});

const KEYS: AwsKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' };

function open(credentials: AwsKeys | (() => Promise<AwsKeys>) = KEYS): Aws {
  const clock = new VirtualTime();
  clock.onSleep = () => {
    pauses += 1;
  };
  return new Aws({ region: 'eu-west-1', endpointUrl: url, credentials, clock });
}

const { signal } = new AbortController();
const soon = { timeoutMs: 200, unreachedAttemptsMax: 2 };

/** A question to each of AWS's clients that we have. */
const ASKED: Readonly<Record<string, (aws: Aws) => Promise<unknown>>> = {
  'sts:GetCallerIdentity': (aws) =>
    aws.ask('sts', (sdk) => new sdk.GetCallerIdentityCommand({}), signal, soon),
  'iam:SimulatePrincipalPolicy': (aws) =>
    aws.ask(
      'iam',
      (sdk) => new sdk.SimulatePrincipalPolicyCommand({ PolicySourceArn: 'a', ActionNames: ['b:C'] }),
      signal,
      soon,
    ),
  'cloudformation:DescribeStacks': (aws) =>
    aws.ask('cloudFormation', (sdk) => new sdk.DescribeStacksCommand({}), signal, soon),
  'cloudwatch:DescribeAlarms': (aws) =>
    aws.ask('cloudWatch', (sdk) => new sdk.DescribeAlarmsCommand({}), signal, soon),
  'logs:DescribeLogGroups': (aws) =>
    aws.ask('logs', (sdk) => new sdk.DescribeLogGroupsCommand({}), signal, soon),
  'ecr:DescribeRepositories': (aws) =>
    aws.ask('ecr', (sdk) => new sdk.DescribeRepositoriesCommand({}), signal, soon),
  's3:ListBucket': (aws) =>
    aws.ask('s3', (sdk) => new sdk.HeadBucketCommand({ Bucket: 'weights' }), signal, soon),
  'sagemaker:ListModels': (aws) => aws.ask('sageMaker', (sdk) => new sdk.ListModelsCommand({}), signal, soon),
  'servicequotas:ListServiceQuotas': (aws) =>
    aws.ask(
      'serviceQuotas',
      (sdk) => new sdk.ListServiceQuotasCommand({ ServiceCode: 'sagemaker' }),
      signal,
      soon,
    ),
};

describe('a server that accepts and says nothing', () => {
  it.each(Object.keys(ASKED))('is asked twice for %s, and counts as not reached', async (call) => {
    const aws = open();
    await expect(ASKED[call]?.(aws)).rejects.toMatchObject({
      code: 'aws_unreachable',
      call,
      message: expect.stringContaining(call),
      serviceText: undefined,
    });
    expect(pauses).toBe(1);
    aws.close();
  });

  it('likewise where it stops in the middle of its answer', async () => {
    begin =
      'HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 5000\r\n\r\n<GetCallerIdentityResponse';
    const aws = open();
    await expect(ASKED['sts:GetCallerIdentity']?.(aws)).rejects.toMatchObject({ code: 'aws_unreachable' });
    expect(pauses).toBe(1);
    aws.close();
  });

  it('is left at once by whoever calls it off', async () => {
    const aws = open();
    const off = new AbortController();
    const asked = readIdentity(aws, off.signal);
    await expect.poll(() => opened.length).toBe(1);
    off.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    aws.close();
  });
});

describe('a network with a way to STS alone', () => {
  it('does not keep a plan back: what is there is unknown in time, and nothing is waited for a second time', async () => {
    const identity =
      '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
    answered = (request) =>
      /\/sts\/aws4_request/.test(request)
        ? `HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: ${identity.length}\r\n\r\n${identity}`
        : '';
    const aws = open();
    const image = givenImage(aws, '123456789012.dkr.ecr.eu-west-1.amazonaws.com/kikitori:1');
    const supplies = { image, weights: undefined };
    const asked = { engine: 'moonshine' } as const;
    const drafted = await draftDeployment(aws, asked, () => supplies, { signal, timeoutMs: 200 });
    expect(drafted.plan.kind).toBe('create');
    expect(drafted.checks.map(({ name, state }) => [name, state])).toEqual([
      ['account', 'ok'],
      ['there', 'unknown'],
    ]);
    aws.close();
  });
});

describe('whoever gives the keys', () => {
  it('may not keep us waiting for ever either', async () => {
    const aws = open(() => new Promise(() => undefined));
    await expect(ASKED['sts:GetCallerIdentity']?.(aws)).rejects.toMatchObject({ code: 'aws_unreachable' });
    expect(opened).toHaveLength(0);
    aws.close();
  });
});
