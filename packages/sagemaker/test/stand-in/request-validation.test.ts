import { describe, expect, it } from 'vitest';
import { readRequest } from '../../src/stand-in/request.js';
import { findOperation, readInvocation } from '../../src/stand-in/request-validation.js';

const HEADERS = {
  'content-type': 'application/vnd.amazon.eventstream',
  'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-EVENTS',
};

function read(
  label: string,
  headers: Readonly<Record<string, string>> = {},
): ReturnType<typeof readInvocation> {
  return readInvocation(
    { method: 'POST', path: '', query: '', headerBytes: 0, headers: { ...HEADERS, ...headers } },
    label,
  );
}

const VARIANT = 'x-amzn-sagemaker-target-variant';
const PATH = 'x-amzn-sagemaker-model-invocation-path';
const QUERY = 'x-amzn-sagemaker-model-query-string';

describe('a request', () => {
  it('joins repeated headers, and keeps names that are on every object', () => {
    const raw = [':path', '/a?b=1?2', 'x-a', '1', 'X-A', '2', 'tostring', 't', 'constructor', 'c'];
    const { path, query, headers } = readRequest(raw);
    expect([path, query, headers['x-a']]).toStrictEqual(['/a', 'b=1?2', '1,2']);
    expect(Object.getPrototypeOf(headers)).toBeNull();
    expect([headers['tostring'], headers['constructor']]).toStrictEqual(['t', 'c']);
  });

  it.each([
    ['GET', '/endpoints/demo/invocations-bidirectional-stream'],
    ['POST', '/endpoints/demo/async-invocations'],
    ['POST', '/endpoints/demo/invocations-'],
    ['POST', '/endpoints/demo/constructor'],
    ['POST', '/endpoints//invocations-bidirectional-stream'],
    ['POST', '/endpoints/a/b/invocations-bidirectional-stream'],
    ['POST', '/endpoints/demo/invocations-bidirectional-stream/'],
    ['OPTIONS', '*'],
    ['POST', ''],
  ])('%s %s is no operation', (method, path) => {
    expect(findOperation({ method, path, query: '', headerBytes: 0, headers: {} }).failure).toMatchObject({
      status: 404,
    });
  });

  it.each([
    ['invocations-bidirectional-stream', 'stream'],
    ['invocations', 'plain'],
    ['invocations-response-stream', 'streamed_answer'],
  ])('%s is %s', (word, operation) => {
    const path = `/endpoints/demo/${word}`;
    expect(findOperation({ method: 'POST', path, query: '', headerBytes: 0, headers: {} }).value).toEqual({
      label: 'demo',
      operation,
    });
  });

  it('takes what the model allows, up to its lengths', () => {
    const path = `${'a'.repeat(49)}/${'b'.repeat(50)}`;
    const query = `k=${'v'.repeat(2046)}`;
    const name = `${'e'.repeat(62)}9`;
    const { value } = read(name, { [VARIANT]: 'A-b--1', [PATH]: path, [QUERY]: query });
    expect(value).toStrictEqual({
      endpointName: name,
      targetVariant: 'A-b--1',
      containerPath: path,
      containerQuery: query,
    });
    expect(read('demo').value).toMatchObject({
      containerPath: 'invocations-bidirectional-stream',
      containerQuery: '',
    });
    expect(read('demo', { [QUERY]: 'a=1&a=2&b-_=%2Fx~.' }).value).toBeDefined();
  });

  it.each<[string, Record<string, string>?]>([
    ['-demo'],
    ['demo-'],
    ['de mo'],
    ['de%20mo'],
    ['%zz'],
    ['e'.repeat(64)],
    ['demo', { [VARIANT]: '' }],
    ['demo', { [VARIANT]: 'a_b' }],
    ['demo', { [VARIANT]: 'a,b' }],
    ['demo', { [VARIANT]: 'v'.repeat(64) }],
    ['demo', { [PATH]: '/v1/realtime' }],
    ['demo', { [PATH]: 'v1/realtime/' }],
    ['demo', { [PATH]: 'v1//realtime' }],
    ['demo', { [PATH]: 'v1/real time' }],
    ['demo', { [PATH]: 'p'.repeat(101) }],
    ['demo', { [QUERY]: '?a=1' }],
    ['demo', { [QUERY]: 'a' }],
    ['demo', { [QUERY]: 'a=' }],
    ['demo', { [QUERY]: 'a=1&' }],
    ['demo', { [QUERY]: 'a=b+c' }],
    ['demo', { [QUERY]: 'a=%2' }],
    ['demo', { [QUERY]: `a=${'1'.repeat(2047)}` }],
    ['demo', { 'content-type': 'application/json' }],
    ['demo', { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }],
  ])('with %s %j is answered with 400', (label, headers) => {
    expect(read(label, headers).failure).toMatchObject({
      status: 400,
      name: 'InputValidationError',
      members: { Message: expect.any(String), ErrorCode: 'ValidationError' },
    });
  });
});
