/** What AWS's clients throw carries the whole signed request. None of it may come out again, however an error is printed. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { copyModel } from '../../src/artefacts/copy-model.js';
import { VOXTRAL_REALTIME } from '../../src/artefacts/hub-access.js';
import { Aws } from '../../src/aws/aws.js';
import { DeployError } from '../../src/errors.js';
import { provideImage } from '../../src/image/provide-image.js';
import { VirtualTime } from '../fake-aws/virtual-time.js';

const TOKEN = 'session-token-that-nobody-may-see';
const SECRET = 'secret-key-that-nobody-may-see';
/** As AWS answers where a signature is wrong: it repeats what it was sent. */
const REPEATS = [
  [
    'SignatureDoesNotMatch',
    `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:x\nx-amz-security-token:${TOKEN}\n\nhost\nabc'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261123T000000Z\n'\n`,
  ],
  [
    'IncompleteSignature',
    `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=A/20261123, Signature=${'e'.repeat(64)} ${TOKEN}`,
  ],
  ['InternalFailure', 'Something failed inside'],
  ['Throttling', 'Rate exceeded'],
  ['AccessDenied', 'User: arn:aws:iam::1:user/me is not authorized to perform: sts:GetCallerIdentity'],
] as const;

let server: Server;
let url = '';
let answer: readonly [name: string, message: string, status?: number] = REPEATS[0];
let seen: string[] = [];
beforeAll(() => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(JSON.stringify(request.headers));
    const [name, message, status = name === 'InternalFailure' ? 500 : 403] = answer;
    if (request.headers['x-amz-target'] !== undefined) {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': name });
      response.end(JSON.stringify({ __type: name, message }));
      return;
    }
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(
      `<ErrorResponse><Error><Code>${name}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on a host and port, so its address is one.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
});

function open(): Aws {
  return new Aws({
    region: 'eu-west-1',
    endpointUrl: url,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: TOKEN },
    clock: new VirtualTime(),
  });
}

/** Everything that any way of printing could find in an error. */
function everything(error: unknown): string {
  const all = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true });
  const words = error instanceof DeployError ? error.serviceText : '';
  return `${all}\n${words}\n${JSON.stringify(error)}`;
}

async function failed(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );
}

describe('an error of AWS', () => {
  it.each(REPEATS)('becomes ours without signature, key and token: %s', async (...given) => {
    answer = given;
    const aws = open();
    const signal = new AbortController().signal;
    const queried = await failed(aws.ask('sts', (sdk) => new sdk.GetCallerIdentityCommand({}), signal));
    const spoken = await failed(aws.ask('logs', (sdk) => new sdk.DescribeLogGroupsCommand({}), signal));
    for (const error of [queried, spoken]) {
      expect(error).toBeInstanceOf(DeployError);
      const text = everything(error);
      for (const needle of [TOKEN, SECRET, 'Signature=', 'AWS4-HMAC']) expect(text).not.toContain(needle);
      expect(text).toContain(given[0]);
    }
    expect(seen.join()).toContain(TOKEN);
    aws.close();
  });

  it.each([
    ['LimitExceededException', 'stack limit exceeded', 400, 'limit_reached', 'as many of that kind'],
    ['LimitExceededException', 'stack limit exceeded', 429, 'limit_reached', 'as many of that kind'],
    ['ResourceLimitExceeded', 'The account-level service limit is 0', 400, 'limit_reached', 'as many of'],
    ['ValidationError', '1 validation error detected', 400, 'aws_refused', 'AWS refuses sts:GetCallerId'],
    ['NoSuchEntity', 'The role is not there', 404, 'aws_refused', 'AWS refuses sts:GetCallerIdentity; its w'],
    ['AccessDenied', 'No', 403, 'access_denied', 'may not do sts:GetCallerIdentity; "kikitori deploy --pol'],
  ])('that is final is asked for once, and called what it is: %s, %s, %i', async (...given) => {
    const [name, message, status, code, words] = given;
    answer = [name, message, status];
    const aws = open();
    const { signal } = new AbortController();
    const asked = aws.ask('sts', (sdk) => new sdk.GetCallerIdentityCommand({}), signal);
    await expect(asked).rejects.toMatchObject({
      code,
      call: 'sts:GetCallerIdentity',
      retryable: false,
      message: expect.stringContaining(words),
      serviceText: message,
      saidBy: 'AWS',
    });
    expect(seen).toHaveLength(1);
    aws.close();
  });

  it.each([
    ['Throttling', 'Rate exceeded', 400, 'throttled', 'AWS kept throttling sts:GetCallerIdentity'],
    ['LimitExceededException', 'Rate exceeded', 400, 'throttled', 'AWS kept throttling sts:GetCallerId'],
    ['InternalFailure', 'Broken', 500, 'aws_failed', 'AWS failed inside at sts:GetCallerIdentity'],
  ])('that may pass is asked for again, and names the call: %s, %s, %i', async (...given) => {
    const [name, message, status, code, words] = given;
    answer = [name, message, status];
    const aws = open();
    const { signal } = new AbortController();
    const asked = aws.ask('sts', (sdk) => new sdk.GetCallerIdentityCommand({}), signal);
    await expect(asked).rejects.toMatchObject({
      code,
      retryable: true,
      message: expect.stringContaining(words),
    });
    expect(seen).toHaveLength(8);
    aws.close();
  });

  it('of S3 and of ECR likewise', async () => {
    answer = REPEATS[0];
    const aws = open();
    const s3 = await aws.s3();
    const access = { endpoint: url, token: undefined };
    const copied = await failed(
      copyModel({ s3, model: VOXTRAL_REALTIME, destination: 's3://weights/a/', access }),
    );
    const provided = await failed(
      provideImage(aws, {
        engine: 'vllm',
        endpointName: 'demo',
        accountId: '1',
        builder: undefined,
        env: {},
        tags: {},
        onLine: () => undefined,
        signal: new AbortController().signal,
      }),
    );
    for (const error of [copied, provided]) {
      expect(error).toBeInstanceOf(DeployError);
      for (const needle of [TOKEN, SECRET, 'Signature=']) expect(everything(error)).not.toContain(needle);
    }
    aws.close();
  });
});
