import { createServer as createHttp1Server } from 'node:http';
import { createServer as createHttp2Server, createSecureServer, type Http2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { AwsCredentialIdentity } from '@smithy/types';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeConnect } from '../../src/client/connect.js';
import { resolveConnectOptions } from '../../src/client/connect-options.js';
import { dataTypeOf } from '../../src/client/connection.js';
import { reasonOfDial } from '../../src/client/dial.js';
import { defaultEndpoint, endpointFromUrl } from '../../src/client/endpoint.js';
import { createSageMakerConnect, type SageMakerConnectOptions } from '../../src/client/index.js';
import { SageMakerError } from '../../src/errors.js';
import { EVENT_STREAM_CONTENT_TYPE } from '../../src/event-stream/request-signature.js';
import { reasonOf } from '../reason-of.js';
import { rejectionOf } from './delivery.js';
import { CREDENTIALS, optionsFor } from './opened.js';
import { RawPeer } from './raw-peer.js';

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of stops.splice(0)) await stop();
});

/** Listens on a free port of loopback until the test is over. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  // It listens on TCP.
  return (server.address() as AddressInfo).port;
}

/** The error of connecting to a URL. */
async function failureAt(
  url: string,
  changes: Partial<SageMakerConnectOptions> = {},
): Promise<SageMakerError> {
  const error = await rejectionOf(createSageMakerConnect(optionsFor(url, changes))({ url: '' }));
  if (!(error instanceof SageMakerError)) throw error;
  return error;
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

let certificate: Certificate;

beforeAll(async () => {
  const subject = [{ name: 'commonName', value: 'localhost' }];
  const made = await generate(subject, {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  certificate = { cert: made.cert, key: made.private };
});

describe('options', () => {
  const invalid = (changes: Partial<SageMakerConnectOptions>): string =>
    reasonOf(() => createSageMakerConnect(optionsFor('http://localhost:1', changes)));

  it('are checked before anything is sent, each with a sentence of its own', () => {
    for (const endpointName of ['', '-a', 'a-', 'a_b', 'ä', 'a'.repeat(64), 'a/b', 'a b']) {
      expect(invalid({ endpointName })).toBe('invalid_endpoint_name');
    }
    for (const targetVariant of ['', '-', 'a'.repeat(64)]) {
      expect(invalid({ targetVariant })).toBe('invalid_target_variant');
    }
    for (const modelInvocationPath of ['', '/v1', 'v1/', 'a//b', 'a b', 'a?b', 'a'.repeat(101)]) {
      expect(invalid({ modelInvocationPath })).toBe('invalid_invocation_path');
    }
    const long = `a=${'b'.repeat(2047)}`;
    for (const modelQueryString of [
      '',
      '?a=b',
      'a',
      'a=',
      'a=b&',
      '&a=b',
      'a=b+c',
      'a=%2',
      '_a=b',
      'a=ü',
      long,
    ]) {
      expect(invalid({ modelQueryString })).toBe('invalid_query_string');
    }
    for (const region of ['', 'x', 'US-EAST-1', 'us east 1', 'us-east-1.evil.example', 'us-east-1/']) {
      expect(invalid({ region })).toBe('invalid_region');
    }
    for (const endpointUrl of [
      '',
      'x',
      'ws://h',
      'http://u:p@h',
      'http://h/path',
      'http://h?q',
      'http://h#f',
    ]) {
      expect(invalid({ endpointUrl })).toBe('invalid_endpoint_url');
    }
    for (const changes of [
      { streamsPerConnection: 0 },
      { streamsPerConnection: 101 },
      { closeTimeoutMs: 0.5 },
    ]) {
      expect(invalid(changes)).toBe('invalid_option');
    }
    expect(invalid({ messageBytesMax: 16 * 1024 * 1024 + 1 })).toBe('invalid_option');
    expect(invalid({ isFips: true })).toBe('invalid_option');
  });

  it('are taken at their bounds', () => {
    const target = {
      endpointName: 'a'.repeat(63),
      targetVariant: 'a--b',
      modelInvocationPath: `${'a/'.repeat(49)}.-`,
      modelQueryString: `a-_1=%2Fb.~_-&a-_1=c&d=${'e'.repeat(2025)}`,
    };
    expect(invalid(target)).toBe('none');
  });

  it("lead to the service's own endpoint unless a URL is given", () => {
    const authority = (region: string, changes = {}): string =>
      defaultEndpoint({ region, ...changes }).authority;
    expect(authority('us-west-2')).toBe('runtime.sagemaker.us-west-2.amazonaws.com:8443');
    expect(authority('cn-north-1')).toBe('runtime.sagemaker.cn-north-1.amazonaws.com.cn:8443');
    expect(authority('us-gov-west-1')).toBe('runtime.sagemaker.us-gov-west-1.amazonaws.com:8443');
    expect(authority('eusc-de-east-1')).toBe('runtime.sagemaker.eusc-de-east-1.amazonaws.eu:8443');
    expect(authority('us-isof-east-1')).toBe('runtime.sagemaker.us-isof-east-1.csp.hci.ic.gov:8443');
    expect(authority('us-east-1', { isFips: true })).toBe(
      'runtime-fips.sagemaker.us-east-1.amazonaws.com:8443',
    );
    expect(authority('us-east-1', { isDualStack: true })).toBe('runtime.sagemaker.us-east-1.api.aws:8443');
    expect(endpointFromUrl('https://localhost')).toMatchObject({ port: 443, authority: 'localhost' });
    expect(endpointFromUrl('http://[::1]:8080')).toMatchObject({ host: '::1', authority: '[::1]:8080' });
  });
});

describe('a connection that does not come about', () => {
  it('says that nobody listens', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await failureAt(`https://127.0.0.1:${port}`)).toMatchObject({
      reason: 'nobody_listens',
      code: 'connect_failed',
    });
  });

  it('says what the system says, in our words', () => {
    expect(reasonOfDial('ENOTFOUND', false)).toBe('host_not_found');
    expect(reasonOfDial('EAI_AGAIN', false)).toBe('host_not_found');
    expect(reasonOfDial('EHOSTUNREACH', false)).toBe('network_failed');
    expect(reasonOfDial('ECONNRESET', true)).toBe('network_failed');
    expect(reasonOfDial('DEPTH_ZERO_SELF_SIGNED_CERT', true)).toBe('tls_failed');
  });

  it('says that the port is the wrong one when nothing answers, before TLS and after it', async () => {
    const port = await listening(createTcpServer());
    const changes = { connectTimeoutMs: 50, answerTimeoutMs: 50 };
    const silentTls = await failureAt(`https://127.0.0.1:${port}`, changes);
    expect(silentTls).toMatchObject({ reason: 'connect_timeout', code: 'connect_timeout' });
    expect(silentTls.message).toContain('8443');
    const silentHttp2 = await failureAt(`http://127.0.0.1:${port}`, changes);
    expect(silentHttp2).toMatchObject({ reason: 'answer_timeout', code: 'connect_timeout', retryable: true });
    expect(silentHttp2.message).toContain('InvokeEndpointWithBidirectionalStream');
  });

  it('says that the certificate is not trusted, until it is', async () => {
    const server = createSecureServer(certificate);
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': EVENT_STREAM_CONTENT_TYPE });
      stream.end();
    });
    const url = `https://127.0.0.1:${await listening(server)}`;
    expect(await failureAt(url)).toMatchObject({ reason: 'tls_failed', retryable: false });
    expect(await failureAt(url, { ca: 'no PEM' })).toMatchObject({ reason: 'tls_failed' });
    const trusting = createSageMakerConnect(optionsFor(url, { ca: Buffer.from(certificate.cert) }));
    const connection = await trusting({ url: '' });
    for await (const message of connection.messages) expect(message).toBe('nothing is said');
  });

  it('says that HTTP/2 is not spoken there', async () => {
    const tls = await listening(createTlsServer({ ...certificate, ALPNProtocols: ['http/1.1'] }));
    const withoutAlpn = await listening(createTlsServer(certificate));
    const http1 = await listening(createHttp1Server());
    const ca = certificate.cert;
    for (const url of [
      `https://127.0.0.1:${tls}`,
      `https://127.0.0.1:${withoutAlpn}`,
      `http://127.0.0.1:${http1}`,
    ]) {
      expect(await failureAt(url, { ca })).toMatchObject({ reason: 'not_http2', code: 'protocol_error' });
    }
    expect(await failureAt(`https://127.0.0.1:${http1}`, { ca })).toMatchObject({ reason: 'tls_failed' });
  });

  it('says that the line was lost when the service goes before it answers', async () => {
    const peer = await RawPeer.start();
    stops.push(() => peer.stop());
    const failing = failureAt(peer.url);
    const line = await peer.nextLine();
    await line.until(({ frames }) => frames.some(({ type }) => type === 1));
    line.socket.resetAndDestroy();
    expect(await failing).toMatchObject({ reason: 'line_lost', code: 'connection_lost' });
    const resetting = failureAt(peer.url);
    const second = await peer.nextLine();
    await second.until(({ frames }) => frames.some(({ type }) => type === 1));
    second.reset(7);
    expect(await resetting).toMatchObject({ reason: 'stream_reset', retryable: true });
  });
});

/** A service that answers every request alike. */
async function answering(
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server: Http2Server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
    stream.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

describe('a refusal', () => {
  const named = (name: string): Readonly<Record<string, string>> => ({ 'x-amzn-errortype': name });
  const cases: readonly (readonly [number, object | string, Readonly<Record<string, string>>, object])[] = [
    [
      400,
      { Message: 'bad path', ErrorCode: 'E1' },
      named('InputValidationError'),
      { reason: 'request_refused', serviceCode: 'E1', serviceText: 'bad path', httpStatus: 400 },
    ],
    [
      400,
      { message: 'Endpoint x of account 1 not found.' },
      named('ValidationException'),
      { reason: 'endpoint_not_found', retryable: false },
    ],
    ...(['Creating', 'Updating', 'SystemUpdating', 'RollingBack'] as const).map(
      (status) =>
        [
          400,
          { Message: `Endpoint x of account 1 is ${status}, not InService.`, ErrorCode: 'E2' },
          named('InputValidationError'),
          { reason: 'endpoint_not_ready', retryable: true, httpStatus: 400 },
        ] as const,
    ),
    [
      400,
      { Message: 'Endpoint x of account 1 is Failed, not InService.' },
      named('InputValidationError'),
      { reason: 'request_refused', retryable: false },
    ],
    [400, { message: 'slow down' }, named('ThrottlingException'), { reason: 'throttled', retryable: true }],
    [429, '', {}, { reason: 'throttled', retryable: true }],
    [
      424,
      { Message: 'Failed to establish WebSocket connection', OriginalStatusCode: 503 },
      named('ModelError'),
      { reason: 'model_refused', originalStatus: 503, httpStatus: 503, retryable: true },
    ],
    [
      424,
      { Message: 'm', OriginalStatusCode: 404 },
      named('ModelError'),
      { reason: 'model_refused', originalStatus: 404, retryable: false },
    ],
    [
      424,
      { Message: 'm' },
      named('ModelError'),
      { reason: 'model_refused', httpStatus: 424, retryable: true },
    ],
    [403, { message: 'm' }, named('AccessDeniedException'), { reason: 'access_denied', retryable: false }],
    [
      403,
      { message: 'm' },
      named('InvalidSignatureException'),
      { reason: 'signature_wrong', retryable: false },
    ],
    [
      403,
      { message: 'Signature expired: x is now earlier than y' },
      named('InvalidSignatureException:http://x/'),
      { reason: 'clock_wrong', retryable: true },
    ],
    [403, { message: 'm' }, named('UnrecognizedClientException'), { reason: 'credentials_unknown' }],
    [
      403,
      { __type: 'com.amazon.coral#ExpiredTokenException', message: 'm' },
      {},
      { reason: 'credentials_expired', serviceCode: 'ExpiredTokenException' },
    ],
    [403, '<html>', {}, { reason: 'access_denied' }],
    [500, { Message: 'm' }, named('InternalServerError'), { reason: 'service_failed', retryable: true }],
    [
      503,
      { Message: 'm' },
      named('com.amazonaws.sagemakerruntimehttp2#ServiceUnavailableError'),
      { reason: 'service_unavailable', retryable: true },
    ],
    [502, 'bad gateway', {}, { reason: 'service_unavailable' }],
    [404, 'nothing', {}, { reason: 'answer_unexpected', retryable: false }],
    [200, 'hello', { 'content-type': 'text/html' }, { reason: 'answer_unexpected', serviceText: undefined }],
    [400, '[1,2', {}, { reason: 'request_refused', serviceText: undefined }],
    [400, 'null', {}, { reason: 'request_refused' }],
  ];
  for (const [status, body, headers, expected] of cases) {
    it(`is told apart: ${status} ${JSON.stringify(body)} ${JSON.stringify(headers)}`, async () => {
      const url = await answering(status, body, { ...headers, 'x-amzn-requestid': 'r-1' });
      const error = await failureAt(url);
      expect(error).toMatchObject({ ...expected, code: 'refused', requestId: 'r-1' });
      expect(error.message).toMatch(/^[A-Z].*\.$/);
    });
  }

  it('is told without its words when they are too many or do not come', async () => {
    const error = await failureAt(await answering(400, { Message: 'w'.repeat(5000) }));
    expect(error.serviceText?.length).toBe(1024);
    expect((await failureAt(await answering(400, ' '.repeat(1e6)))).reason).toBe('request_refused');
  });
});

describe('credentials', () => {
  const noStream = (): Promise<string> => answering(503, '');

  it('are asked for at every stream, and again when they are about to end', async () => {
    const asked: (boolean | undefined)[] = [];
    const url = await noStream();
    const provider = async (options?: {
      readonly forceRefresh?: boolean;
    }): Promise<AwsCredentialIdentity> => {
      asked.push(options?.forceRefresh);
      return { ...CREDENTIALS, expiration: new Date(Date.now() + asked.length * 4 * 60_000) };
    };
    const connect = createSageMakerConnect(optionsFor(url, { credentials: provider }));
    await rejectionOf(connect({ url: '' }));
    await rejectionOf(connect({ url: '' }));
    expect(asked).toEqual([undefined, true, undefined]);
  });

  it('that are not there are told in a sentence that says what to do', async () => {
    const url = await noStream();
    const providers: SageMakerConnectOptions['credentials'][] = [
      () => Promise.reject(new Error('Could not load credentials from any providers')),
      { accessKeyId: '', secretAccessKey: 'x' },
      { accessKeyId: 'x', secretAccessKey: '' },
      { accessKeyId: 'not a key', secretAccessKey: 'x' },
      { ...CREDENTIALS, sessionToken: 'copied with its line end\n' },
    ];
    for (const credentials of providers) {
      const error = await failureAt(url, { credentials });
      expect(error).toMatchObject({ reason: 'credentials_unavailable', code: 'invalid_argument' });
      expect(error.message).toContain('aws sso login');
    }
  });

  it("come from AWS's own chain unless they are given", async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDFROMENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'token-from-env');
    const server = createHttp2Server();
    const heard = new Promise<NodeJS.Dict<string | string[]>>((resolve) => {
      server.on('stream', (stream, headers) => {
        resolve(headers);
        stream.respond({ ':status': 503 }, { endStream: true });
      });
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    const { credentials: _, ...options } = optionsFor(url);
    await rejectionOf(createSageMakerConnect(options)({ url: '' }));
    const headers = await heard;
    expect(headers['authorization']).toContain('Credential=AKIDFROMENV/');
    expect(headers['x-amz-security-token']).toBe('token-from-env');
  });

  it('that do not come are not waited for once the caller gave up', async () => {
    const connect = createSageMakerConnect(
      optionsFor('http://127.0.0.1:1', { credentials: () => new Promise(() => undefined) }),
    );
    const controller = new AbortController();
    const connecting = rejectionOf(connect({ url: '', signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(await connecting).toEqual(new Error('enough'));
  });
});

describe('a clock that is off', () => {
  it('is corrected by what the service says, and the request is made once more', async () => {
    const serviceMs = Date.parse('2030-05-05T05:05:05Z');
    const dates: unknown[] = [];
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      dates.push(headers['x-amz-date']);
      stream.respond({
        ':status': 403,
        'x-amzn-errortype': 'RequestTimeTooSkewed',
        date: new Date(serviceMs).toUTCString(),
      });
      stream.end('{}');
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    const identity = { userAgent: 'u', amzUserAgent: 'u', attempt: 'a', invocationId: () => 'i' };
    const connect = makeConnect(resolveConnectOptions(optionsFor(url)), {
      identity,
      now: () => Date.parse('2030-05-05T04:00:00Z'),
      partHeadersOf: dataTypeOf,
    });
    expect(await rejectionOf(connect({ url: '' }))).toMatchObject({ reason: 'clock_wrong' });
    expect(dates).toEqual(['20300505T040000Z', '20300505T050505Z']);
    // It is known from now on, and nothing is tried twice.
    await rejectionOf(connect({ url: '' }));
    expect(dates.length).toBe(3);
  });
});
