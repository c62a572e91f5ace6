import { describe, expect, it } from 'vitest';
import { formatAmzDate } from '../../src/event-stream/amz-date.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { LOCAL_CREDENTIALS, type RuntimeCredentials } from '../../src/stand-in/index.js';
import { readRequest } from '../../src/stand-in/request.js';
import { checkPermission, checkSignature } from '../../src/stand-in/request-access.js';
import { type RequestChanges, signedRequest } from './signed-client.js';

const NOW = 1_795_361_242_000;
const WITH_TOKEN: RuntimeCredentials = {
  accessKeyId: 'AKIDTOKEN',
  secretAccessKey: 'another secret',
  sessionToken: 'TOKEN==',
  expiresAtUnixMs: NOW + 1000,
};
const policy = {
  credentials: [LOCAL_CREDENTIALS, WITH_TOKEN],
  regions: new Set(['us-east-1', 'eu-central-1']),
  clockSkewMsMax: 300_000,
  keys: new SigningKeys(),
};

function check(changes: RequestChanges, nowMs = NOW): ReturnType<typeof checkSignature> {
  const { headers } = signedRequest('localhost:8443', { nowMs: NOW, ...changes });
  return checkSignature(readRequest(Object.entries(headers).flat()), policy, nowMs);
}

function nameOf(changes: RequestChanges, nowMs?: number): string {
  const { failure } = check(changes, nowMs);
  if (failure !== undefined)
    expect(failure).toMatchObject({ status: 403, members: { message: expect.any(String) } });
  return failure?.name ?? 'accepted';
}

describe('the signature of a request', () => {
  it.each<[string, RequestChanges]>([
    ['signs :authority, as AWS’s JavaScript client', {}],
    ['signs host, which is the authority here', { signsHost: true }],
    ['has a host header and signs that', { signsHost: true, headers: { host: 'elsewhere:1' } }],
    ['has a session token', { credentials: WITH_TOKEN }],
    ['is for another region that is served', { region: 'eu-central-1' }],
    ['has a query', { path: '/endpoints/demo/invocations-bidirectional-stream?b=2&a=1&c' }],
    ['has a percent-encoded path', { path: '/endpoints/de%20mo/invocations-bidirectional-stream' }],
    ['is almost five minutes old', { nowMs: NOW - 300_000 }],
    ['is almost five minutes early', { nowMs: NOW + 300_000 }],
    ['has values with spaces', { headers: { 'x-note': '  a   b  ' } }],
  ])('is accepted when it %s', (_name, changes) => {
    expect(nameOf(changes)).toBe('accepted');
  });

  it('gives who signed, where, and the first link of the chain', () => {
    const { value } = check({ credentials: WITH_TOKEN, region: 'eu-central-1' });
    expect(value).toMatchObject({ credentials: WITH_TOKEN, region: 'eu-central-1' });
    expect(value?.signature).toMatch(/^[\da-f]{64}$/);
  });

  const stranger = { accessKeyId: 'AKIDSTRANGER', secretAccessKey: 'x' };
  it.each<[string, string, RequestChanges]>([
    ['MissingAuthenticationTokenException', 'there is none', { forged: { authorization: undefined } }],
    ['IncompleteSignatureException', 'it is no SigV4', { forged: { authorization: 'Bearer x' } }],
    ['IncompleteSignatureException', 'the date is missing', { forged: { 'x-amz-date': undefined } }],
    ['IncompleteSignatureException', 'the date is no date', { forged: { 'x-amz-date': '20261322T000000Z' } }],
    ['UnrecognizedClientException', 'nobody knows the key', { credentials: stranger }],
    [
      'InvalidSignatureException',
      'the secret is another',
      { credentials: { ...LOCAL_CREDENTIALS, secretAccessKey: 'x' } },
    ],
    [
      'UnrecognizedClientException',
      'the token is missing',
      { credentials: { accessKeyId: 'AKIDTOKEN', secretAccessKey: 'another secret' } },
    ],
    [
      'UnrecognizedClientException',
      'the token is another',
      { credentials: { ...WITH_TOKEN, sessionToken: 'TOKEN=A' } },
    ],
    [
      'UnrecognizedClientException',
      'there is a token too many',
      { credentials: { ...LOCAL_CREDENTIALS, sessionToken: 'TOKEN' } },
    ],
    ['InvalidSignatureException', 'it is too old', { nowMs: NOW - 301_000 }],
    ['InvalidSignatureException', 'it is too early', { nowMs: NOW + 301_000 }],
    ['InvalidSignatureException', 'nobody serves the region', { region: 'mars-1' }],
    ['InvalidSignatureException', 'it is for another service', { service: 'bedrock' }],
    ['InvalidSignatureException', 'it does not cover an x-amz header', { forged: { 'x-amz-extra': '1' } }],
    [
      'InvalidSignatureException',
      'a signed header was changed',
      { forged: { 'content-type': 'text/plain' } },
    ],
    [
      'InvalidSignatureException',
      'the path was changed',
      { forged: { ':path': '/endpoints/other/invocations-bidirectional-stream' } },
    ],
    ['InvalidSignatureException', 'the authority was changed', { forged: { ':authority': 'localhost:1' } }],
    [
      'InvalidSignatureException',
      'a signed header is missing',
      { headers: { 'x-note': '1' }, forged: { 'x-note': undefined } },
    ],
  ])('is answered with %s when %s', (name, _why, changes) => {
    expect(nameOf(changes)).toBe(name);
  });

  it('is refused when its scope is of another day than its date', () => {
    const { second } = formatAmzDate(NOW + 86_400_000);
    expect(nameOf({ forged: { 'x-amz-date': second } })).toBe('InvalidSignatureException');
  });

  it.each([
    ['not host', ':authority;', '', 'InvalidSignatureException'],
    [
      'a list that is not sorted',
      ':authority;content-type',
      'content-type;:authority',
      'IncompleteSignatureException',
    ],
    ['a header twice', ':authority;', ':authority;:authority;', 'IncompleteSignatureException'],
  ])('is refused when it names %s', (_name, before, after, name) => {
    const { headers } = signedRequest('localhost:8443', { nowMs: NOW });
    const forged = { authorization: (headers['authorization'] ?? '').replace(before, after) };
    expect(nameOf({ forged })).toBe(name);
  });

  it('is refused with ExpiredTokenException from the moment the credentials expire', () => {
    expect(nameOf({ credentials: WITH_TOKEN }, NOW + 999)).toBe('accepted');
    expect(nameOf({ credentials: WITH_TOKEN }, NOW + 1000)).toBe('ExpiredTokenException');
  });

  it('is refused whichever single bit of it is flipped', () => {
    const { headers } = signedRequest('localhost:8443', { nowMs: NOW });
    const authorization = headers['authorization'] ?? '';
    const accepted: string[] = [];
    for (let bit = authorization.indexOf('Signature=') * 8; bit < authorization.length * 8; bit += 1) {
      const bytes = Buffer.from(authorization, 'latin1');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const forged = { authorization: bytes.toString('latin1') };
      if (check({ forged }).failure?.status !== 403) accepted.push(`bit ${bit}`);
    }
    expect(accepted).toStrictEqual([]);
  });
});

describe('the permission of credentials', () => {
  const action = 'sagemaker:InvokeEndpointWithBidirectionalStream';
  const target = { endpointName: 'demo', region: 'us-east-1', accountId: '111122223333', action };

  it('covers every endpoint, or those that are named', () => {
    expect(checkPermission(LOCAL_CREDENTIALS, target)).toBeUndefined();
    expect(checkPermission({ ...LOCAL_CREDENTIALS, endpointNames: ['demo'] }, target)).toBeUndefined();
    expect(checkPermission({ ...LOCAL_CREDENTIALS, endpointNames: ['other'] }, target)).toMatchObject({
      status: 403,
      name: 'AccessDeniedException',
      members: { message: expect.stringContaining('sagemaker:InvokeEndpointWithBidirectionalStream') },
    });
  });
});
